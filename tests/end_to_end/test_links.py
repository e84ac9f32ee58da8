"""Who somebody is in the game, what is theirs there, and what the audit log says of it."""

import re

import pytest

from tests.end_to_end.answers import expect
from tests.end_to_end.environment import BotEnvironment
from tests.fake_discord import CannotDo, InteractionReply, Member, render


async def test_a_code_typed_in_the_game_links_a_member_once(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        answer = await env.fake.slash(env.stranger, "link code")
        text = await expect(env, answer, "type `/cadlink ")
        (code,) = re.findall(r"\*\*([A-Z0-9]{6})\*\*", text)
        linked = await env.query("confirm-link", code=code.lower(), clientId="license:me")
        assert linked == {
            "success": True,
            "memberId": str(env.stranger.id),
            "message": "You are linked with your Discord account",
        }
        text = await expect(env, answer, "You are **license:me** in the game.")
        assert code not in text  # the answer with the code was edited
        assert env.guild.direct(env.stranger).messages == []
        again = await env.query("confirm-link", code=code, clientId="license:other")
        assert again["code"] == "not-found"
        shown = await env.fake.slash(env.stranger, "link show")
        await expect(env, shown, "You are **license:me**, linked by script")
        wanted = await env.fake.slash(env.stranger, "link alarms", options={"wanted": True})
        await expect(env, wanted, "You will get a private message")
        await expect(env, await env.fake.slash(env.stranger, "link show"), "Alarm messages: on.")
        await expect(env, await env.fake.slash(env.stranger, "link end"), "no longer linked")
        await expect(env, await env.fake.slash(env.stranger, "link show"), "You are not linked")
        refused = await env.fake.slash(env.stranger, "link alarms", options={"wanted": True})
        await expect(env, refused, "Link your game user first")
        await expect(env, await env.fake.slash(env.stranger, "link end"), "You are not linked")


async def test_only_admins_link_others(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    options: dict[str, Member | str] = {"member": env.stranger, "user": "license:them"}
    async with env.bot_running():
        await env.wait_for_commands()
        for member in (env.stranger, env.anna):
            refused = await env.fake.slash(member, "link member", options=options)
            await expect(env, refused, "This needs the admin role")
        asked = await env.fake.slash(boss, "link member", options=options)
        await expect(env, asked, "has not reported a user **license:them** so far")
        assert not (await env.query("get-user", userId="license:them"))["found"]
        done = await env.fake.click(boss, asked, "Link")
        await expect(env, done, f"<@{env.stranger.id}> is **license:them** in the game.")
        offered = await env.fake.autocomplete(boss, "link member", focused="user", value="them")
        assert [choice.value for choice in offered] == ["license:them"]
        listed = await env.fake.slash(boss, "link list")
        await expect(env, listed, f"<@{env.stranger.id}> · license:them")
        # Who has left is no member any more.
        left = {"member": env.stranger.user}
        gone = await env.fake.slash(boss, "link unlink", options=left)
        await expect(env, gone, "is no longer linked to a game user")
        theirs = await env.fake.slash(boss, "audit", options=left)
        await expect(env, theirs, "No changes.")
        audit = await env.fake.slash(boss, "audit")
        await env.fake.until(lambda: audit.answered)
        assert [re.sub(r"<t:[0-9]+:f>", "<time>", line) for line in _lines(render(audit))] == [
            f"<time> <@{boss.id}> ended the link of <@{env.stranger.id}> to license:them."
            "  [Details] secondary",
            f"<time> <@{boss.id}> linked <@{env.stranger.id}> to license:them."
            "  [Details] secondary",
        ]
        env.allow_every_command()
        await expect(env, await env.fake.slash(env.anna, "audit"), "This needs the admin role")


async def test_a_member_is_linked_by_the_name_of_a_known_user(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        await env.query("add-user", userId="license:41aa90be", fullName="Tomas Okafor")
        linked = await env.fake.slash(
            boss, "link member", options={"member": env.stranger, "user": "Tomas Okafor"}
        )
        await expect(env, linked, "is **Tomas Okafor (license:41aa90be)** in the game.")
        shown = await env.fake.slash(env.stranger, "link show")
        await expect(env, shown, "You are **license:41aa90be** (Tomas Okafor)")
        unknown = await env.fake.slash(
            boss, "link member", options={"member": env.vic, "user": "Nobody Known"}
        )
        await expect(env, unknown, "No user matches “Nobody Known”")


def _lines(shown: str) -> list[str]:
    return [line.strip(" │") for line in shown.splitlines() if "<t:" in line]


async def test_owners_without_a_role_use_only_their_own_properties(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        mine = await env.add_property("Villa", drones=1)
        other = await env.query(
            "add-property", location="Shed", tier=1, x=0, y=0, description="", clientId="them"
        )
        dispatch = {"property": str(mine)}
        refused = await env.fake.slash(env.stranger, "drone dispatch", options=dispatch)
        await expect(env, refused, "This needs the")
        await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
        done = await env.fake.slash(env.stranger, "drone dispatch", options=dispatch)
        await expect(env, done, "took off from **Villa**")
        elsewhere = {"property": str(other["id"])}
        refused = await env.fake.slash(env.stranger, "drone dispatch", options=elsewhere)
        await expect(env, refused, "This needs the")
        typed = await env.fake.autocomplete(env.stranger, "alert raise", focused="property")
        assert [choice.value for choice in typed] == [str(mine)]


async def test_allowed_users_are_recognised_by_their_discord_id(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=1)
        friend = f"discord:{env.stranger.id}"
        await env.query("add-allowed-user", propertyId=property_id, userId=friend)
        options = {"property": str(property_id)}
        done = await env.fake.slash(env.stranger, "drone dispatch", options=options)
        await expect(env, done, "took off from **Villa**")


async def test_members_are_linked_and_unlinked_from_their_menu(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        await env.query("add-user", userId="license:41aa90be", fullName="Lina Ked")
        await env.query("link-user", memberId=str(env.vic.id), userId="license:41aa90be")
        form = await env.fake.use_menu(boss, "Link to game user…", env.stranger)
        asked = await env.fake.submit(boss, form, {"user": "Lina Ked"})
        # Nobody loses a link without a word.
        await expect(env, asked, f"is linked to <@{env.vic.id}>, whose link would end")
        done = await env.fake.click(boss, asked, "Link")
        await expect(env, done, f"<@{env.stranger.id}> is **Lina Ked (license:41aa90be)**")
        log = render(await env.fake.slash(boss, "audit"))
        assert f"<@{boss.id}> moved the link to" in log
        gone = await env.fake.use_menu(boss, "Unlink", env.vic)
        await expect(env, gone, f"<@{env.vic.id}> is not linked to a game user.")
        again = await env.fake.click(boss, gone, "Link to game user…")
        assert again.modal is not None
        # Who has left the server is an account like any other.
        asked = await env.fake.use_menu(boss, "Unlink", env.stranger.user)
        await expect(env, asked, "is **Lina Ked (license:41aa90be)** in the game.")
        done = await env.fake.click(boss, asked, "Unlink")
        await expect(env, done, "no longer linked")
        for member in (env.anna, env.stranger):
            with pytest.raises(CannotDo):
                await env.fake.use_menu(member, "Unlink", env.vic)


async def test_the_answer_with_a_code_is_edited_after_a_restart_or_a_message_sent(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.CHECK_INTERVAL", 3_600.0)  # nothing but the link wakes deliveries

    async def code() -> tuple[InteractionReply, str]:
        await env.wait_for_commands()
        answer = await env.fake.slash(env.stranger, "link code")
        (found,) = re.findall(r"\*\*([A-Z0-9]{6})\*\*", await expect(env, answer, "/cadlink"))
        return answer, found

    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        answer, typed = await code()
    async with env.bot_running():
        await env.fake.wait_connected()
        await env.query("confirm-link", code=typed, clientId="license:me")
        await expect(env, answer, "You are **license:me** in the game.")
        assert private.messages == []
        _answer, typed = await code()
        gone = {"message": "Invalid Webhook Token", "code": 50027}
        env.fake.fault("PATCH", r"/webhooks/.*", status=401, body=gone)
        await env.query("confirm-link", code=typed, clientId="license:other")
        message = await private.next_message()
        assert "You are **license:other** in the game." in render(message)
