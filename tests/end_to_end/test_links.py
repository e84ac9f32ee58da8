"""Who somebody is in the game, what is theirs there, and what the audit log says of it."""

import re

from tests.end_to_end.town import Town
from tests.fake_discord import InteractionReply, Member, render


async def _said(town: Town, reply: InteractionReply, text: str) -> str:
    await town.fake.until(lambda: text in reply.content)
    assert reply.ephemeral
    return reply.content


async def test_a_code_typed_in_the_game_links_a_member_once(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        said = await _said(town, await town.fake.slash(town.stranger, "link code"), "Type this")
        (code,) = re.findall(r"\*\*([A-Z0-9]{6})\*\*", said)
        linked = await town.query("confirm-link", code=code.lower(), clientId="license:me")
        assert linked == {"success": True, "memberId": str(town.stranger.id)}
        again = await town.query("confirm-link", code=code, clientId="license:other")
        assert again["code"] == "not-found"
        shown = await town.fake.slash(town.stranger, "link show")
        await _said(town, shown, "You are **license:me**, linked by script")
        wanted = await town.fake.slash(town.stranger, "link alarms", options={"wanted": True})
        await _said(town, wanted, "You will get a private message")
        await _said(town, await town.fake.slash(town.stranger, "link show"), "sent to you")
        await _said(town, await town.fake.slash(town.stranger, "link end"), "no longer linked")
        await _said(town, await town.fake.slash(town.stranger, "link show"), "You are not linked")
        refused = await town.fake.slash(town.stranger, "link alarms", options={"wanted": True})
        await _said(town, refused, "Link your game user first")
        await _said(town, await town.fake.slash(town.stranger, "link end"), "is not linked")


async def test_only_admins_link_others(town: Town) -> None:
    boss = town.guild.add_member("Boss", town.guild.add_role("Boss", "manage_guild"))
    options: dict[str, Member | str] = {"member": town.stranger, "user": "license:them"}
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        for member in (town.stranger, town.anna):
            refused = await town.fake.slash(member, "link member", options=options)
            await _said(town, refused, "This needs the admin role")
        done = await town.fake.slash(boss, "link member", options=options)
        await _said(town, done, f"<@{town.stranger.id}> is **license:them** in the game.")
        offered = await town.fake.autocomplete(boss, "link member", focused="user", value="them")
        assert [choice.value for choice in offered] == ["license:them"]
        gone = await town.fake.slash(boss, "link unlink", options={"member": town.stranger})
        await _said(town, gone, "is no longer linked to a game user")
        audit = await town.fake.slash(boss, "audit")
        await town.fake.until(lambda: bool(audit.embeds))
        assert [re.sub(r"<t:[0-9]+:f>", "<time>", line) for line in _lines(render(audit))] == [
            f"<time> <@{boss.id}> **unlink-user** member:{town.stranger.id}"
            " · userId: license:them → —",
            f"<time> <@{boss.id}> **link-user** member:{town.stranger.id}"
            " · userId: — → license:them",
        ]
        await _said(town, await town.fake.slash(town.anna, "audit"), "This needs the admin role")


async def test_a_member_is_linked_by_the_name_of_a_known_user(town: Town) -> None:
    boss = town.guild.add_member("Boss", town.guild.add_role("Boss", "manage_guild"))
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        await town.query("add-user", userId="license:41aa90be", fullName="Tomas Okafor")
        linked = await town.fake.slash(
            boss, "link member", options={"member": town.stranger, "user": "Tomas Okafor"}
        )
        await _said(town, linked, "is **Tomas Okafor (license:41aa90be)** in the game.")
        shown = await town.fake.slash(town.stranger, "link show")
        await _said(town, shown, "You are **license:41aa90be**")
        unknown = await town.fake.slash(
            boss, "link member", options={"member": town.vic, "user": "Nobody Known"}
        )
        await _said(town, unknown, "Nobody is known as 'Nobody Known'")


def _lines(shown: str) -> list[str]:
    return [line.strip(" │") for line in shown.splitlines() if "<t:" in line]


async def test_owners_without_a_role_use_only_their_own_properties(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        mine = await town.add_property("Villa", drones=1)
        other = await town.query(
            "add-property", location="Shed", tier=1, x=0, y=0, description="", clientId="them"
        )
        dispatch = {"property": str(mine)}
        refused = await town.fake.slash(town.stranger, "drone dispatch", options=dispatch)
        await _said(town, refused, "This needs the")
        await town.query("link-user", memberId=str(town.stranger.id), userId="owner")
        done = await town.fake.slash(town.stranger, "drone dispatch", options=dispatch)
        await _said(town, done, "dispatched at **Villa**")
        elsewhere = {"property": str(other["id"])}
        refused = await town.fake.slash(town.stranger, "drone dispatch", options=elsewhere)
        await _said(town, refused, "This needs the")
        typed = await town.fake.autocomplete(town.stranger, "drone dispatch", focused="property")
        assert [choice.value for choice in typed] == [str(mine)]


async def test_allowed_users_are_recognised_by_their_discord_id(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa", drones=1)
        friend = f"discord:{town.stranger.id}"
        await town.query("add-allowed-user", propertyId=place, userId=friend)
        options = {"property": str(place)}
        done = await town.fake.slash(town.stranger, "drone dispatch", options=options)
        await _said(town, done, "dispatched at **Villa**")
