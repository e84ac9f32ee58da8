"""Secrets that the program makes for itself."""

import os
import stat
from pathlib import Path

import pytest

from bot.secrets import CAD_KEY_FILE, UnreadableSecret, cad_key, client_token
from bot.settings import CadSettings, ClientSettings, DatabaseSettings, NamedKey, Settings
from bot.settings import WebsocketSettings as Websocket


def settings(folder: Path) -> Settings:
    """A configuration without secrets."""
    return Settings(database=DatabaseSettings(path=folder / "data" / "sentinel.db"))


def test_secret_is_generated_once(tmp_path: Path) -> None:
    first = cad_key(settings(tmp_path))
    assert first.is_new
    assert first.file is not None
    assert len(first.value) == 40
    again = cad_key(settings(tmp_path))
    assert again == first._replace(is_new=False)
    assert client_token(settings(tmp_path)).value != first.value


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such bits")
def test_only_the_owner_can_read_a_secret(tmp_path: Path) -> None:
    for secret in (cad_key(settings(tmp_path)), client_token(settings(tmp_path))):
        assert secret.file is not None
        assert stat.S_IMODE(secret.file.stat().st_mode) == 0o600
        assert stat.S_IMODE(secret.file.parent.stat().st_mode) == 0o700


def test_secret_is_generated_into_an_empty_file(tmp_path: Path) -> None:
    made = cad_key(settings(tmp_path))
    assert made.file is not None
    made.file.write_text("\n")
    assert cad_key(settings(tmp_path)).is_new


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such bits")
@pytest.mark.parametrize("text", ["", "a-secret-that-was-there\n"])
def test_readable_secret_is_closed_to_others(tmp_path: Path, text: str) -> None:
    file = tmp_path / "data" / CAD_KEY_FILE
    file.parent.mkdir(mode=0o777)
    file.write_text(text)
    file.chmod(0o666)
    assert cad_key(settings(tmp_path)).is_new is not bool(text)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_configured_secrets_are_used_and_none_generated(tmp_path: Path) -> None:
    clients = [
        ClientSettings(name="a", token="a" * 16, scope="read"),
        ClientSettings(name="b", token="b" * 16, scope="admin"),
    ]
    configured = settings(tmp_path).model_copy(
        update={
            "cad": CadSettings(keys=[NamedKey(key="CONFIGURED")]),
            "websocket": Websocket(clients=clients),
        }
    )
    assert cad_key(configured).value == "CONFIGURED"
    assert client_token(configured).value == "b" * 16
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "written",
    [
        b"\xef\xbb\xbfTHE-SECRET-KEY\r\n",
        b"  THE-SECRET-KEY \n\n",
        b'"THE-SECRET-KEY"\n',
        b"\xef\xbb\xbf'THE-SECRET-KEY'",
        "THE-SECRET-KEY\r\n".encode("utf-16"),
    ],
)
def test_secret_is_read_as_editors_save_it(tmp_path: Path, written: bytes) -> None:
    file = tmp_path / "data" / CAD_KEY_FILE
    file.parent.mkdir()
    file.write_bytes(written)
    assert cad_key(settings(tmp_path)).value == "THE-SECRET-KEY"


@pytest.mark.parametrize("written", [b"\xff\x00\xd8", b"two\nlines", "schlüssel".encode()])
def test_unreadable_secret_names_its_file(tmp_path: Path, written: bytes) -> None:
    file = tmp_path / "data" / CAD_KEY_FILE
    file.parent.mkdir()
    file.write_bytes(written)
    with pytest.raises(UnreadableSecret, match=CAD_KEY_FILE):
        cad_key(settings(tmp_path))
    assert file.read_bytes() == written
