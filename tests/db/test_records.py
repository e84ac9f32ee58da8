"""What the tables promise beyond what the queries show: cards, feeds, community, search."""

import sqlite3

import pytest

from db import cards, community, equipment, feeds, flights, journal, properties, users
from db.cards import Card, StaleCard
from db.community import EquipmentType, Tier
from db.database import Database, Transaction
from db.feeds import FeedEntry
from db.search import fold_case

TIERS = [Tier(1, "Basic", "59.99"), Tier(2, "Premium", "99.99")]
TYPES = [EquipmentType(1, "Camera"), EquipmentType(3, "Drone")]


async def add_property(sql: Transaction, tier: int = 1) -> int:
    return await properties.add(
        sql,
        location="Forum Dr",
        tier=tier,
        x=1,
        y=2,
        width=3,
        height=4,
        description="a shop",
        owner="o",
        now=5,
    )


def _shown(card: Card) -> Card:
    return card._replace(digest="digest", channel_id=10, message_id=20)


async def test_a_card_is_stale_until_its_newest_state_is_shown(database: Database) -> None:
    async with database.write() as sql:
        await cards.mark_stale(sql, StaleCard("flight:1", "drones", 5))
        first = await cards.of_subject(sql, "flight:1")
        assert first is not None
        await cards.mark_stale(sql, StaleCard("flight:1", "drones", 6))
        await cards.mark_shown(sql, _shown(first))
        still = await cards.of_subject(sql, "flight:1")
        assert still is not None
        assert (still.shown, still.version) == (1, 2)
        assert (still.message_id, still.created_at) == (20, 5)
        await cards.mark_shown(sql, _shown(still))
        fresh = await cards.of_subject(sql, "flight:1")
    assert fresh is not None
    assert fresh.shown == fresh.version


async def test_a_lost_card_counts_its_postings(database: Database) -> None:
    async with database.write() as sql:
        await cards.mark_stale(sql, StaleCard("flight:1", "drones", 5))
        card = await cards.of_subject(sql, "flight:1")
        assert card is not None
        await cards.mark_posted(sql, card._replace(channel_id=10, message_id=20))
        await cards.mark_lost(sql, card)
        lost = await cards.of_subject(sql, "flight:1")
    assert lost is not None
    assert (lost.posting, lost.message_id, lost.digest) == (2, None, "")


async def test_a_feed_shows_an_entry_once_and_in_order(database: Database) -> None:
    async with database.write() as sql:
        numbers = [await journal.append(sql, 1, "visits", "[]", "{}") for _ in range(3)]
        for number in (*numbers[::-1], numbers[0]):
            await feeds.add(sql, FeedEntry(number, "visits"))
        waiting = await feeds.waiting(sql, ["visits"], 2)
        assert [entry.journal_id for entry in waiting] == numbers[:2]
        await feeds.put_into_batch(sql, waiting)
        assert {entry.batch for entry in await feeds.waiting(sql, ["visits"], 2)} == {numbers[0]}
        await feeds.mark_batch_shown(sql, numbers[0])
        assert [e.journal_id for e in await feeds.waiting(sql, ["visits"], 9)] == numbers[2:]


async def test_a_retired_tier_stays_for_the_property_that_has_it(database: Database) -> None:
    async with database.write() as sql:
        await community.replace(sql, TIERS, TYPES)
        number = await add_property(sql, tier=2)
        await community.replace(sql, [Tier(1, "Bronze", "1")], [])
        assert await community.tiers(sql) == [Tier(1, "Bronze", "1")]
        assert await community.equipment_types(sql) == []
        detail = await properties.detail(sql, number)
        assert detail is not None
        assert detail.tier_name == "Premium"
        await community.replace(sql, TIERS, TYPES)
        assert await community.tiers(sql) == TIERS


async def test_the_schema_lets_a_drone_be_out_only_once(database: Database) -> None:
    async with database.write() as sql:
        await community.replace(sql, TIERS, TYPES)
        place = await add_property(sql)
        await equipment.add(sql, place, equipment.DRONE, "Kestrel", 1)
        flight = await flights.open_any(sql, place, "me", 1)
    assert flight is not None
    with pytest.raises(sqlite3.IntegrityError):
        async with database.write() as sql:
            await sql.run(
                "INSERT INTO flights (drone_id, property_id, dispatched_at, dispatched_by)"
                " VALUES (?, ?, 1, 'me')",
                flight.drone_id,
                place,
            )


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("CAFÉ", "café"),
        ("Cafe\u0301", "CAFÉ"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ｆｕｌｌ", "full"),
        ("Ёлка", "ёЛКА"),
        ("100% off_it\\n", "0% OFF_it\\"),
        ("İstanbul", "i̇stanbul"),
    ],
)
def test_folding_finds_what_people_call_the_same(text: str, search: str) -> None:
    assert fold_case(search) in fold_case(text)


def test_folding_keeps_different_letters_apart() -> None:
    assert fold_case("cafe") not in fold_case("café")


def test_a_search_never_matches_across_two_parts() -> None:
    assert fold_case("ab") not in fold_case("a", "b")


async def test_a_renamed_user_is_found_by_both_name_and_id(database: Database) -> None:
    async with database.write() as sql:
        await users.add_seen(sql, "license:AB12")
        await users.put(sql, "license:AB12", "Éva Pike")
        await users.add_seen(sql, "license:AB12")
        for search in ("éVA", "LICENSE:ab", "12"):
            assert [user.full_name for user in await users.page(sql, search, 10, 0)] == ["Éva Pike"]
        assert await users.page(sql, "wren", 10, 0) == []
