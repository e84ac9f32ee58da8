"""What is searched is folded as the community's language writes capitals, also in old rows."""

import pytest

from db.folding import refold
from db.search import fold_case, set_search_language
from tests.webhook.harness import AppHarness


async def locations(harness: AppHarness, search: str) -> list[str]:
    found = await harness.ask("get-properties", search=search)
    return [each["location"] for each in found["properties"]]


@pytest.mark.parametrize(
    "typed", ["istanbul", "İSTANBUL", "İstanbul", "ISTANBUL", "i\u0307stanbul"]
)
async def test_dotted_capital_i_is_an_i(harness: AppHarness, typed: str) -> None:
    await harness.add_property(location="İstanbul Caddesi 5")
    assert await locations(harness, typed) == ["İstanbul Caddesi 5"]


async def test_dotless_i_is_another_letter_in_other_languages(harness: AppHarness) -> None:
    await harness.add_property(location="Işık Sokak 7")
    assert await locations(harness, "ISIK") == []
    assert await locations(harness, "ışık") == []


@pytest.mark.parametrize("typed", ["IŞIK SOKAK", "ışık sokak", "Işık", "işik"])
async def test_turkish_capitals_are_found(harness: AppHarness, typed: str) -> None:
    set_search_language("tr")
    await harness.add_property(location="Işık Sokak 7")
    assert await locations(harness, typed) == ["Işık Sokak 7"]
    await harness.ask("add-user", userId="license:a", fullName="Ilgın FIRAT")
    users = await harness.ask("get-users", search="ılgın fırat")
    assert [user["id"] for user in users["users"]] == ["license:a"]


async def test_rows_are_folded_anew_when_the_language_changes(harness: AppHarness) -> None:
    number = await harness.add_property(location="Işık Sokak 7")
    await harness.ask("add-equipment", propertyId=number, equipmentType=1, description="kapı")
    await harness.ask("add-user", userId="license:a", fullName="Ilgın FIRAT")
    set_search_language("tr")
    assert await locations(harness, "ışık") == []
    for _ in range(2):
        async with harness.database.write() as sql:
            await refold(sql)
    assert await locations(harness, "ışık") == ["Işık Sokak 7"]
    assert (await harness.ask("get-users", search="ilgin"))["users"] != []
    found = await harness.database.read.one(str, "SELECT searched FROM equipment")
    assert found == fold_case("KAPI")
