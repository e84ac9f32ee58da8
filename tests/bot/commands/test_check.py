"""`check` says what is wrong with the set-up and how to fix it, against a fake Discord."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import unused_port
from PIL import Image

from bot.commands import check_discord
from bot.commands.check import check
from bot.discord_settings import layout_of
from bot.secrets import CAD_KEY_FILE
from bot.settings import (
    AlarmSettings,
    CadSettings,
    Channels,
    ClientSettings,
    DatabaseSettings,
    DiscordSettings,
    HttpSettings,
    LogSettings,
    MapSettings,
    NamedKey,
    Roles,
    RuleSettings,
    Settings,
    WebsocketSettings,
)
from cogs.routing.layout import store_choices
from db.database import Database
from tests.clock import set_clock
from tests.fake_cad import FakeCad
from tests.fake_discord import Channel, FakeDiscord, Guild
from tests.fake_discord.permissions import EVERYONE, Permission
from tests.fake_discord.threads import add_thread
from tests.fake_discord.world import Command, Overwrite
from webhook.http.authentication import LOCAL
from webhook.protocol.bus import Bus
from webhook.protocol.context import Context
from webhook.queries.cad.requests import ask_cad
from webhook.queries.guilds import store_commands

TOKEN = "secret-token-of-a-client"
KEY = "secret-key-of-the-cad"


class CheckedSetup:
    """A guild with one channel, and a configuration that fits it."""

    def __init__(self, fake: FakeDiscord, folder: Path) -> None:
        self.fake = fake
        self.folder = folder
        self.guild: Guild = fake.add_guild("Los Santos")
        self.channel: Channel = self.guild.add_channel("calls")
        self.role = self.guild.add_role("Approver")

    def settings(self, **discord: Any) -> Settings:
        """The configuration, with changes on its Discord side."""
        return Settings(
            discord=DiscordSettings(
                **{
                    "token": self.fake.token,
                    "guild_id": self.guild.id,
                    "channels": Channels(emergency=self.channel.id),
                    "roles": Roles(approver=[self.role.id]),
                }
                | discord
            ),
            # Not the port of a bot that may be running here.
            http=HttpSettings(port=unused_port()),
            cad=CadSettings(keys=[NamedKey(key=KEY)]),
            websocket=WebsocketSettings(clients=[ClientSettings(name="script", token=TOKEN)]),
            database=DatabaseSettings(path=self.folder / "sentinel.db"),
        )

    async def check_lines(
        self, settings: Settings | None = None, config: Path | None = None
    ) -> list[str]:
        """Check, and return the lines; the last one and the exit code agree."""
        lines: list[str] = []
        code = await check(settings or self.settings(), config, lines.append)
        faults = [line for line in lines if line.startswith("FAULT")]
        assert code == bool(faults)
        assert lines[-1] == (f"problems to fix: {len(faults)}" if faults else "nothing is wrong")
        everything = "\n".join(lines)
        assert not any(secret in everything for secret in (TOKEN, KEY, self.fake.token))
        return lines

    async def fault(self, **discord: Any) -> str:
        """Check a configuration with one fault and return it."""
        faults = [
            line
            for line in await self.check_lines(self.settings(**discord))
            if line.startswith("FAULT")
        ]
        assert len(faults) == 1
        assert faults[0].count("\n") == 1, "a fault is a sentence and how to mend it"
        return faults[0]


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[CheckedSetup]:
    """A setup without faults."""
    async with FakeDiscord() as fake:
        yield CheckedSetup(fake, tmp_path)
        assert fake.unexpected == []


async def test_good_setup_has_no_faults(setup: CheckedSetup) -> None:
    async with Database.open(setup.folder / "sentinel.db"):
        pass
    lines = await setup.check_lines()
    assert f"ok    the database {setup.folder / 'sentinel.db'} is undamaged" in lines
    assert "ok    channel emergency is #calls, and the bot may post there" in lines
    assert "ok    the bot may register its commands in Los Santos" in lines
    assert setup.guild.commands == []
    assert setup.channel.created == []


async def test_a_missing_database_is_not_a_fault_and_is_not_created(setup: CheckedSetup) -> None:
    assert any("the first start creates it" in line for line in await setup.check_lines())
    assert not (setup.folder / "sentinel.db").exists()


async def test_a_file_that_is_not_a_database_is_a_fault(setup: CheckedSetup) -> None:
    (setup.folder / "sentinel.db").write_bytes(b"not a database" * 100)
    assert "cannot use the database" in await setup.fault()


async def test_damaged_database_is_a_fault(setup: CheckedSetup) -> None:
    path = setup.folder / "sentinel.db"
    async with Database.open(path):
        pass
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = bytes(4096 * 4)
    path.write_bytes(content)
    assert "restore a backup" in await setup.fault()


@pytest.mark.parametrize("name", ["ho#me", "who?", "50%41"])
async def test_damaged_database_in_a_folder_with_a_strange_name_is_a_fault(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name / "sentinel.db"
    path.parent.mkdir()
    settings = Settings(database=DatabaseSettings(path=path), http=HttpSettings(port=0))
    lines: list[str] = []
    async with Database.open(path):
        pass
    assert await check(settings, None, lines.append) == 0
    path.write_bytes(b"garbage" * 1000)
    assert await check(settings, None, lines.append) == 1
    assert "".join(lines).count(f"cannot use the database {path}: ") == 1
    assert _names_in(tmp_path) == [name, "sentinel.db"]


def _names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


async def test_rejected_token_is_a_fault(setup: CheckedSetup) -> None:
    assert "Discord rejects the token" in await setup.fault(token="wrong")


async def test_unreachable_discord_is_a_fault(setup: CheckedSetup) -> None:
    setup.fake.outage()
    assert "Discord cannot be reached" in await setup.fault()


@pytest.mark.parametrize("path", ["/users/@me$", "/channels/", "/guilds/", "/members/", "/command"])
@pytest.mark.parametrize("is_cut", [True, False])
async def test_discord_that_fails_at_any_request_is_one_fault(
    setup: CheckedSetup, path: str, *, is_cut: bool
) -> None:
    setup.fake.fault("GET", path, status=None if is_cut else 503, cut=is_cut, times=None)
    fault = await setup.fault()
    assert fault.startswith("FAULT Discord cannot be reached: ")
    assert "the rest was not checked" in fault


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (403, {"code": 50001, "message": "Missing Access"}, "refuses what was asked: 403"),
        (200, "<html>Please log in</html>", "the answer was cut off, or a network's login page"),
    ],
)
async def test_other_answers_than_discords_are_one_fault(
    setup: CheckedSetup, status: int, body: dict[str, Any] | str, sentence: str
) -> None:
    setup.fake.fault("GET", "/guilds/", status=status, body=body, times=None)
    assert sentence in await setup.fault()


async def test_a_thread_has_the_rights_of_its_channel(setup: CheckedSetup) -> None:
    thread = add_thread(setup.channel, "panics", setup.guild.owner.user)
    called: dict[str, Any] = {"channels": Channels(panic=thread.id), "panic_role": setup.role.id}
    lines = await setup.check_lines(setup.settings(**called))
    assert "ok    channel panic is #panics, and the bot may post there" in lines
    setup.channel.deny(Permission.MENTION_EVERYONE)
    assert "cannot mention panic_role (Approver) in #calls" in await setup.fault(**called)


async def test_silent_discord_does_not_hold_up_the_check(
    setup: CheckedSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_discord, "TIMEOUT", 0.05)
    setup.fake.fault("GET", "/channels/", delay=3600, times=None)
    assert "has not answered everything within 0.05 seconds" in await setup.fault()


async def test_no_configured_channel_is_a_fault(setup: CheckedSetup) -> None:
    assert "no channel is configured" in await setup.fault(channels=Channels())


def _deleted(setup: CheckedSetup) -> None:
    setup.channel.delete()


def _hidden(setup: CheckedSetup) -> None:
    setup.channel.forbidden = True


def _muted(setup: CheckedSetup) -> None:
    setup.channel.muted = True


def _without_files(setup: CheckedSetup) -> None:
    setup.channel.deny("attach_files")


def _without_embeds(setup: CheckedSetup) -> None:
    setup.channel.deny("embed_links read_message_history")


def _left(setup: CheckedSetup) -> None:
    setup.fake.kick(setup.guild)


def _a_category(setup: CheckedSetup) -> None:
    setup.channel.type = 4


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_deleted, "does not exist"),
        (_hidden, "is hidden from the bot"),
        (_left, "is hidden from the bot"),
        (_a_category, "is not a text channel"),
        (_muted, "the bot lacks Send Messages"),
        (_without_files, "the bot lacks Attach Files"),
        (_without_embeds, "the bot lacks Embed Links, Read Message History"),
    ],
)
async def test_unusable_channel_is_a_fault(
    setup: CheckedSetup, spoil: Callable[[CheckedSetup], None], sentence: str
) -> None:
    spoil(setup)
    fault = await setup.fault()
    assert fault.startswith("FAULT channel emergency (")
    assert sentence in fault


async def test_a_rule_that_cannot_open_its_threads_is_a_fault(setup: CheckedSetup) -> None:
    rules = [RuleSettings(name="fires", types=["EVENT_911"], thread=True)]
    others = [RuleSettings(name="panics", types=["EVENT_UNIT_PANIC"], thread=True)]
    setup.channel.deny("create_public_threads send_messages_in_threads")
    fault = await setup.fault(rules=[*others, *rules])
    lacks = "the bot lacks Create Public Threads, Send Messages in Threads"
    assert f"rule fires cannot open threads in #calls: {lacks}" in fault


@pytest.mark.parametrize("name", ["viewer", "dispatcher", "approver", "admin"])
async def test_unknown_role_is_a_fault(setup: CheckedSetup, name: str) -> None:
    fault = await setup.fault(roles=Roles(**{name: [setup.channel.id]}))
    assert f"role {name} ({setup.channel.id}) does not exist" in fault


async def test_unknown_supervisor_role_is_a_fault(setup: CheckedSetup) -> None:
    alarms = AlarmSettings(supervisor=[5])
    lines = await setup.check_lines(setup.settings().model_copy(update={"alarms": alarms}))
    assert any("role supervisor (5) does not exist" in line for line in lines)


@pytest.mark.parametrize("name", ["panic_role", "emergency_role", "alarm_role"])
async def test_unknown_called_role_is_a_fault(setup: CheckedSetup, name: str) -> None:
    assert f"{name} (5) does not exist" in await setup.fault(**{name: 5})


async def test_channels_in_another_guild_are_a_fault(setup: CheckedSetup) -> None:
    assert "but guild_id is 5" in await setup.fault(guild_id=5)


async def test_choices_of_setup_are_checked_instead_of_the_file(
    setup: CheckedSetup,
) -> None:
    gone = setup.channel.id + 1
    async with Database.open(setup.folder / "sentinel.db") as database:
        context = Context(database, Bus(), LOCAL, ZoneInfo("UTC"))
        await store_choices(context, layout_of(setup.settings()), {"channels.emergency": (gone,)})
    lines = await setup.check_lines()
    assert any(f"FAULT channel emergency ({gone}) does not exist" in line for line in lines)
    assert [line for line in lines if "/setup" in line and line.startswith("note")] == [
        "note  1 thing is from /setup, which wins over the file's channels.emergency; it shows"
        " them, and undoes them with Reset to the file (or cad-sentinel forget-setup)"
    ]


async def test_role_whose_mention_reaches_nobody_in_its_channel_is_a_fault(
    setup: CheckedSetup,
) -> None:
    role, rights = setup.role, Permission.MENTION_EVERYONE
    rule = RuleSettings(name="fire", keywords=["fire"], channel=setup.channel.id, mention=role.id)
    called: dict[str, Any] = {"panic_role": role.id, "rules": [rule]}

    async def silent() -> list[str]:
        lines = await setup.check_lines(setup.settings(**called))
        return [line.split(" (")[0] for line in lines if "the bot cannot mention" in line]

    both = [f"FAULT the bot cannot mention {what}" for what in ("panic_role", "rules.fire")]
    assert await silent() == []
    setup.channel.deny(rights)
    assert await silent() == both
    setup.guild.bot_role.permissions = EVERYONE
    setup.channel.overwrites = {setup.guild.bot_role.id: Overwrite(allow=int(rights))}
    assert await silent() == []
    setup.channel.overwrites = {}
    assert await silent() == both
    role.mentionable = True
    assert await silent() == []


async def test_roles_of_escalations_are_checked_where_alarms_are_posted(
    setup: CheckedSetup,
) -> None:
    setup.channel.deny(Permission.MENTION_EVERYONE)
    of_alarms = setup.settings(
        channels=Channels(alerts=setup.channel.id), roles=Roles(dispatcher=[setup.role.id])
    ).model_copy(update={"alarms": AlarmSettings(supervisor=[setup.role.id])})
    lines = await setup.check_lines(of_alarms)
    silent = [line.split()[5] for line in lines if "the bot cannot mention" in line]
    assert silent == ["roles.dispatcher", "alarms.supervisor"]


async def test_everyone_as_the_panic_role_is_a_fault(setup: CheckedSetup) -> None:
    fault = await setup.fault(panic_role=setup.guild.id)
    assert "cannot mention panic_role (@everyone)" in fault
    assert "choose another role" in fault


async def test_commands_changed_by_another_program_are_reported(setup: CheckedSetup) -> None:
    async with Database.open(setup.folder / "sentinel.db") as database:
        await store_commands(database, setup.guild.id, "digest", {"drone": 1, "property": 2})
    setup.fake.commands.append(Command({"name": "play", "description": "x"}, None))
    fault = await setup.fault()
    assert "are not those that the bot registered: /drone, /property" in fault
    assert "cad-sentinel register" in fault
    lines = await setup.check_lines()
    assert any("another program or version, which do not work: /play;" in one for one in lines)


async def test_a_wrong_clock_is_a_fault(
    setup: CheckedSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "ok    the clock is right by Discord's" in await setup.check_lines()
    set_clock(monkeypatch, 7200.0)
    assert "the clock of this machine is 7200 s fast" in await setup.fault()


async def test_missing_permission_to_register_commands_is_a_fault(setup: CheckedSetup) -> None:
    setup.fake.fault("GET", r"/commands$", status=403, body={"code": 50001, "message": "no"})
    assert "may not register commands" in await setup.fault()


async def test_a_role_that_cannot_see_its_channel_is_a_fault(setup: CheckedSetup) -> None:
    setup.channel.hide_from(setup.role)
    fault = await setup.fault()
    assert fault.startswith("FAULT The role Approver cannot see #calls")
    assert "press “Let these roles see the channels” in /setup" in fault
    setup.channel.overwrites.clear()
    called = setup.guild.add_role("Fire", mentionable=True)
    setup.channel.hide_from(called)
    fault = await setup.fault(emergency_role=called.id)
    assert "The role Fire is called in channels that it cannot see: #calls" in fault


async def test_several_servers_are_a_fault_until_one_is_known_to_be_ours(
    setup: CheckedSetup,
) -> None:
    other = setup.fake.add_guild("Test")
    numbers = f"{setup.guild.id} (Los Santos) or {other.id} (Test)"
    cure = f"The bot is in 2 servers: Los Santos, Test. Put guild_id = {numbers} into config.toml"
    lines = await setup.check_lines(setup.settings(guild_id=0, channels=Channels()))
    fault = "FAULT the bot is in several servers, and nothing says which one is its own\n"
    assert any(line.startswith(fault) and cure in line for line in lines)
    lines = await setup.check_lines(setup.settings(guild_id=0))
    assert any(line.startswith("note  ") and cure in line for line in lines)
    lines = await setup.check_lines()
    assert "2 servers" not in "\n".join(lines)


async def test_missing_approver_role_is_noted(setup: CheckedSetup) -> None:
    lines = await setup.check_lines(setup.settings(roles=Roles()))
    assert "note  no approver role: only people who manage the server can approve" in lines


async def test_missing_token_is_noted_and_discord_is_not_asked(setup: CheckedSetup) -> None:
    lines = await setup.check_lines(setup.settings(token=""))
    assert any(line.startswith("note  Discord is off") for line in lines)
    assert setup.fake.requests == []


async def test_generated_secrets_and_open_access_are_noted(setup: CheckedSetup) -> None:
    bare = setup.settings().model_copy(
        update={"cad": CadSettings(), "websocket": WebsocketSettings()}
    )
    lines = await setup.check_lines(bare)
    assert (
        "note  no CAD key is configured: write your CAD's API key into [cad] keys, or what it"
        " pushes is refused"
    ) in lines
    assert any("only programs on this machine may connect" in line for line in lines)


async def test_secrets_readable_by_others_are_noted(setup: CheckedSetup) -> None:
    config, key = setup.folder / "config.toml", setup.folder / "cad-key.txt"
    async with Database.open(setup.folder / "sentinel.db"):
        pass
    for path, mode in ((config, 0o644), (key, 0o600), (setup.folder, 0o777)):
        path.touch()
        path.chmod(mode)
    lines = await setup.check_lines(config=config)
    noted = [line for line in lines if "other users" in line]
    folder = setup.folder
    assert noted == [
        f"note  {config} can be read by other users of this machine: chmod 600 {config}",
        f"note  files in {folder} can be replaced by other users: chmod go-w {folder}",
    ]


def _with_map(setup: CheckedSetup, right: int = 200, down: int = 100) -> Settings:
    file = setup.folder / "map.png"
    Image.new("RGB", (200, 100)).save(file)
    points = [[0.0, 0.0, -100.0, 200.0], [right, down, 100.0, 100.0]]
    return setup.settings().model_copy(update={"map": MapSettings(image=str(file), points=points)})


async def test_check_reports_what_the_map_image_covers(setup: CheckedSetup) -> None:
    lines = await setup.check_lines(_with_map(setup))
    reaches = "it reaches from x -100 to 100 and from y 100 to 200"
    assert f"ok    the map image is 200 × 100 pixels; {reaches}" in lines
    assert not any("wrong" in line for line in lines if line.startswith("note"))


async def test_stretched_map_is_noted(setup: CheckedSetup) -> None:
    lines = await setup.check_lines(_with_map(setup, right=50))
    assert any("a pixel of the map image is 4.00 m wide and 1.00 m high" in line for line in lines)


def _cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:60])


async def test_damaged_map_image_is_a_fault(setup: CheckedSetup) -> None:
    settings = _with_map(setup)
    _cut_short(Path(settings.map.image))
    lines = await setup.check_lines(settings)
    assert any("is damaged" in line and "save it once more" in line for line in lines)


@pytest.mark.parametrize(
    "sample",
    [
        "YOUR-API-KEY",
        "your_api_key_here",
        "API-KEY-HERE",
        "<your key>",
        "changeme",
        "My-Secret-Key-1234",
    ],
)
async def test_key_of_an_example_is_a_fault(setup: CheckedSetup, sample: str) -> None:
    settings = setup.settings().model_copy(
        update={"cad": CadSettings(keys=[NamedKey(name="county", key=sample)])}
    )
    lines = await setup.check_lines(settings)
    assert sum("the CAD key county is the placeholder" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("paths", "is_fault"),
    [(("", ""), True), (("a", "A"), True), (("", "county"), False), (("city", "county"), False)],
)
async def test_equal_keys_need_paths(
    setup: CheckedSetup, paths: tuple[str, str], is_fault: bool
) -> None:
    keys = [
        NamedKey(name=name, key=key, path=path)
        for name, key, path in zip(("city", "county"), (KEY, KEY.upper()), paths, strict=True)
    ]
    settings = setup.settings().model_copy(update={"cad": CadSettings(keys=keys)})
    lines = await setup.check_lines(settings)
    assert any("city, county have the same key" in line for line in lines) is is_fault


async def test_two_keys_of_one_cad_are_not_a_fault(setup: CheckedSetup) -> None:
    keys = [NamedKey(name="city", key=KEY), NamedKey(name="city", key=KEY)]
    settings = setup.settings().model_copy(update={"cad": CadSettings(keys=keys)})
    assert (await setup.check_lines(settings))[-1] == "nothing is wrong"


async def test_token_of_the_readme_is_a_fault(setup: CheckedSetup) -> None:
    clients = [ClientSettings(name="game", token="at-least-16-characters")]
    settings = setup.settings().model_copy(update={"websocket": WebsocketSettings(clients=clients)})
    lines = await setup.check_lines(settings)
    assert sum("the token of game is the placeholder" in line for line in lines) == 1


async def test_equal_tokens_are_a_fault(setup: CheckedSetup) -> None:
    clients = [ClientSettings(name=name, token=TOKEN) for name in ("a", "b")]
    settings = setup.settings().model_copy(update={"websocket": WebsocketSettings(clients=clients)})
    lines = await setup.check_lines(settings)
    assert any("the clients a and b have the same token" in line for line in lines)


async def test_faults_name_the_line_or_the_variable_of_their_setting(
    setup: CheckedSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = setup.folder / "config.toml"
    file.write_text('[http]\nhost = "192.0.2.1"\n[discord.channels]\nemergency = 5\n')
    settings = setup.settings(
        channels=Channels(emergency=5), emergency_role=6, roles=Roles(viewer=[7])
    )
    settings = settings.model_copy(update={"http": HttpSettings(host="192.0.2.1")})
    monkeypatch.setenv("SENTINEL_DATABASE__PATH", "x")
    setup.folder.joinpath("sentinel.db").mkdir()
    faults = [line.split("\n")[0] for line in await setup.check_lines(settings, file)]
    faults = [line for line in faults if line.startswith("FAULT")]
    assert len(faults) == 3
    assert faults[0].endswith(
        "it is a folder; name a file in [database] path (environment: SENTINEL_DATABASE__PATH)"
    )
    assert "this machine cannot listen on [http] host = '192.0.2.1': " in faults[1]
    assert faults[1].endswith(f"({file}, line 2)")
    assert faults[2] == f"FAULT channel emergency (5) does not exist ({file}, line 4)"


async def test_folders_that_the_bot_cannot_write_to_are_faults(setup: CheckedSetup) -> None:
    (setup.folder / "file").touch()
    settings = setup.settings().model_copy(
        update={
            "database": DatabaseSettings(
                path=setup.folder / "file" / "data" / "sentinel.db",
                backup_folder=setup.folder / "file",
            ),
            "log": LogSettings(file=setup.folder),
        }
    )
    lines = await setup.check_lines(settings)
    assert sum(f"{setup.folder / 'file'} is a file, not a folder" in line for line in lines) == 2
    assert f"FAULT {setup.folder} is a folder\n      name a file" in lines


async def test_unreadable_secret_is_a_fault(setup: CheckedSetup) -> None:
    (setup.folder / CAD_KEY_FILE).write_bytes(b"\xff\xfe\x00")
    settings = setup.settings().model_copy(update={"cad": CadSettings()})
    lines = await setup.check_lines(settings)
    assert any("a generated secret cannot be read" in line for line in lines)


async def test_check_proves_the_key_of_the_cad(setup: CheckedSetup) -> None:
    async with FakeCad() as cad:

        async def lines(key: str, url: str = cad.url) -> list[str]:
            settings = setup.settings()
            given = {"keys": [NamedKey(key=KEY)], "api_key": key, "api_url": url}
            settings = settings.model_copy(update={"cad": CadSettings(**given)})
            found = await setup.check_lines(settings)
            assert not any(cad.key in line for line in found)
            return found

        good = await lines(cad.key)
        assert "ok    the CAD cad takes its API key" in good
        assert "note  [cad] api_key is now called key in [cad.api]; move it there" in good
        assert cad.asked("version") == [{}]
        assert any("refuses its API key (401)" in line for line in await lines("ANOTHER-KEY"))
        away = "http://127.0.0.1:1"
        assert any("cannot be asked" in line for line in await lines(cad.key, away))
        async with Database.open(setup.settings().database.path) as database:
            for name in ("cad", "removed"):
                async with Context(database, Bus(), LOCAL, ZoneInfo("UTC")).change() as change:
                    await ask_cad(change, name, "close", {"callIds": [5]})
        waiting = [line for line in await lines("") if "wait" in line]
        assert any("wait for the CAD cad: 1; there is no API key" in line for line in waiting)
        assert any("removed, for which 1 requests wait" in line for line in waiting)
        assert not any("requests" in line for line in await lines(cad.key) if "CAD cad" in line)
        assert cad.faults == []
