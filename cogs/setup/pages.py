"""The pages of the set-up wizard: three, one about the game server, and one for each key of the
layout that can be picked.

A page is made from what is stored and from Discord's present state, so it survives a restart.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord

from cogs.i18n.language import N_, _
from cogs.routing.layout import Layout, merged_layout, single_id
from cogs.routing.setup_health import (
    CalledRole,
    call_problem,
    find_channel,
    find_role,
    problem_of,
)
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import fitting, inert_line
from webhook.protocol.game_servers import GameServer, GameServers

MOST_ROLES = 25

CHANNEL_TYPES = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.public_thread,
    discord.ChannelType.private_thread,
    discord.ChannelType.forum,
    discord.ChannelType.media,
]
"""What can be chosen for what is posted."""

LISTED = 600
"""Characters of a key's roles or channels, with their problems."""

_QUOTABLE = re.compile(r"[!#-_a-~]+")
"""A token that can stand between quotation marks, in server.cfg and in Discord's code."""

PAGES = ("roles", "channels", "cad")

ROLES = {
    "roles.viewer": N_("can view everything"),
    "roles.dispatcher": N_("can edit properties and dispatch drones"),
    "roles.approver": N_("can approve and deny"),
    "roles.admin": N_("can do everything, including /setup"),
    "panic_role": N_("is mentioned when somebody presses their panic button"),
}
"""What the roles are for."""

CHANNELS = {
    "channels.emergency": N_("911 and 311 calls"),
    "channels.dispatch": N_("dispatch calls, tones, pages, station alerts"),
    "channels.panic": N_("panic buttons"),
    "channels.units": N_("units on duty, open calls"),
    "channels.records": N_("records, bulletins, warrants"),
    "channels.alerts": N_("alarms at properties"),
    "channels.visits": N_("visitors seen by the cameras"),
    "channels.crimes": N_("crimes reported by scripts"),
    "channels.access": N_("who badges in at a door"),
    "channels.properties": N_("changes to properties"),
    "channels.drones": N_("drones in the air"),
    "channels.approvals": N_("new properties and requested removals"),
    "channels.log": N_("messages about the bot itself"),
}
"""What is posted in the channels."""


@dataclass(frozen=True)
class SetupState:
    """What a page is made from: the file's layout, what was chosen here, and the server."""

    file: Layout
    chosen: Layout
    guild: discord.Guild
    guilds: tuple[discord.Guild, ...]
    called_roles: Sequence[CalledRole] = ()

    @property
    def layout(self) -> Layout:
        return merged_layout(self.file, self.chosen)

    def usable(self, key: str, guilds: Sequence[discord.Guild]) -> list[int]:
        """Return the ids of a key that exist in these servers."""
        found = find_role if key in ROLES else find_channel
        return [number for number in self.layout[key] if found(guilds, number) is not None]

    def problem(self, key: str, number: int) -> str:
        """Say why a role or a channel of a key is of no use; blank if it is well."""
        calls = [one for one in self.called_roles if (one.what, one.role_id) == (key, number)]
        problems = [problem_of(self.guilds, key, number)]
        problems += [call_problem(self.guilds, called) for called in calls]
        return next(filter(None, problems), "")

    def missing(self, page: str) -> list[str]:
        """Return the keys without anything that exists, unless nothing was chosen on purpose."""
        return [
            key
            for key in keys_of(page, self.file)
            if key != "panic_role"
            and self.chosen.get(key) != ()
            and not self.usable(key, self.guilds)
        ]


@dataclass
class SetupPage:
    """An embed and the controls below it."""

    card: CardBuilder
    items: list[discord.ui.Item[Any]] = field(default_factory=list)


def keys_of(page: str, layout: Layout) -> list[str]:
    """Return the layout's keys on a page."""
    texts = ROLES if page == "roles" else CHANNELS
    return [key for key in texts if key in layout]


def resettable_keys(page: str, layout: Layout) -> list[str]:
    """Return the keys that are reset to the file together."""
    return [*keys_of(page, layout), *(["guild_id"] if page == "roles" else [])]


def roles_page(state: SetupState) -> SetupPage:
    """Show what each role can do."""
    intro = _(
        "Each role includes those before it. Members who can manage this server can do everything."
    )
    page = _group_page(state, "roles", _("Who may do what"), intro, _("nobody"))
    if not state.guild.me.guild_permissions.manage_roles:
        page.card.add(_("The bot lacks Manage Roles"), _how_to_allow(), inline=False)
    elsewhere = len(state.guilds) > 1 and not single_id(state.layout, "guild_id")
    if elsewhere:
        text = _(
            "The bot is in {number} servers. Managing one of them allows nothing until you "
            "choose one of the servers."
        )
        warning = text.format(number=len(state.guilds))
        page.card.add(_("More than one server"), warning, inline=False)
        page.items.append(_button(_("Only this server"), "setup:only:server"))
    page.items.append(_button(_("Next: channels"), "setup:page:channels", is_next=True))
    return page


def channels_page(state: SetupState) -> SetupPage:
    """Show what is posted in which channel, and which permissions the bot lacks there."""
    intro = _(
        "Only the roles of the first page can see the category “CAD Sentinel”: choose them "
        "before you create channels."
    )
    page = _group_page(state, "channels", _("What is posted where"), intro, _("not posted"))
    if not state.guild.me.guild_permissions.manage_channels:
        page.card.add(_("The bot lacks Manage Channels"), _how_to_allow(), inline=False)
    page.items.append(_button(_("Back"), "setup:page:roles"))
    page.items.append(_button(_("Next: the CAD"), "setup:page:cad", is_next=True))
    return page


def _how_to_allow() -> str:
    return _(
        "It cannot create anything. Give its role this permission in Server Settings › Roles "
        "and press Refresh, or choose existing ones in the menu."
    )


def _group_page(state: SetupState, name: str, title: str, intro: str, none: str) -> SetupPage:
    lines = [_line(state, key, none) for key in keys_of(name, state.file)]
    card = CardBuilder(_heading(name, title), Colour.NORMAL, "\n".join([intro, "", *lines]))
    options = [
        discord.SelectOption(label=_name(key), value=key, description=_purpose(key))
        for key in keys_of(name, state.file)
    ]
    menu: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id=f"setup:which:{name}",
        placeholder=_("Choose existing ones"),
        options=options,
    )
    rights = state.guild.me.guild_permissions
    may_create = rights.manage_roles if name == "roles" else rights.manage_channels
    is_missing = bool(state.missing(name))
    create = _button(_("Create what is missing"), f"setup:create:{name}")
    create.disabled = not (is_missing and may_create)
    page = SetupPage(card, [menu, create, _button(_("Refresh"), f"setup:page:{name}")])
    if any(key in state.chosen for key in resettable_keys(name, state.file)):
        page.items.append(_button(_("Reset to the file"), f"setup:forget:{name}"))
    return page


def _line(state: SetupState, key: str, none: str) -> str:
    """Describe a key's roles or channels, with their problems."""
    shown = []
    for number in state.layout[key]:
        problem = state.problem(key, number)
        mention = f"<@&{number}>" if key in ROLES else f"<#{number}>"
        shown.append(f"{mention} (**{problem}**)" if problem else mention)
    return f"**{_name(key)}** · {_purpose(key)}: {fitting(shown, ', ', LISTED) or none}"


def picking_page(state: SetupState, key: str) -> SetupPage:
    """Show what can be picked for one key."""
    is_role = key in ROLES
    text = [_purpose(key)[:1].upper() + _purpose(key)[1:] + "."]
    if key in state.chosen:
        by_file = ", ".join(map(str, state.file[key])) or _("nothing")
        text.append(_("Chosen here; the file says {ids}.").format(ids=by_file))
    group = "roles" if is_role else "channels"
    card = CardBuilder(
        _("Set up CAD Sentinel · {what}").format(what=_name(key)),
        Colour.NORMAL,
        "\n".join([*text, _line(state, key, _("nobody") if is_role else _("not posted"))]),
    )
    current = state.usable(key, [state.guild])
    page = SetupPage(card, [_role_menu(key, current) if is_role else _channel_menu(key, current)])
    page.items.append(_button(_("Back"), f"setup:page:{group}"))
    page.items.append(_button(_("None"), f"setup:none:{key}"))
    if key in state.chosen:
        page.items.append(_button(_("Reset to the file"), f"setup:forget:{key}"))
    return page


def _role_menu(key: str, current: Iterable[int]) -> discord.ui.Item[Any]:
    menu: discord.ui.RoleSelect[discord.ui.View] = discord.ui.RoleSelect(
        custom_id=f"setup:pick:{key}",
        placeholder=_("Which role, or which roles?"),
        max_values=1 if key == "panic_role" else MOST_ROLES,
        default_values=[discord.Object(number, type=discord.Role) for number in current],
    )
    return menu


def _channel_menu(key: str, current: Iterable[int]) -> discord.ui.Item[Any]:
    menu: discord.ui.ChannelSelect[discord.ui.View] = discord.ui.ChannelSelect(
        custom_id=f"setup:pick:{key}",
        placeholder=_("Which channel?"),
        channel_types=CHANNEL_TYPES,
        default_values=[
            discord.Object(number, type=discord.abc.GuildChannel) for number in current
        ],
    )
    return menu


@dataclass(frozen=True)
class CadPushes:
    """When a CAD's first push ever and its last since the start came, in milliseconds."""

    name: str
    first_at: int | None
    last_at: int | None


def cad_page(port: int, cads: list[CadPushes]) -> SetupPage:
    """Show what to configure in the CAD, and what was received so far."""
    card = CardBuilder(
        _heading("cad", _("What the CAD sends")),
        Colour.GOOD if all(cad.last_at for cad in cads) else Colour.NORMAL,
        _("Do one of these, then do something in the CAD: go on duty, or make a 911 call."),
    )
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
    if any(cad.last_at is None for cad in cads):
        lines.append(
            _(
                "This answer updates itself when the first push comes; after 15 minutes "
                "press Refresh."
            )
        )
    card.add(_("Received so far"), "\n".join(lines), inline=False)
    back = _button(_("Back"), "setup:page:channels")
    game = _button(_("Game server"), "setup:page:game")
    return SetupPage(card, [back, _button(_("Refresh"), "setup:page:cad"), game])


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
    back = _button(_("Back"), "setup:page:cad")
    return SetupPage(card, [back, _button(_("Refresh"), "setup:page:game")])


def _describe_game_server(server: GameServer, servers: GameServers) -> str:
    text = _("**{resource}** was there {time}.")
    if servers.is_connected(server):
        text = _("**{resource}** was there {time}. It works.")
    name = inert_line(f"{server.resource} {server.version}", 64)
    return text.format(resource=name, time=f"<t:{server.seen_at // 1000}:R>")


def _heading(page: str, title: str) -> str:
    text = _("Set up CAD Sentinel · {number} of 3 · {title}")
    return text.format(number=PAGES.index(page) + 1, title=title)


def _describe_pushes(cad: CadPushes) -> str:
    name = inert_line(cad.name, 32)
    if cad.last_at is not None:
        text = _("**{cad}**: the last push came {time}. It works.")
        return text.format(cad=name, time=f"<t:{cad.last_at // 1000}:R>")
    if cad.first_at is not None:
        text = _("**{cad}**: nothing since the bot started; the first push ever came {time}.")
        return text.format(cad=name, time=f"<t:{cad.first_at // 1000}:R>")
    return _("**{cad}**: nothing yet.").format(cad=name)


def _button(
    label: str, custom_id: str, *, is_next: bool = False
) -> discord.ui.Button[discord.ui.View]:
    style = discord.ButtonStyle.primary if is_next else discord.ButtonStyle.secondary
    return discord.ui.Button(label=label, custom_id=custom_id, style=style)


def _name(key: str) -> str:
    return key.rpartition(".")[2].replace("_", " ")


def _purpose(key: str) -> str:
    return _((ROLES | CHANNELS)[key])
