"""Lists are turned by buttons that say in their own ids what they show."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.bot import LISTS
from cogs.ui.buttons import OutdatedButton
from cogs.ui.pages import (
    ARGUMENT,
    CUSTOM_ID,
    SIZE,
    ListRows,
    PagedLists,
    Row,
    custom_id,
    parse_page,
)
from cogs.ui.text import length
from db import cards, settings
from db.cards import StaleCard
from db.user_ids import stored_id
from tests.cogs.scenario import Scenario
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call, unit
from tests.fake_discord import render
from tests.fake_discord.errors import Problems
from tests.fake_discord.messages import IS_COMPONENTS_V2
from tests.fake_discord.validation import check_message
from tests.webhook.harness import AppHarness
from webhook.protocol.context import Caller, Context, Scope
from webhook.protocol.wire import validate
from webhook.queries.cad.incidents import NewIncidentNote, note_incident
from webhook.queries.guilds import HOME_GUILD

TEST_LISTS = PagedLists()


@TEST_LISTS.declare("numbers", Scope.READ)
async def numbers(_: Context, argument: str, limit: int, offset: int) -> ListRows:
    every = [Row(str(number)) for number in range(int(argument))]
    return ListRows.part("Numbers", every, "None.", limit, offset)


@TEST_LISTS.declare("uncounted", Scope.READ)
async def uncounted(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    counted = await numbers.read(context, argument, limit, offset)
    return ListRows(counted.title, counted.rows, counted.empty)


async def shown(
    harness: AppHarness, name: str, count: int, number: int = 0
) -> tuple[list[str], str, str]:
    """Return a page's lines, its footer, and the buttons that can be pressed."""
    page = await TEST_LISTS[name].page(harness.context(), str(count), number)
    possible = [button.label for button in page.buttons if not button.disabled]
    return [row.text for row in page.rows], page.footer, " ".join(possible)


async def test_a_short_list_has_no_footer_and_no_buttons(harness: AppHarness) -> None:
    assert await shown(harness, "numbers", 0) == (["None."], "", "")
    lines, footer, buttons = await shown(harness, "uncounted", SIZE)
    assert (len(lines), footer, buttons) == (SIZE, "", "")


async def test_a_counted_list_shows_its_number_of_pages(harness: AppHarness) -> None:
    lines, footer, buttons = await shown(harness, "numbers", 25)
    assert (lines[0], lines[-1], footer, buttons) == ("0", "9", "Page 1 of 3", "Next Last")
    assert (await shown(harness, "numbers", 25, 1))[1:] == (
        "Page 2 of 3",
        "First Previous Next Last",
    )
    last = ["20", "21", "22", "23", "24"]
    assert await shown(harness, "numbers", 25, 2) == (last, "Page 3 of 3", "First Previous")


async def test_an_uncounted_list_shows_its_row_numbers(
    harness: AppHarness,
) -> None:
    assert (await shown(harness, "uncounted", 21))[1:] == ("1–10", "Next")
    assert (await shown(harness, "uncounted", 21, 2)) == (["20"], "21–21", "First Previous")


async def test_a_page_beyond_the_end_shows_the_last_one(harness: AppHarness) -> None:
    assert (await shown(harness, "numbers", 12, 7))[0] == ["10", "11"]
    assert (await shown(harness, "uncounted", 12, 7))[0][0] == "0"
    assert (await shown(harness, "uncounted", 0, 7))[0] == ["None."]


@pytest.mark.parametrize("page", ["", "properties", "properties:x:", "Properties:1:", "p:1"])
def test_an_outdated_page_button_is_rejected(page: str) -> None:
    with pytest.raises(OutdatedButton, match="another version"):
        parse_page(page)


@given(
    st.sampled_from("fpnl"),
    st.sampled_from(sorted(LISTS)),
    st.integers(0, 10**9 - 1),
    st.text(max_size=40).filter(lambda text: length(text) <= ARGUMENT),
)
def test_a_page_buttons_id_round_trips(turn: str, name: str, number: int, argument: str) -> None:
    written = custom_id(turn, name, number, argument)
    assert length(written) <= CUSTOM_ID
    assert written.startswith(f"page:{turn}:")
    assert parse_page(written.removeprefix(f"page:{turn}:")) == (name, number, argument)


async def test_the_longest_rows_of_every_list_fit_into_a_page(harness: AppHarness) -> None:
    hostile = "*😀" * 1_000
    for _ in range(SIZE + 1):
        property_id = await harness.add_property(location=hostile[:200], clientId=hostile[:64])
        await harness.ask("add-alert", propertyId=property_id, userId=hostile[:64])
        await harness.add_equipment(1, 3, hostile[:2000])
        await harness.ask("dispatch-drone", propertyId=1, reason=hostile[:2000])
        await harness.ask("add-user", userId=f"{property_id}{hostile[:60]}", fullName=hostile[:200])
        await harness.ask("add-allowed-user", propertyId=1, userId=f"{property_id}{hostile[:60]}")
        await harness.ask("add-auth-entry", propertyId=1, userId=f"{property_id}{hostile[:60]}")
        member = str(10**18 + property_id)
        await harness.ask("link-user", memberId=member, userId=f"{property_id}{hostile[:60]}")
        await harness.ask(
            "request-remove-property", propertyId=property_id, userId=hostile[:64], reason=hostile
        )
        await harness.ask("change-property-status", propertyId=property_id, status=hostile[:32])
        await harness.ask(
            "request-remove-property", propertyId=property_id, userId=hostile[:64], reason=hostile
        )
    scenario = Scenario(harness)
    await scenario.push("EVENT_911", call_911(1))
    for number in range(2, SIZE + 3):
        text = f"{number}{hostile[:190]}"
        made = dispatch_call(10**9 + number, title=text, address=text, idents=list(range(70, 79)))
        await scenario.push("EVENT_DISPATCH_NEW", made)
        login = {"unit": unit(number + 68, text, text, location=text), "isDispatch": False}
        await scenario.push("EVENT_UNIT_LOGIN", login)
    caller = harness.context().of(Caller("discord:1", Scope.ADMIN, ("1",)))
    for _ in range(SIZE):
        note = {"subject": "emergency:1@county", "text": hostile[:1000]}
        await note_incident(caller, validate(NewIncidentNote, note))
    calls = [f"dispatch:{10**9 + n}@county" for n in range(2, SIZE + 3)]
    subjects = [
        *calls,
        *(f"alarm:{n}" for n in range(1, 12)),
        *(f"removal:{n}" for n in range(1, 30)),
    ]
    await _post_cards(harness, [*subjects, *(f"flight:{n}" for n in range(1, 30))])
    owner = Caller("discord:1", Scope.ADMIN, (stored_id(hostile[:64]),))
    context = harness.context().of(owner)
    arguments = {"flights": "1:", "alarms": "", "audit": "/", "properties": "/*"}
    arguments["notes"] = "emergency:1@county"
    for name in LISTS:
        page = await LISTS[name].page(context, arguments.get(name, "1"))
        shown = page.view().to_components()  # type: ignore[no-untyped-call]
        problems = Problems()
        check_message({"components": shown}, IS_COMPONENTS_V2, problems)
        problems.raise_if_any()
        assert len(page.rows) == SIZE, name
        assert not re.search(r"(\\n|')and [0-9]+ more", str(shown)), name


async def _post_cards(harness: AppHarness, subjects: list[str]) -> None:
    """Have the cards of subjects posted, so that lists link to them."""
    async with harness.database.write() as sql:
        await settings.put(sql, HOME_GUILD, str(10**18))
        await cards.mark_stale(sql, *(StaleCard(subject, "x", 0) for subject in subjects))
        await sql.run("UPDATE cards SET channel_id = ?1, message_id = ?1", 10**18)


async def test_pages_are_turned_in_place_after_a_restart_with_permission(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        for number in range(12):
            await env.add_property(f"House {number}")
        listed = await env.fake.slash(env.vic, "property list")
        await env.fake.until(lambda: "Page 1 of 2" in render(listed))
        turned = await env.fake.click(env.vic, listed, "Next")
        await env.fake.until(lambda: "Page 2 of 2" in render(listed))
        assert turned.updated
        assert listed.ephemeral
    async with env.bot_running():
        await env.fake.wait_connected()
        await env.fake.click(env.vic, listed, "First")
        await env.fake.until(lambda: "Page 1 of 2" in render(listed))
        env.vic.remove_role(env.viewers)
        refused = await env.fake.click(env.vic, listed, "Last")
        await env.fake.until(lambda: "viewer role" in render(refused))
        assert "Page 1 of 2" in render(listed)


async def test_an_owner_without_a_role_turns_pages_of_their_own_property(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa")
        for number in range(12):
            await env.query("add-allowed-user", propertyId=property_id, userId=f"guest {number}")
        await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
        shown = await env.fake.slash(env.stranger, "property show", property=str(property_id))
        await env.fake.until(lambda: shown.answered)
        listed = await env.fake.click(env.stranger, shown, "Access list")
        await env.fake.until(lambda: "Page 1 of 2" in render(listed))
        await env.fake.click(env.stranger, listed, "Next")
        await env.fake.until(lambda: "Page 2 of 2" in render(listed))
