"""The pages of the set-up wizard, and one for each key of the layout that can be picked.

The pages about the CAD and the game server are in `cogs.setup.cad_pages`. A page is made from what
is stored and from Discord's present state, so it survives a restart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import discord

from cogs.i18n.language import LANGUAGES, _, native_name, plural
from cogs.routing.layout import GUILD, SUPERVISOR_ROLES, channel_ids, single_id
from cogs.routing.setup_health import (
    NEEDED_PERMISSIONS,
    find_channel,
    find_role,
    hidden_problem,
    lacking,
)
from cogs.routing.visibility import by_role
from cogs.setup.keys import CHANNELS, keys_of, name_of, page_of, purpose_of, takes_one
from cogs.setup.state import FULL, PRESETS, SMALL, SetupState
from cogs.ui.embeds import FIELD, CardBuilder, Colour
from cogs.ui.home import home_guild
from cogs.ui.text import fitting

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

PAGES = ("roles", "channels", "pings", "community", "cad")

COMMON_ZONES = (
    "UTC",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Madrid",
    "Europe/Paris",
    "Europe/Amsterdam",
    "Europe/Brussels",
    "Europe/Berlin",
    "Europe/Vienna",
    "Europe/Zurich",
    "Europe/Rome",
    "Europe/Copenhagen",
    "Europe/Stockholm",
    "Europe/Oslo",
    "Europe/Warsaw",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Asia/Kolkata",
    "Australia/Sydney",
)
"""Time zones that are offered in a menu; a form takes any."""


@dataclass
class SetupPage:
    """An embed and the controls below it."""

    card: CardBuilder
    items: list[discord.ui.Item[Any]] = field(default_factory=list)


def roles_page(state: SetupState) -> SetupPage:
    """Show what each role can do."""
    intro = _(
        "Each role includes those before it. Members who can manage this server can do everything."
        " Give the roles to your members in Server Settings › Members."
    )
    page = _group_page(state, "roles", _("Who may do what"), intro, _("nobody"))
    create = button_to(_("Create what is missing"), "setup:create:roles")
    create.disabled = not (state.missing_roles() and state.guild.me.guild_permissions.manage_roles)
    page.items.insert(1, create)
    if missing := lacking(state.guild.me.guild_permissions, ["manage_roles"]):
        page.card.add(_bot_lacks(missing), _how_to_allow(), inline=False)
    chosen = single_id(state.layout, GUILD)
    if home_guild(state.guilds, chosen, channel_ids(state.layout)) is None:
        text = _(
            "The bot is in {number} servers. Managing one of them allows nothing until you "
            "choose one of the servers."
        )
        warning = text.format(number=len(state.guilds))
        page.card.add(_("More than one server"), warning, inline=False)
        page.items.append(button_to(_("Only this server"), "setup:only:server"))
    page.items.append(button_to(_("Next: channels"), "setup:page:channels", is_next=True))
    return page


def channels_page(state: SetupState) -> SetupPage:
    """Show what is posted in which channel, and which permissions the bot lacks there."""
    intro = _(
        "Only the bot writes in the channels that it creates, and each is seen by the roles that "
        "need it: viewers see neither approvals nor log."
    )
    page = _group_page(state, "channels", _("What is posted where"), intro, _("not posted"))
    missing = lacking_to_create(state.guild.me)
    presets = state.presets()
    for preset in reversed(presets):
        channels = PRESETS[preset]
        label = _("Create what is missing")
        if len(presets) > 1:
            label = {
                SMALL: plural("Small: 1 channel", "Small: {number} channels", len(channels)),
                FULL: plural("Full: 1 channel", "Full: {number} channels", len(channels)),
            }[preset]
        create = button_to(label, f"setup:create:{preset}")
        create.disabled = bool(missing) or not state.missing_channels(preset)
        page.items.insert(1, create)
    if len(presets) > 1:
        page.card.add(_("Create channels"), _preset_texts(), inline=False)
    if missing:
        page.card.add(_bot_lacks(missing), _how_to_allow(), inline=False)
    writable = state.writable()
    if writable:
        names = fitting([f"<#{channel.id}>" for channel in writable], ", ", LISTED)
        text = _("{channels}: what people write there stands between the cards.")
        title = _("Not only the bot writes in these channels")
        page.card.add(title, text.format(channels=names), inline=False)
        close = button_to(_("Let only the bot write"), "setup:close:channels")
        close.disabled = not state.guild.me.guild_permissions.manage_roles
        page.items.append(close)
    page.items.append(button_to(_("Back"), "setup:page:roles"))
    page.items.append(button_to(_("Next: pings"), "setup:page:pings", is_next=True))
    return page


def _preset_texts() -> str:
    small = ", ".join(f"#{name}" for name in PRESETS[SMALL])
    text = _("**Small**: {channels}. **Full**: one for each line above, without units.")
    return text.format(channels=small)


def pings_page(state: SetupState, minutes: tuple[int, int]) -> SetupPage:
    """Show who is mentioned, and when; `minutes` until an alarm calls dispatchers, supervisors."""
    intro = _("A role is mentioned once, when the message is posted. Rules can mention others.")
    page = _group_page(state, "pings", _("Who is called"), intro, _("nobody"))
    lines = []
    for after, key in zip(minutes, ("roles.dispatcher", SUPERVISOR_ROLES), strict=True):
        roles = " ".join(f"<@&{number}>" for number in state.layout[key]) or _("nobody")
        text = plural("after 1 minute: {who}", "after {number} minutes: {who}", after, who=roles)
        lines.append(text if after else _("{who}: never").format(who=roles))
    page.card.add(_("If nobody acknowledges an alarm"), "\n".join(lines), inline=False)
    page.items.append(button_to(_("Back"), "setup:page:channels"))
    page.items.append(button_to(_("Next: language"), "setup:page:community", is_next=True))
    return page


def community_page(state: SetupState) -> SetupPage:
    """Show the language of cards and the zone in which days begin."""
    texts = state.texts
    language = native_name(texts.language) if texts.language in LANGUAGES else texts.language
    card = CardBuilder(
        heading("community", _("Language and time zone")),
        Colour.NORMAL,
        _("Cards are in this language; answers are in each member's own."),
    )
    card.add(_("Language"), language)
    card.add(_("Time zone"), texts.timezone)
    languages: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id="setup:language:pick",
        placeholder=_("Which language?"),
        options=[
            discord.SelectOption(label=native_name(one), value=one, default=one == texts.language)
            for one in LANGUAGES
        ],
    )
    names = list(dict.fromkeys([texts.timezone, *COMMON_ZONES]))
    zones: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id="setup:zone:pick",
        placeholder=_("Which time zone?"),
        options=[
            discord.SelectOption(label=one, value=one, default=one == texts.timezone)
            for one in names
        ],
    )
    page = SetupPage(card, [languages, zones])
    page.items.append(button_to(_("Another time zone"), "setup:ask:zone"))
    page.items.append(button_to(_("Refresh"), "setup:page:community"))
    if any(state.chosen_texts):
        page.items.append(button_to(_("Reset to the file"), "setup:forget:community"))
    page.items.append(button_to(_("Back"), "setup:page:pings"))
    page.items.append(button_to(_("Next: the CAD"), "setup:page:cad", is_next=True))
    return page


def lacking_to_create(me: discord.Member) -> list[str]:
    """Return what the bot lacks to create channels; it can give only what it has itself."""
    return lacking(me.guild_permissions, ["manage_channels", *NEEDED_PERMISSIONS])


def _bot_lacks(permissions: list[str]) -> str:
    return _("The bot lacks {permissions}").format(permissions=", ".join(permissions))


def _how_to_allow() -> str:
    return _(
        "It cannot create anything. Give its role this permission in Server Settings › Roles "
        "and press Refresh, or choose existing ones in the menu."
    )


def _group_page(state: SetupState, name: str, title: str, intro: str, none: str) -> SetupPage:
    lines = [_line(state, key, none) for key in keys_of(name, state.file)]
    card = CardBuilder(heading(name, title), Colour.NORMAL, "\n".join([intro, "", *lines]))
    options = [
        discord.SelectOption(label=name_of(key), value=key, description=purpose_of(key)[:100])
        for key in keys_of(name, state.file)
    ]
    menu: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id=f"setup:which:{name}",
        placeholder=_("Choose existing ones"),
        options=options,
    )
    page = SetupPage(card, [menu, button_to(_("Refresh"), f"setup:page:{name}")])
    if any(key in state.chosen for key in keys_of(name, state.file)):
        page.items.append(button_to(_("Reset to the file"), f"setup:forget:{name}"))
    _offer_to_show(state, name, page)
    return page


def _offer_to_show(state: SetupState, name: str, page: SetupPage) -> None:
    """Say which roles cannot see their channels, and offer to change that."""
    hidden = state.hidden()
    if not hidden:
        return
    lines = [hidden_problem(role, of_role) for role, of_role in by_role(hidden).items()]
    page.card.add(_("Roles that do not see their channels"), fitting(lines, "\n", FIELD))
    button = button_to(_("Let these roles see the channels"), f"setup:show:{name}")
    if missing := lacking(state.guild.me.guild_permissions, ["manage_roles"]):
        button.disabled = True
        page.card.add(
            _bot_lacks(missing),
            _("It cannot change who sees a channel. Allow it this, or change it by hand."),
            inline=False,
        )
    page.items.append(button)


def _line(state: SetupState, key: str, none: str) -> str:
    """Describe a key's roles or channels, with their problems."""
    shown = []
    for number in state.layout[key]:
        problem = state.problem(key, number)
        mention = _mention(key, number)
        shown.append(f"{mention} (**{problem}**)" if problem else mention)
    with_units = state.layout.get("channels.units", ())
    if key == "channels.board" and not shown and with_units:
        shown.append(f"<#{with_units[0]}>")
    return f"**{name_of(key)}** · {purpose_of(key)}: {fitting(shown, ', ', LISTED) or none}"


def _mention(key: str, number: int) -> str:
    return f"<#{number}>" if key in CHANNELS else f"<@&{number}>"


def picking_page(state: SetupState, key: str) -> SetupPage:
    """Show what can be picked for one key."""
    is_channel = key in CHANNELS
    text = [purpose_of(key)[:1].upper() + purpose_of(key)[1:] + "."]
    if key in state.chosen:
        find = find_channel if key in CHANNELS else find_role
        ids = [
            _mention(key, number) if find(state.guilds, number) is not None else str(number)
            for number in state.file[key]
        ]
        by_file = fitting(ids, ", ", LISTED) or _("nothing")
        text.append(_("Chosen here; the file says {ids}.").format(ids=by_file))
    card = CardBuilder(
        _("Set up CAD Sentinel · {what}").format(what=name_of(key)),
        Colour.NORMAL,
        "\n".join([*text, _line(state, key, _("not posted") if is_channel else _("nobody"))]),
    )
    current = state.usable(key, [state.guild])
    page = SetupPage(
        card, [_channel_menu(key, current) if is_channel else _role_menu(key, current)]
    )
    page.items.append(button_to(_("Back"), f"setup:page:{page_of(key)}"))
    page.items.append(button_to(_("None"), f"setup:none:{key}"))
    if key in state.chosen:
        page.items.append(button_to(_("Reset to the file"), f"setup:forget:{key}"))
    _offer_to_show(state, key, page)
    return page


def _role_menu(key: str, current: Iterable[int]) -> discord.ui.Item[Any]:
    menu: discord.ui.RoleSelect[discord.ui.View] = discord.ui.RoleSelect(
        custom_id=f"setup:pick:{key}",
        placeholder=_("Which role?") if takes_one(key) else _("Which role, or which roles?"),
        max_values=1 if takes_one(key) else MOST_ROLES,
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


def heading(page: str, title: str) -> str:
    text = _("Set up CAD Sentinel · {number} of {count} · {title}")
    return text.format(number=PAGES.index(page) + 1, count=len(PAGES), title=title)


def button_to(
    label: str, custom_id: str, *, is_next: bool = False
) -> discord.ui.Button[discord.ui.View]:
    style = discord.ButtonStyle.primary if is_next else discord.ButtonStyle.secondary
    return discord.ui.Button(label=label, custom_id=custom_id, style=style)
