"""The commands' names and descriptions in every language, as Discord shows them to each member."""

from discord import Locale, app_commands
from discord.app_commands import TranslationContextLocation as Location
from discord.app_commands import TranslationContextTypes, locale_str

from cogs.i18n.language import translated_for

CONTEXTS = {
    Location.command_name: "command",
    Location.group_name: "command",
    Location.parameter_name: "option",
}
"""The catalogue contexts of names, which have rules of their own.

Descriptions and choices have no context.
"""


class CommandTranslator(app_commands.Translator):
    """Translates commands from the catalogues."""

    async def translate(
        self, string: locale_str, locale: Locale, context: TranslationContextTypes
    ) -> str | None:
        """Return the translation, or None if it equals the English text."""
        found = translated_for(locale.value, CONTEXTS.get(context.location, ""), string.message)
        return None if found == string.message else found
