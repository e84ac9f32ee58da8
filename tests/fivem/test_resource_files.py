"""The files of the resource: pure Lua 5.4, safe, and with all of their texts."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from lupa import lua54

from tests.fivem.conftest import RESOURCE

FILES = sorted(RESOURCE.rglob("*.lua"))
LOCALES = sorted((RESOURCE / "locales").glob("*.json"))
TEXT = re.compile(r"\b(?:Text|Say)\(\s*'(\w+)'")
PLACEHOLDER = re.compile(r"%[sd]")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(RESOURCE)))
def test_each_file_is_pure_lua(file: Path) -> None:
    compiled = lua54.LuaRuntime().eval("load")(file.read_text("utf-8"), "@" + file.name, "t")
    assert lua54.lua_type(compiled) == "function", compiled[1]


def test_each_file_is_in_the_manifest() -> None:
    manifest = (RESOURCE / "fxmanifest.lua").read_text()
    patterns = re.findall(r"'([\w/*.]+\.lua)'", manifest)
    loaded = {file for pattern in patterns for file in RESOURCE.glob(pattern)}
    assert loaded == set(FILES) - {RESOURCE / "fxmanifest.lua"}


def test_version_is_that_of_the_bot() -> None:
    project = tomllib.loads((RESOURCE.parents[1] / "pyproject.toml").read_text())["project"]
    manifest = (RESOURCE / "fxmanifest.lua").read_text()
    assert f"version '{project['version']}'\n" in manifest


def test_players_reach_nothing_but_adapters() -> None:
    found = [file for file in FILES if re.search(r"Register(Net|Server)Event", file.read_text())]
    assert {file.relative_to(RESOURCE).parts[0] for file in found} <= {"adapters"}
    manifest = (RESOURCE / "fxmanifest.lua").read_text()
    assert "server_only 'yes'" in manifest
    assert not re.search(r"client_script|shared_script|ui_page|\bfiles?\b", manifest)


def test_secrets_are_not_given_to_players() -> None:
    for file in RESOURCE.rglob("*"):
        if file.is_file():
            assert not re.search(r"setr\s+cad_sentinel|SetConvarReplicated", file.read_text())


def test_no_loop_waits_for_each_frame() -> None:
    for file in FILES:
        assert not re.search(r"\bWait\(|CreateThread", file.read_text()), file


def test_texts_are_complete_in_each_language() -> None:
    texts = {file.stem: json.loads(file.read_text()) for file in LOCALES}
    used = {name for file in FILES for name in TEXT.findall(file.read_text())}
    used |= {"up", "down", "way_event", "way_http"}  # named by a variable
    used |= {"cad_bot", "cad_nobody", "cad_script", "cad_sonoran"}
    for language, of_language in texts.items():
        assert set(of_language) == used, language
        for name, text in of_language.items():
            assert PLACEHOLDER.findall(text) == PLACEHOLDER.findall(texts["en"][name]), name
            assert "%" not in PLACEHOLDER.sub("", text), name
