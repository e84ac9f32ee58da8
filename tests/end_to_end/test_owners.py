"""Owners hear what others decide about theirs, each thing once, and see what is theirs."""

import re

from tests.end_to_end.answers import answer_to, expect
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import Member, Message, render


async def _add(env: BotEnvironment, location: str, owner: Member) -> int:
    """Add an active property of a member whom the game knows by their Discord id."""
    place = {"location": location, "tier": 1, "x": 0, "y": 0, "description": ""}
    added = await env.query("add-property", **place, clientId=f"discord:{owner.id}")
    await env.channel("approvals").next_message()
    return int(added["id"])


def _titles(messages: list[Message]) -> list[str]:
    titles = [str(message.embeds[0]["title"]) for message in messages]
    return [title.removesuffix(" #1") for title in titles]


async def test_an_owner_is_notified_of_what_others_do_to_their_property(
    env: BotEnvironment,
) -> None:
    owner = env.stranger
    private = env.guild.direct(owner)
    second = env.guild.add_member("Bert", env.approvers)
    friend = env.guild.add_member("Friend")
    async with env.bot_running():
        await env.wait_for_commands()
        villa = await _add(env, "Villa", owner)
        await env.query("add-allowed-user", propertyId=villa, userId=f"discord:{friend.id}")
        await env.fake.click(env.anna, env.channel("approvals").messages[-1], "Approve")
        await env.fake.until(lambda: len(private.messages) == 1)
        await env.fake.slash(env.dora, "removal request", property="Villa", reason="Unpaid")
        await env.fake.until(lambda: len(private.messages) == 2)
        asked = private.messages[-1]
        assert "Removal requested · Villa" in render(asked)
        assert "Unpaid" in render(asked)
        assert f"<@{env.dora.id}>" in render(asked)
        await env.fake.slash(env.anna, "removal approve", property="Villa")
        await env.fake.until(lambda: len(private.messages) == 3)
        await env.fake.until(lambda: "[Withdraw]" not in render(asked))
        gone = await answer_to(env, owner, "property show", property=str(villa))
        assert re.fullmatch(
            r"\*\*Villa\*\* was removed by @Anna <R>\. Ask an approver if it should be restored;"
            r" that is possible until <f>\.",
            gone,
        )
        assert await answer_to(env, friend, "property show", property="Villa") == gone
        unknown = await answer_to(env, second, "removal restore", property="Villas")
        assert unknown == "No property matches “Villas”."
        await env.fake.slash(second, "removal restore", property="villa")
        await env.fake.until(lambda: len(private.messages) == 4)
        assert f"<@{second.id}> restored your property" in render(private.messages[-1])
        assert "Villa" in await answer_to(env, owner, "property show", property=str(villa))
        await env.query("remove-property", propertyId=villa)
        await env.fake.until(lambda: len(private.messages) == 5)
    assert _titles(private.messages) == [
        "Property approved · Villa",
        "Removal approved · Villa",  # asked for at first
        "Removal approved · Villa",
        "Property restored · Villa",
        "Property removed · Villa",
    ]
    assert len(env.guild.direct(env.dora).messages) == 1  # who asked hears of the decision


async def test_an_owner_is_not_notified_of_their_own_actions(env: BotEnvironment) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.wait_for_commands()
        await _add(env, "Villa", env.stranger)
        await env.query("change-property-status", propertyId=1, status="ACTIVE")
        await env.fake.until(lambda: len(private.messages) == 1)
        await env.fake.slash(env.stranger, "removal request", property="Villa")
        await env.fake.slash(env.stranger, "removal withdraw", property="Villa")
        await env.fake.slash(env.stranger, "removal request", property="Villa")
        form = await env.fake.slash(env.anna, "removal deny", property="Villa")
        await env.fake.submit(env.anna, form, {"Reason": "Stay"})
        # Owner and requester are one, who hears of it once.
        await env.fake.until(lambda: len(private.messages) == 2)
        assert "Answer: Stay" in render(private.messages[-1])
        off = await env.fake.slash(env.stranger, "link messages", options={"wanted": False})
        await expect(env, off, "no more private messages about your properties")
        await env.query("remove-property", propertyId=1)
        await env.query("restore-property", propertyId=1)
        on = await env.fake.slash(env.stranger, "link messages", options={"wanted": True})
        await expect(env, on, "You will get a private message")
        await env.query("remove-property", propertyId=1)
        await env.fake.until(lambda: len(private.messages) == 3)
        assert "Property removed · Villa" in render(private.messages[-1])


async def test_the_owner_withdraws_from_the_private_message(env: BotEnvironment) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.wait_for_commands()
        await _add(env, "Villa", env.stranger)
        await env.fake.slash(env.dora, "removal request", property="Villa")
        asked = await private.next_message()
        done = await env.fake.click(env.stranger, asked, "Withdraw")
        await expect(env, done, "withdrawn")
        await env.fake.until(lambda: "Removal withdrawn" in render(asked))
        assert (await env.query("get-property", propertyId=1))["status"] == "PENDING"


async def test_a_member_known_by_their_discord_id_needs_no_link(env: BotEnvironment) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.wait_for_commands()
        await _add(env, "Villa", env.stranger)
        shown = await answer_to(env, env.stranger, "link show")
        assert f"The game knows you by your Discord id: **discord:{env.stranger.id}**" in shown
        refused = await answer_to(env, env.stranger, "link end")
        assert refused == "The game knows you by your Discord id; that is no link to end."
        wanted = await answer_to(env, env.stranger, "link alarms", wanted=True)
        assert "You will get a private message" in wanted
        await env.query("add-alert", propertyId=1, userId="license:burglar")
        assert "Alarm · Villa" in render(await private.next_message())
        mine = await answer_to(env, env.stranger, "property mine")
        assert "Villa" in mine
        # Nobody else can be linked to what is the member's.
        other = {"memberId": str(env.vic.id), "userId": f"Discord:{env.stranger.id}"}
        assert (await env.query("link-user", **other))["code"] == "conflict"
        # A link to a user of the game is one more, and its end leaves the other.
        await env.query("link-user", memberId=str(env.stranger.id), userId="license:me")
        await env.query("change-property-owner", propertyId=1, owner="license:me")
        await env.query("change-property-owner", propertyId=1, owner=f"discord:{env.stranger.id}")
        shown = await answer_to(env, env.stranger, "link show")
        assert "**license:me**" in shown
        assert "Alarm messages: on." in shown
        assert "no longer linked" in await answer_to(env, env.stranger, "link end")
        assert "Villa" in await answer_to(env, env.stranger, "property mine")
        await env.query("remove-property", propertyId=1)
        assert "Property removed" in render(await private.next_message())


async def test_an_owner_lets_friends_in_by_their_discord_account(env: BotEnvironment) -> None:
    friend = env.guild.add_member("Friend")
    async with env.bot_running():
        await env.wait_for_commands()
        villa = await env.query(
            "add-property", location="Villa", tier=1, x=0, y=0, description="", clientId="license:o"
        )
        about = {"propertyId": villa["id"]}
        await env.query("link-user", memberId=str(env.stranger.id), userId="license:o")

        async def ask(command: str, **options: Member | str) -> str:
            given = {"property": "Villa", **options}
            reply = await env.fake.slash(env.stranger, command, options=given)
            await env.fake.until(lambda: reply.answered)
            return reply.content

        unlinked = "This member is not linked to a game user; they can link themselves with"
        assert (await ask("access allow", member=friend)).startswith(unlinked)
        assert await ask("access allow") == "Member: give either a member or a user."
        # From here on the game is known to use such ids.
        await env.query("add-user", userId="discord:200000000000000001", fullName="Somebody")
        assert (
            await ask("access allow", member=friend) == f"{friend.mention} can now enter **Villa**."
        )
        await env.query("link-user", memberId=str(friend.id), userId="license:friend")
        assert (
            await ask("access allow", member=friend) == f"{friend.mention} can now enter **Villa**."
        )
        allowed = (await env.query("get-allowed-users", **about))["allowedUsers"]
        assert set(allowed) == {"license:friend", f"discord:{friend.id}"}
        assert "Villa](link) · waiting for approval · you may enter" in await answer_to(
            env, friend, "property mine"
        )
        done = f"{friend.mention} can no longer enter **Villa**."
        assert await ask("access deny", member=friend) == done
        assert (await env.query("get-allowed-users", **about))["allowedUsers"] == {}
        gone = "This member is not on the list of property Villa (#1)."
        assert await ask("access deny", member=friend) == gone


async def test_a_property_is_described_and_given_away(env: BotEnvironment) -> None:
    heir = env.guild.add_member("Heir")
    before, after = env.guild.direct(env.stranger), env.guild.direct(heir)
    async with env.bot_running():
        await env.wait_for_commands()
        await _add(env, "Villa", env.stranger)
        await env.query("change-property-status", propertyId=1, status="ACTIVE")
        await env.query("add-allowed-user", propertyId=1, userId="license:friend")
        shown = await env.fake.slash(env.dora, "property show", property="1")
        await env.fake.until(lambda: bool(shown.embeds))
        form = await env.fake.click(env.dora, shown, "Name and owner")
        typed = {"Where it is": "Villa *Nova*", "Owner: a name or an id": "license:typo"}
        refused = await env.fake.submit(env.dora, form, typed)
        await expect(env, refused, "has not reported a user license:typo so far")
        form = await env.fake.click(env.dora, shown, "Name and owner")
        words = {"Where it is": "Villa *Nova*", "Description": "By the canal"}
        done = await env.fake.submit(env.dora, form, words)
        await expect(env, done, r"**Villa \*Nova\***: ")
        stored = await env.query("get-property-detailed", propertyId=1)
        assert (stored["location"], stored["description"]) == ("Villa *Nova*", "By the canal")
        assert stored["owner"] == f"discord:{env.stranger.id}"
        give: dict[str, Member | str] = {"property": "1", "member": heir}
        done = await env.fake.slash(env.dora, "property transfer", options=give)
        await expect(env, done, f"belongs to <@{heir.id}> now. Its access list is empty.")
        assert "made it your property" in render(await after.next_message())
        await env.fake.until(lambda: f"gave your property to <@{heir.id}>" in _all(before.messages))
        assert (await env.query("get-allowed-users", propertyId=1))["allowedUsers"] == {}
        sure = await env.fake.slash(
            env.dora, "property transfer", property="1", user="license:41aa90be"
        )
        done = await env.fake.click(env.dora, sure, "Transfer")
        await expect(env, done, "belongs to license:41aa90be now")
        refused = await env.fake.slash(heir, "property transfer", options=give)
        assert "This needs the dispatcher role" in render(refused)


def _all(messages: list[Message]) -> str:
    return "\n".join(map(render, messages))
