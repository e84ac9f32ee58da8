"""The page of the set-up wizard about what the bot asks of the CADs."""

from collections.abc import Mapping

from cogs.i18n.language import N_, _, plural
from cogs.setup.pages import SetupPage, button_to
from cogs.ui.cad_answers import problem_text
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import inert_line, timestamp
from webhook.cad_api.progress import CadProgress

_KINDS = {
    "panic": N_("end a panic"),
    "attach": N_("respond"),
    "detach": N_("leave"),
    "close": N_("close"),
    "note": N_("note"),
    "status": N_("status"),
    "remove-911": N_("remove the 911 call"),
    "create-911": N_("911 call"),
    "create-dispatch": N_("open a dispatch call"),
    "calls": N_("read the calls"),
    "units": N_("read the units"),
}
"""What the limits are of, in words."""


def asking_page(
    found: Mapping[str, CadProgress], now: int, tested: Mapping[str, str] | None = None
) -> SetupPage:
    """Show how asking each CAD goes, or how that can be made possible.

    `tested`: what has just come of a test of each, as a sentence.
    """
    ready = [one for one in found.values() if one.is_there]
    is_well = bool(ready) and not any(one.is_stuck(now) for one in found.values())
    card = CardBuilder(
        _("Set up CAD Sentinel · Requests to the CAD"),
        Colour.GOOD if is_well else Colour.NORMAL,
        _(
            "With this, members respond to calls in Discord with their own unit, write notes, place"
            " 911 calls and close them; alarms can call the police."
        ),
    )
    if len(ready) < len(found) or not found:
        card.add(_("Have the game server do it"), _by_game_server(), inline=False)
        card.add(_("Or give the bot an API key"), _by_key(), inline=False)
    for cad, progress in found.items():
        lines = [*_describe(progress), (tested or {}).get(cad, "")]
        card.add(inert_line(cad, 32), "\n".join(filter(None, lines)), inline=False)
    back, refresh = _("Back"), _("Refresh")
    test = [button_to(_("Test"), "setup:test:asking", is_next=True)] if ready else []
    items = [button_to(back, "setup:page:cad"), button_to(refresh, "setup:page:asking"), *test]
    return SetupPage(card, [*items])


def test_text(progress: CadProgress, why: str | None, detail: str) -> str:
    """Say what came of a test; `why`: a word for why it failed, None if it did not."""
    if why is not None:
        reason = problem_text(why, detail).rstrip(".")
        return _("Test failed: {why}.").format(why=reason)
    version = inert_line(progress.version, 40, blank="")
    if version:
        return _("Test passed: the CAD answers, version {version}.").format(version=version)
    return _("Test passed: the CAD answers.")


def _by_game_server() -> str:
    return _(
        "If Sonoran's own resource `sonorancad` runs on your game server, start `cad-sentinel`"
        " there too: press Back, then *Game server*. Nothing else is needed."
    )


def _by_key() -> str:
    return _(
        "Copy it in the CAD from Administration › Advanced › In-Game Integration into the bot's"
        " `config.toml`, then restart the bot:\n"
        "```toml\n"
        "[cad.api]\n"
        'key = "…"\n'
        "```"
    )


def _describe(progress: CadProgress) -> list[str]:
    way = _("Asked with the API key of `config.toml`.")
    if progress.way == "game":
        way = _("Asked by the game server.")
        if not progress.is_there:
            way = _("Not asked: there is no API key, and no game server that asks it.")
    lines = [way]
    if progress.answered_at is not None:
        text = _("The last answer came {when}.")
        lines.append(text.format(when=timestamp(progress.answered_at)))
    elif progress.is_there:
        lines.append(_("No answer since the start."))
    if progress.problem:
        text = _("What is wrong: {why}.")
        lines.append(text.format(why=problem_text(progress.problem, "").rstrip(".")))
    if progress.waiting:
        lines.append(plural("1 request waits.", "{number} requests wait.", progress.waiting))
    limited = [_(_KINDS[kind]) for kind in progress.limited if kind in _KINDS]
    if limited:
        text = _("Often used in the last minute, so the next must wait: {kinds}.")
        lines.append(text.format(kinds=", ".join(limited)))
    return lines
