"""The configuration: defaults, file, environment, and one readable line per fault."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel

from bot.settings import Settings
from bot.settings.config import ConfigError, load
from tests.cogs.hostile_texts import invisible

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("SENTINEL_")]:
        monkeypatch.delenv(variable)


def written(text: str) -> Path:
    """A configuration file with this text."""
    path = Path("config.toml")
    path.write_text(text, "utf-8")
    return path


def faults(text: str) -> list[str]:
    """The faults of a configuration."""
    path = written(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert all("\n" not in fault for fault in caught.value.faults)
    return caught.value.faults


def test_everything_has_a_default() -> None:
    settings = load(None)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 30150)
    assert settings.discord.token == ""
    assert [tier.name for tier in settings.community.tiers] == ["Basic", "Premium", "Optimum"]


@pytest.mark.parametrize("name", ["config.toml.txt", "config.txt"])
def test_a_misnamed_file_is_a_fault(name: str) -> None:
    Path(name).write_text("[http]\nport = 4000\n", "utf-8")
    with pytest.raises(ConfigError, match=rf"{name}: rename it to config\.toml"):
        load(None)


def test_config_toml_with_byte_order_mark_is_read() -> None:
    Path("config.toml").write_bytes(b"\xef\xbb\xbf[http]\nport = 4000\n")
    assert load(None).http.port == 4000
    Path("config.toml").write_text("[http]\nport = 4001\n", "utf-16")  # PowerShell's `>`
    assert load(None).http.port == 4001


def test_environment_overrides_single_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_HTTP__PORT", "5000")
    monkeypatch.setenv("SENTINEL_DISCORD__CHANNELS__PANIC", "77")
    monkeypatch.setenv("SENTINEL_CAD__KEYS", '["KEY-FROM-ENV"]')
    path = written('[http]\nport = 4000\nhost = "0.0.0.0"\n[discord.channels]\ndispatch = 5\n')
    settings = load(path)
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 5000)  # noqa: S104
    assert (settings.discord.channels.panic, settings.discord.channels.dispatch) == (77, 5)
    assert [key.key for key in settings.cad.keys] == ["KEY-FROM-ENV"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[http]\nprot = 1", "config.toml, line 2: http.prot: no such key; did you mean port?"),
        ("[dicord]", "config.toml, line 1: dicord: no such key; did you mean discord?"),
        ('[http]\nport = "x"', "config.toml, line 2: http.port: must be a whole number"),
        ("[http]\nport = 70000", "config.toml, line 2: http.port: must be 65535 or less"),
        ('[community]\nlanguage = "tlh"', "choose en (English), de (Deutsch)"),
        ('[alarms]\npostals = "none.json"', "alarms.postals: cannot be read: No such file"),
        ('[alarms]\npostals = "config.toml"', "alarms.postals: no list of postal codes, each with"),
        ('[community]\ntimezone = "Mars"', "not a time zone; write one like 'Europe/Berlin'"),
        ('[community]\ntimezone = "berlin"', "not a time zone; did you mean Europe/Berlin?"),
        ('[community]\ndaily_at = "24:00"', "is not a time of day; write one like '06:00'"),
        (
            '[cad]\nkeys = ["short"]',
            "config.toml, line 2: cad.keys.0.key: must have at least 8 characters",
        ),
        ('[discord.channels]\nemergency = "#911"', "channels.emergency: must be an id"),
        (
            '[[websocket.clients]]\nname = "a"\ntoken = "short"',
            "websocket.clients.0.token: must have at least 16 characters",
        ),
        ('[[websocket.clients]]\nname = "a"', "websocket.clients.0.token: is missing"),
        ('[http]\ncertificate = "a.pem"', "http: certificate and private_key belong together"),
        ('[http]\ntrusted_proxies = ["nginx"]', "http.trusted_proxies.0: must be an address, or"),
        ("[http]\nport = 030150", "text, also a time, in quotation marks"),
        ("http:\n  port: 1", "write key = value"),
        ('{ "http": 1 }', "each line is a [section], key = value"),
        ("[approvals]\nown = yes", "without: true, false"),
        ('"" = 1', "…: no such key"),
        ("http = 1", "line 1: http: write [http] on a line of its own, and its keys below it"),
        ("[[http]]\nport = 1", "line 1: http: write [http], with one bracket"),
        ('[log]\nlevel = "warn"', "log.level: must be 'debug', 'info', 'warning' or 'error'"),
        ('[cad.statuses]\nunits = ["a"]', "cad.statuses.units: must be keys and values in braces"),
        ("[map]\npoints = [1]", "map.points.0: must be a list of its own, with brackets"),
        ('[cad.api]\nserver = "one"', "line 2: cad.api.server: must be a whole number"),
        ("[cad.api]\nserver = { cad = 0 }", "line 2: cad.api.server.cad: must be 1 or more"),
        ('[database]\npath = ""', "database.path: must name a file"),
        ("[discord.channels]\nlog = 1.5e17", "discord.channels.log: must be an id"),
        ("[discord.channels]\nlog = [1]", "discord.channels.log: must be an id"),
        ('[discord]\nproxy = "http://127.0.0.1:99999"', "discord.proxy: write it like http://"),
        ('[discord]\napi_url = "discord"', "discord.api_url: write it like https://"),
        ('[http]\ntrusted_proxies = ["0.0.0.0/0"]', "this trusts everybody; name the address"),
        ("[http", "config.toml: not TOML: "),
        ("[http]\n[cad]\n[http]", "twice (at line 3, column 6); this section is there already"),
        ("[http]\nport = 1\nport = 2", "; this key is there already"),
        ("[cad]\nkeys = [“S3CRET-KEY”]", "column 9); the key is keys; text stands in straight"),
        ('[map]\nimage = "C:\\maps\\a.png"', "; write / instead of"),
        ('[cad]\nkeys = "S3CRET-KEY"', "cad.keys: must be a list: keys = [ … ], with brackets"),
        ('[websocket.clients]\nname = "a"', "write [[websocket.clients]], with two brackets"),
        (
            '[[community.tiers]]\nid = 1\nname = "a"\nprice = "1"\n'
            '[[community.tiers]]\nid = 1\nname = "b"\nprice = "1"',
            "community.tiers: an id occurs twice",
        ),
        (
            "[alarms]\ncall_supervisor_after_minutes = 5",
            "alarms: call_supervisor_after_minutes must be more than call_after_minutes",
        ),
        (
            "[alarms]\nquiet_after_minutes = 10",
            "alarms: quiet_after_minutes must be more than call_after_minutes",
        ),
    ],
)
def test_fault_is_one_line_that_names_the_key(text: str, fault: str) -> None:
    (told,) = faults(text)
    assert fault in told


def test_rule_may_name_events_of_the_log_channel() -> None:
    rule = '[[discord.rules]]\nname = "x"\nmention = 1\ntypes = ["sentinel.cad-silent"]'
    assert load(written(rule)).discord.rules[0].types == ["sentinel.cad-silent"]


def test_rule_may_name_a_push_type_that_nobody_knows() -> None:
    rule = '[[discord.rules]]\nname = "r"\nchannel = 5\ntypes = ["%s"]'
    (found,) = load(written(rule % "events.cad.EVENT_WEATHER_CHANGED")).discord.rules
    assert found.types == ["EVENT_WEATHER_CHANGED"]
    for slip in ("cad.EVENT_UNIT_PANICS", "EVENT_WEATHER_CHANGED", "cad.weather"):
        (fault,) = faults(rule % slip)
        assert "not an event" in fault


def test_disabled_escalation_needs_no_time() -> None:
    load(written("[alarms]\ncall_supervisor_after_minutes = 0\nquiet_after_minutes = 6"))
    load(written("[alarms]\ncall_after_minutes = 0\ncall_supervisor_after_minutes = 3"))


def test_all_faults_are_reported_at_once() -> None:
    assert len(faults('[http]\nport = "x"\nprot = 1\n[discord]\ntoken = 1')) == 3


def test_fault_does_not_repeat_a_secret() -> None:
    told = faults('[cad]\nkeys = [{ name = "c", key = "S3CRET" }]\n[discord]\ntoken = ["S3CRET"]')
    assert "S3CRET" not in "".join(told)


@pytest.mark.parametrize(
    "text",
    [
        '[cad]\nkeys = [{ "S3CRET-1" = "cad" }]',
        '[cad]\n"S3CRET-1" = 1',
        '[cad]\n"S3CRET-1" = 1\n"S3CRET-1" = 2',
        '["S3CRET-1"]\n["S3CRET-1"]',
        "[cad]\nkeys = [S3CRET-1]",
        '[community]\ntimezone = "S3CRET-1"',
        '[log]\nlevel = "S3CRET-1"',
        '[[discord.rules]]\nname = "S3CRET-1"',
        '[[discord.rules]]\nname = "a"\ntypes = ["S3CRET-1"]\nquiet = "S3CRET-1"',
        '[discord]\ntoken = "S3CRET-1\\n2"',
    ],
)
def test_fault_does_not_repeat_a_misplaced_value(text: str) -> None:
    assert "S3CRET-1" not in "".join(faults(text))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = " + "9" * 5_000, "a number is too long, or brackets are too deep"),
        ("x = " + "[" * 5_000, "a number is too long, or brackets are too deep"),
        ('[database]\npath = "C:\\temp\\u0000"', "a path cannot contain control characters"),
        ('[discord]\ntoken = "a\\nb"', "a token cannot contain line breaks"),
        ('[cad]\n"a\\nb" = 1', "cad.…: no such key"),
    ],
)
def test_invalid_toml_is_a_fault_of_one_line(text: str, fault: str) -> None:
    (told,) = faults(text)
    assert fault in told


@pytest.mark.parametrize("name", ["CAD__KEYS", "DISCORD__ROLES"])
def test_deep_json_in_the_environment_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"SENTINEL_{name}", "[" * 100_000)
    with pytest.raises(ConfigError):
        load(None)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_settings_or_faults_of_one_line(raw: bytes) -> None:
    Path("any.toml").write_bytes(raw)
    try:
        load(Path("any.toml"))
    except ConfigError as problem:
        told = problem.faults
    else:
        return
    assert told
    assert not any(invisible(fault) or "\n" in fault for fault in told)


def test_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read"):
        load(Path("missing.toml"))
    Path("latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(Path("latin.toml"))


def test_empty_variable_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_HTTP__PORT", "")
    monkeypatch.setenv("SENTINEL_CAD__KEYS", "")
    settings = load(written('[http]\nport = 4000\n[cad]\nkeys = ["KEY-FROM-FILE"]\n'))
    assert (settings.http.port, settings.cad.keys[0].key) == (4000, "KEY-FROM-FILE")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("\ufeffSENTINEL_DISCORD__TOKEN", "the-token"),
        ("SENTINEL_DISCORD__TOKEN", '"the-token"'),
        ("SENTINEL_DISCORD__TOKEN", " 'the-token' \r"),
        ("SENTINEL_DISCORD__TOKEN", "\ufeffthe-token\n"),
    ],
)
def test_marks_of_environment_files_are_ignored(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("SENTINEL_HTTP__PORT", '"5000"\r')
    monkeypatch.setenv("SENTINEL_CAD__KEYS", """'["KEY-FROM-ENV"]'""")
    settings = load(None)
    assert settings.discord.token == "the-token"
    assert settings.http.port == 5000
    assert [key.key for key in settings.cad.keys] == ["KEY-FROM-ENV"]


@pytest.mark.parametrize(
    "host",
    ["http://0.0.0.0", "https://cad.example/", "0.0.0.0:30150", "[::1]", "cad.example/x", ""],
)
def test_host_is_a_name_or_an_address_alone(host: str) -> None:
    (fault,) = faults(f'[http]\nhost = "{host}"\n')
    assert fault.startswith("config.toml, line 2: http.host: ")


def test_variable_of_an_unknown_section_is_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SENTINEL_HTPP__PORT", "1")
    with pytest.raises(ConfigError, match="SENTINEL_HTPP__PORT: no such section; did you mean"):
        load(None)
    monkeypatch.delenv("SENTINEL_HTPP__PORT")
    monkeypatch.setenv("SENTINEL_HTTP_PORT", "1")
    with pytest.raises(ConfigError, match="write two underscores: SENTINEL_HTTP__PORT"):
        load(None)


@pytest.mark.parametrize(
    "value",
    ["5E104432-A", '"5E104432-A"', "[5E104432-A]", '["5E104432-A"]', "'5E104432-A',"],
)
@pytest.mark.parametrize("ending", ["-A", ""])  # without, it could be a number, a very large one
def test_lists_in_the_environment_are_read_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, value: str, ending: str
) -> None:
    monkeypatch.setenv("SENTINEL_CAD__KEYS", value.replace("-A", ending))
    assert [key.key for key in load(None).cad.keys] == [f"5E104432{ending}"]


def test_roles_in_the_environment_are_ids_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_DISCORD__ROLES__VIEWER", "123, <@&456>")
    monkeypatch.setenv("SENTINEL_DISCORD__ROLES__ADMIN", "789")
    monkeypatch.setenv("SENTINEL_DISCORD__ROLES__APPROVER", "1 2;3")
    monkeypatch.setenv("SENTINEL_HTTP__TRUSTED_PROXIES", "10.0.0.1, 10.0.0.2")
    settings = load(None)
    assert settings.discord.roles.viewer == [123, 456]
    assert settings.discord.roles.admin == [789]
    assert settings.discord.roles.approver == [1, 2, 3]
    assert len(settings.http.trusted_proxies) == 2


def test_fault_of_a_variable_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config.toml").write_text('[cad]\nkeys = ["A-GOOD-KEY"]\n')
    monkeypatch.setenv("SENTINEL_CAD__KEYS", "short")
    monkeypatch.setenv("SENTINEL_DISCORD__GUILD_ID", "the server")
    monkeypatch.setenv("sentinel_http__port", "x")
    with pytest.raises(ConfigError) as error:
        load(None)
    assert [fault.split(": ")[:3] for fault in sorted(error.value.faults)] == [
        ["environment", "SENTINEL_CAD__KEYS", "cad.keys.0.key"],
        ["environment", "SENTINEL_DISCORD__GUILD_ID", "discord.guild_id"],
        ["environment", "SENTINEL_HTTP__PORT", "http.port"],
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("CAD", "must be JSON"),
        ("CAD__STATUSES__UNITS", "must be JSON"),
        ("WEBSOCKET__CLIENTS", "websocket.clients.0: must be JSON"),
        ("WEBSOCKET__CLIENTS__0__TOKEN", "websocket.clients: must be a list"),
        ("HTTP__PORT__X", "http.port: must be a whole number"),
    ],
)
def test_variable_that_is_no_json_or_goes_too_deep_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    monkeypatch.setenv(f"SENTINEL_{name}", "abc")
    with pytest.raises(ConfigError, match=f"environment: SENTINEL_{name}: {fault}"):
        load(None)


@pytest.mark.parametrize(
    "value",
    [
        "123456789012345678",
        '"123456789012345678"',
        '"<#123456789012345678>"',
        '" 123456789012345678 "',
        '"https://discord.com/channels/1/123456789012345678"',
        '"https://ptb.discord.com/channels/1/123456789012345678"',
        '"discord.com/channels/1/123456789012345678/987654321098765432"',
    ],
)
def test_ids_are_read_as_discord_lets_people_copy_them(value: str) -> None:
    settings = load(written(f"[discord.channels]\nemergency = {value}\n"))
    assert settings.discord.channels.emergency == 123456789012345678


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (r'"C:\Users\x.db"', "write / instead of"),
        (r'"D:\bots\x.db"', "write / instead of"),
        ("\u201ca.db\u201d", "straight quotation marks"),
        ('"a.db', "text ends with the quotation mark that it begins with"),
        ('["a.db" "b.db"]', "a comma stands between two items"),
        ('"a.db" "b.db"', "one key and its value stand on each line"),
    ],
)
def test_fault_in_toml_says_what_to_write(path: str, hint: str) -> None:
    (fault,) = faults(f"[database]\npath = {path}\n")
    assert "line 2" in fault
    assert "; the key is path; " in fault
    assert hint in fault


def test_fault_names_the_line_of_an_item_of_a_list() -> None:
    (fault,) = faults(
        """# rules
[[discord.rules]]
name = "a"
channel = 1

[[discord.rules]]
name = "b"
channel = "general"
"""
    )
    assert fault.startswith("config.toml, line 8: discord.rules.1.channel: must be an id")


def test_example_has_every_key_with_its_default() -> None:
    example = ROOT / "config.example.toml"
    assert load(example) == load(None)
    text = example.read_text("utf-8")
    for section, keys in _keys(Settings):
        for key in keys:
            assert f"\n{key} = " in text or f"\n# {key} = " in text, f"{section}: {key}"
    for section in tomllib.loads(text):
        assert section in Settings.model_fields


def test_example_loads_with_its_comments_uncommented() -> None:
    text = (ROOT / "config.example.toml").read_text("utf-8")
    settings = load(written(re.sub(r"(?m)^# (?=\[\[|[a-z_]+ = )", "", text)))
    assert [client.name for client in settings.websocket.clients] == ["property-script"]
    assert len(settings.discord.rules) == 1


def _keys(model: type[BaseModel], section: str = "") -> list[tuple[str, list[str]]]:
    """The keys of every section; sections within sections are listed on their own."""
    found: list[tuple[str, list[str]]] = []
    plain: list[str] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _keys(inner, f"{section}.{name}")
        elif "Settings]" not in str(inner) and "NamedKey]" not in str(inner):
            plain.append(name)
    return [*found, (section, plain)]


POINTS = "points = [[0, 0, -100, 200], [200, 100, 100, 0]]"


def test_map_needs_an_image_and_two_points() -> None:
    Image.new("RGB", (200, 100)).save("map.png")
    known = load(written(f'[map]\nimage = "map.png"\n{POINTS}\n')).map.backdrop()
    assert known is not None
    assert known.path == str(Path("map.png").resolve())
    assert load(written("")).map.backdrop() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'image = "nothing.png"\n{POINTS}', "the map image nothing.png: No such file"),
        (f'image = "config.toml"\n{POINTS}', "config.toml is not an image that can be read"),
        ('image = "map.png"', "the map image needs two points: points = [[px, py, x, y]"),
        ('image = "map.png"\npoints = [[1, 2, 3]]', "the map image needs two points"),
        (
            'image = "map.png"\npoints = [[nan, 0, 0, 0]]',
            "map.points.0.0: must be a number",
        ),
        (POINTS, "there are points, but no image"),
    ],
)
def test_unusable_map_is_a_fault(text: str, said: str) -> None:
    Image.new("RGB", (200, 100)).save("map.png")
    (fault,) = faults(f"[map]\n{text}\n")
    assert said in fault


def test_the_cad_is_asked_with_one_key_or_one_for_each() -> None:
    one = load(written('[cad.api]\nkey = "THE-KEY"\nserver = 3\n')).cad.accesses()
    assert {name: (each.key, each.server) for name, each in one.items()} == {"cad": ("THE-KEY", 3)}
    assert "THE-KEY" not in repr(one)
    named = 'keys = [{ name = "county", key = "KEY-ONE-1" }, { name = "city", key = "KEY-TWO-2" }]'
    api = '[cad.api]\nkey = { county = "KEY-ONE-1" }\nserver = { county = 1, city = 2 }\n'
    several = load(written(f"[cad]\n{named}\n{api}")).cad.accesses()
    assert {name: each.server for name, each in several.items()} == {"county": 1}
    (fault,) = faults(f'[cad]\n{named}\n[cad.api]\nkey = "THE-KEY"\n')
    assert "server = { county = 1, city = 2 }" in fault
    (fault,) = faults(f"[cad]\n{named}\n{api.replace('city', 'town')}")
    assert "town is no name in keys" in fault


@pytest.mark.parametrize("url", ["api.sonorancad.com", "http://api.sonorancad.com", "ftp://x", ""])
def test_the_api_key_is_sent_over_https_alone(url: str) -> None:
    (fault,) = faults(f'[cad.api]\nurl = "{url}"\n')
    assert "cad.api.url: " in fault


def test_earlier_names_of_the_api_are_still_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[cad]\napi_key = "THE-KEY"\nserver_id = 4\napi_url = "https://cad.example/"\n'
    cad = load(written(text)).cad
    assert cad.renamed == ("api_key", "server_id", "api_url")
    assert (cad.api.key, cad.api.server, cad.api.url) == ("THE-KEY", 4, "https://cad.example")
    monkeypatch.setenv("SENTINEL_CAD__API__KEY", "THE-NEW-KEY")
    assert load(written(text)).cad.api.key == "THE-NEW-KEY"
    monkeypatch.delenv("SENTINEL_CAD__API__KEY")
    monkeypatch.setenv("SENTINEL_CAD__API_KEY", "KEY-OF-THE-OLD-VARIABLE")
    assert load(None).cad.api.key == "KEY-OF-THE-OLD-VARIABLE"
