"""The pages of the set-up wizard about the CAD and the game server."""

import re
from dataclasses import dataclass

from cogs.i18n.language import _
from cogs.setup.pages import SetupPage, button_to, heading
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import inert_line
from webhook.protocol.game_servers import GameServer, GameServers

_QUOTABLE = re.compile(r"[!#-_a-~]+")
"""A token that can stand between quotation marks, in server.cfg and in Discord's code."""


@dataclass(frozen=True)
class CadPushes:
    """When a CAD's first push ever and its last since the start came, in milliseconds."""

    name: str
    first_at: int | None
    last_at: int | None


def cad_page(
    port: int, cads: list[CadPushes], *, has_key: bool, wrong_key_at: int | None
) -> SetupPage:
    """Show what to configure in the CAD, and what was received so far.

    `has_key`: whether a CAD's key is configured; `wrong_key_at`: when one was wrong, if ever.
    """
    card = CardBuilder(
        heading("cad", _("What the CAD sends")),
        Colour.GOOD if all(cad.last_at for cad in cads) else Colour.NORMAL,
        _("Do one of these, then do something in the CAD: go on duty, or make a 911 call."),
    )
    if not has_key:
        card.add(_("First, the key of your CAD"), _how_to_enter_the_key(), inline=False)
    card.add(
        _("You have a FiveM server (recommended)"),
        _(
            "Press *Game server* below. The resource `cad-sentinel` takes the pushes from the"
            " Sonoran resource, and loses none while the bot is away."
        ),
        inline=False,
    )
    card.add(
        _("You want no other resource on it"),
        _(
            "In `sonorancad/config.json` (`true` without quotes), then restart the resource:\n"
            "```json\n"
            '"enablePushEventForwarding": true,\n'
            '"pushEventForwardUrl": "http://127.0.0.1:{port}",\n'
            "```\n"
            "If the bot runs on another machine, write that machine's address, and in the bot's"
            ' `config.toml` under `[http]`: `host = "0.0.0.0"`.'
        ).format(port=port),
        inline=False,
    )
    card.add(
        _("You have no game server"),
        _(
            "In the CAD's server settings enter this machine's public IP and the listener port"
            " `{port}`."
        ).format(port=port),
        inline=False,
    )
    lines = [_describe_pushes(cad) for cad in cads]
    if wrong_key_at is not None and any(cad.last_at is None for cad in cads):
        text = _(
            "A push with another key was refused {time}: `[cad] keys` in `config.toml` must hold"
            " your CAD's API key."
        )
        lines.append(text.format(time=f"<t:{wrong_key_at // 1000}:R>"))
    if any(cad.last_at is None for cad in cads):
        lines.append(
            _(
                "This answer updates itself when the first push comes; after 15 minutes "
                "press Refresh."
            )
        )
    card.add(_("Received so far"), "\n".join(lines), inline=False)
    back = button_to(_("Back"), "setup:page:channels")
    game = button_to(_("Game server"), "setup:page:game")
    asking = button_to(_("Next: requests to the CAD"), "setup:page:asking", is_next=True)
    return SetupPage(card, [back, button_to(_("Refresh"), "setup:page:cad"), game, asking])


def _how_to_enter_the_key() -> str:
    return _(
        "Without it, what the CAD sends is refused. Copy the API key in the CAD from Administration"
        " › Advanced › In-Game Integration into the bot's `config.toml`, then restart the bot:\n"
        "```toml\n"
        "[cad]\n"
        'keys = ["…"]\n'
        "```"
    )


@dataclass(frozen=True)
class GameServerAccess:
    """How the game server reaches the bot: an address, and the token of a client, blank if none."""

    url: str
    token: str


def game_page(access: GameServerAccess, servers: GameServers) -> SetupPage:
    """Show what to write into server.cfg, and which game servers are there."""
    found = servers.by_client().values()
    is_there = any(map(servers.is_connected, found))
    card = CardBuilder(
        _("Set up CAD Sentinel · Game server"),
        Colour.GOOD if is_there else Colour.NORMAL,
        _(
            "The resource `cad-sentinel` sends what happens in the game and what the CAD pushes, "
            "and keeps it while the bot is away. Switch `enablePushEventForwarding` of the Sonoran "
            "resource off, put the folder `cad-sentinel` into `resources`, and this into "
            "`server.cfg`:"
        ),
    )
    token = access.token if _QUOTABLE.fullmatch(access.token) else _("TOKEN")
    lines = f'set cad_sentinel_url "{access.url}"\nset cad_sentinel_token "{token}"\n'
    lines += "ensure cad-sentinel"
    about = _("The token is a secret: only you see this. Use `set` and never `setr` or `sets`.")
    if token != access.token:
        about = _(
            "TOKEN is that of a client with the scope write: add one to `config.toml` under "
            "`[[websocket.clients]]`."
        )
    elsewhere = _(
        "If the bot runs on another machine, write that machine's address, and in the bot's "
        '`config.toml` under `[http]`: `host = "0.0.0.0"`.'
    )
    card.add("server.cfg", f"```\n{lines}\n```\n{about}\n{elsewhere}", inline=False)
    shown = [_describe_game_server(server, servers) for server in found]
    if not is_there:
        shown.append(
            _(
                "This answer updates itself when the resource is there; after 15 minutes "
                "press Refresh."
            )
        )
    card.add(_("There so far"), "\n".join(shown), inline=False)
    back = button_to(_("Back"), "setup:page:cad")
    return SetupPage(card, [back, button_to(_("Refresh"), "setup:page:game")])


def _describe_game_server(server: GameServer, servers: GameServers) -> str:
    text = _("**{resource}** was there {time}.")
    if servers.is_connected(server):
        text = _("**{resource}** was there {time}. It works.")
    name = inert_line(f"{server.resource} {server.version}", 64)
    return text.format(resource=name, time=f"<t:{server.seen_at // 1000}:R>")


def _describe_pushes(cad: CadPushes) -> str:
    name = inert_line(cad.name, 32)
    if cad.last_at is not None:
        text = _("**{cad}**: the last push came {time}. It works.")
        return text.format(cad=name, time=f"<t:{cad.last_at // 1000}:R>")
    if cad.first_at is not None:
        text = _("**{cad}**: nothing since the bot started; the first push ever came {time}.")
        return text.format(cad=name, time=f"<t:{cad.first_at // 1000}:R>")
    return _("**{cad}**: nothing yet.").format(cad=name)
