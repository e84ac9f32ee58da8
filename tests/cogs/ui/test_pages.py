"""Lists are turned by buttons that say in their own ids what they show."""

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
    custom_id,
    parse_page,
)
from cogs.ui.text import length
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import render
from tests.webhook.harness import AppHarness
from webhook.protocol.context import Context, Scope

TEST_LISTS = PagedLists()


@TEST_LISTS.declare("numbers", Scope.READ)
async def numbers(_: Context, argument: str, limit: int, offset: int) -> ListRows:
    every = [str(number) for number in range(int(argument))]
    return ListRows.part("Numbers", every, "None.", limit, offset)


@TEST_LISTS.declare("uncounted", Scope.READ)
async def uncounted(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    counted = await numbers.read(context, argument, limit, offset)
    return ListRows(counted.title, counted.lines, counted.empty)


async def shown(
    harness: AppHarness, name: str, count: int, number: int = 0
) -> tuple[list[str], str, str]:
    """Return a page's lines, its footer, and the buttons that can be pressed."""
    content = await TEST_LISTS[name].page(harness.context(), str(count), number)
    (embed,) = content.embeds
    possible = [button.label for button in content.buttons if not button.disabled]
    return (embed.description or "").split("\n"), embed.footer.text or "", " ".join(possible)


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


async def test_the_longest_lines_of_every_list_fit_into_a_page(harness: AppHarness) -> None:
    hostile = "*😀" * 1_000
    for _ in range(SIZE + 1):
        property_id = await harness.add_property(location=hostile[:200], clientId=hostile[:64])
        await harness.ask("add-alert", propertyId=property_id, userId=hostile[:64])
        await harness.add_equipment(1, 3, hostile[:2000])
        await harness.ask("dispatch-drone", propertyId=1, reason=hostile[:2000])
        await harness.ask("add-user", userId=f"{property_id}{hostile[:60]}", fullName=hostile[:200])
        await harness.ask("add-allowed-user", propertyId=1, userId=f"{property_id}{hostile[:60]}")
        await harness.ask("add-auth-entry", propertyId=1, userId=f"{property_id}{hostile[:60]}")
        await harness.ask("request-remove-property", propertyId=property_id)
        await harness.ask("change-property-status", propertyId=property_id, status=hostile[:32])
        await harness.ask("request-remove-property", propertyId=property_id)
    for name in LISTS.keys() - {"free", "pending"}:
        argument = {"flights": "1:", "search": "*", "alarms": "", "audit": "/"}.get(name, "1")
        (embed,) = (await LISTS[name].page(harness.context(), argument)).embeds
        lines = (embed.description or "").split("\n")
        assert len(lines) == SIZE, name
        assert length(embed.description or "") <= 4_096
        assert length(embed.title or "") <= 256


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
        options = {"property": str(property_id)}
        listed = await env.fake.slash(env.stranger, "access list", options=options)
        await env.fake.until(lambda: "Page 1 of 2" in render(listed))
        await env.fake.click(env.stranger, listed, "Next")
        await env.fake.until(lambda: "Page 2 of 2" in render(listed))
