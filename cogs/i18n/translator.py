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
"""What tells the names in the catalogues from texts that read alike: names have rules of their own.

Descriptions and choices have none.
"""


class CommandTranslator(app_commands.Translator):
    """Looks commands up in the catalogues."""

    async def translate(
        self, string: locale_str, locale: Locale, context: TranslationContextTypes
    ) -> str | None:
        """Return the text in a language, None if it is the same."""
        found = translated_for(locale.value, CONTEXTS.get(context.location, ""), string.message)
        return None if found == string.message else found
