"""What /setup chose wins over the file, key by key, and goes away without a trace."""

from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.commands.offline import forget_setup
from bot.discord_settings import apply_setup, layout_of
from bot.locks import alone_on_database
from bot.settings import Channels, DatabaseSettings, DiscordSettings, Roles, Settings
from cogs.routing.community import CommunityTexts, chosen_texts, store_texts
from cogs.routing.layout import CATEGORY, GUILD, PRESET, choices, store_choices
from cogs.setup.keys import PURPOSES, keys_of
from cogs.setup.pages import PAGES
from db import audit, settings
from db.database import Database
from webhook.http.authentication import LOCAL
from webhook.protocol.bus import Bus
from webhook.protocol.context import Context

IDS = st.integers(min_value=1, max_value=2**63 - 1)
FILE = Settings(
    discord=DiscordSettings(
        guild_id=1, panic_role=2, channels=Channels(emergency=3, log=4), roles=Roles(viewer=[5, 6])
    )
)
LAYOUT = layout_of(FILE)


def _context(database: Database) -> Context:
    return Context(database, Bus(), LOCAL, ZoneInfo("UTC"))


def _chosen() -> st.SearchStrategy[dict[str, tuple[int, ...]]]:
    one = st.lists(IDS, max_size=1).map(tuple)
    several = st.lists(IDS, max_size=4).map(tuple)
    return st.fixed_dictionaries(
        {},
        optional={
            what: several if what.startswith(("roles.", "alarms.")) else one
            for what in LAYOUT
            if what not in {CATEGORY, PRESET, GUILD}
        },
    )


@given(_chosen())
def test_choices_override_the_file(
    chosen: dict[str, tuple[int, ...]],
) -> None:
    assert layout_of(apply_setup(FILE, chosen)) == LAYOUT | chosen


def test_unknown_choices_are_ignored() -> None:
    assert apply_setup(FILE, {}) == FILE
    assert apply_setup(FILE, {"channels.of-a-later-version": (9,), CATEGORY: (8,)}) == FILE


def test_setup_pages_show_every_configured_channel_and_role() -> None:
    shown = [key for page in PAGES for key in keys_of(page, LAYOUT)]
    assert sorted(shown) == sorted(PURPOSES)
    assert sorted(shown) == sorted(set(LAYOUT) - {GUILD, CATEGORY, PRESET})


async def test_choice_is_stored_and_audited_once(
    database: Database,
) -> None:
    context = _context(database)
    for ids in ((7,), (7,), (3,)):
        await store_choices(context, LAYOUT, {"channels.emergency": ids})
        expected = {} if ids == (3,) else {"channels.emergency": ids}
        assert await choices(database.read) == expected
    await store_choices(context, LAYOUT, {"roles.viewer": ()})
    assert await choices(database.read) == {"roles.viewer": ()}
    await store_choices(context, LAYOUT, {"roles.viewer": None, "panic_role": None})
    assert await settings.beginning_with(database.read, "setup.") == []
    records = await audit.page(database.read, None, None, 10, 0)
    assert [(record.subject, record.before, record.after) for record in reversed(records)] == [
        ("setup:channels", '{"emergency":"3"}', '{"emergency":"7"}'),
        ("setup:channels", '{"emergency":"7"}', '{"emergency":"3"}'),
        ("setup:roles", '{"viewer":"5 6"}', '{"viewer":""}'),
        ("setup:roles", '{"viewer":""}', '{"viewer":"5 6"}'),
    ]


async def test_forget_setup_deletes_the_choices(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    path = DatabaseSettings(path=tmp_path / "sentinel.db")
    whole = FILE.model_copy(update={"database": path})
    async with Database.open(whole.database.path) as database:
        await store_choices(_context(database), LAYOUT, {"guild_id": (9,), "roles.admin": (8,)})
        await store_texts(_context(database), CommunityTexts(), CommunityTexts("de", "UTC"))
    with alone_on_database(whole.database.path):
        assert await forget_setup(whole, said.append) == 1
    assert "already uses the database" in said.pop()
    assert await forget_setup(whole, said.append) == 0
    assert said == [
        "the choices made in /setup are deleted, config.toml applies again: start the bot"
    ]
    async with Database.open(whole.database.path) as database:
        assert await choices(database.read) == {}
        assert await chosen_texts(database.read) == CommunityTexts()
