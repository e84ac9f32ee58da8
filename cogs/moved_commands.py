"""Commands of earlier versions, which people remember and clients of Discord still offer."""

from discord import app_commands

from cogs.i18n.language import N_
from webhook.protocol.errors import NotFound

_MOVED = {
    "property search": N_("this is now /property list with its option text"),
    "property pending": N_("this is now /property list with the status “waiting for approval”"),
    "property map": N_("this is now the button Map of /property show"),
    "equipment list": N_("this is now the button Equipment of /property show"),
    "access list": N_("this is now the button Access list of /property show"),
    "visitors week": N_("this is now /visitors"),
    "visitors days": N_("this is now /visitors, with its options from and to"),
}
_OTHER = N_("this command is from another version of the bot; type / to see those of this one")


def outdated_command(
    error: app_commands.CommandNotFound
    | app_commands.CommandSignatureMismatch
    | app_commands.TransformerError,
) -> NotFound:
    """Return what to tell somebody who used a command that this version does not have."""
    if isinstance(error, app_commands.CommandNotFound):
        return NotFound(_MOVED.get(" ".join([*error.parents, error.name]), _OTHER))
    if isinstance(error, app_commands.TransformerError):
        return NotFound("{value} is not here any more; choose another one", value=str(error.value))
    return NotFound(_OTHER)
