"""What is offered while somebody types is what they may do it to, and nothing else."""

from collections.abc import Iterator
from typing import Any

from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call, log_in
from tests.fake_discord import Member

SECRET = "Secret"
"""A word in the name of everything that is none of theirs."""


def _options(definitions: list[dict[str, Any]], group: str = "") -> Iterator[tuple[str, str, bool]]:
    """Yield each option with choices: its command, its name, whether a property stands beside."""
    for definition in definitions:
        name = f"{group} {definition['name']}".strip()
        options = definition.get("options", [])
        if options and options[0]["type"] in (1, 2):
            yield from _options(options, name)
            continue
        names = [option["name"] for option in options]
        for option in options:
            if option.get("autocomplete"):
                is_beside = "property" in names and option["name"] != "property"
                yield name, option["name"], is_beside


async def _offered(
    env: BotEnvironment, member: Member, command: str, option: str, property_id: int | None = None
) -> list[str]:
    others = {} if property_id is None else {"property": str(property_id)}
    choices = await env.fake.autocomplete(member, command, focused=option, value="", options=others)
    return [choice.name for choice in choices]


async def _house(env: BotEnvironment, name: str, owner: str, guest: str) -> int:
    """Add a property where everything is that somebody could type."""
    place = {"location": name, "tier": 1, "x": 0, "y": 0, "description": name}
    house = int((await env.query("add-property", **place, clientId=owner))["id"])
    about = {"propertyId": house}
    for kind in (1, 3, 3):
        described = f"{name} {kind}"
        await env.query("add-equipment", **about, equipmentType=kind, description=described)
    await env.query("add-user", userId=owner, fullName=f"Owner of {name}")
    await env.query("add-user", userId=guest, fullName=f"Guest of {name}")
    await env.query("add-allowed-user", **about, userId=guest)
    await env.query("dispatch-drone", **about)
    await env.query("add-alert", **about, userId=owner)
    await env.query("request-remove-property", **about, userId=owner)
    return house


async def test_nobody_is_offered_what_they_may_not_use(env: BotEnvironment) -> None:
    owner = env.guild.add_member("Owner")
    guest = env.guild.add_member("Guest")
    async with env.bot_running():
        await env.wait_for_commands()
        env.allow_every_command()
        secret = await _house(env, SECRET, "license:secret", "license:secretguest")
        villa = await _house(env, "Villa", "license:owner", "license:guest")
        removed = await _house(env, f"{SECRET} shed", "license:secret", "license:secretguest")
        await env.query("remove-property", propertyId=removed)
        await log_in(env, 61, SECRET)
        await env.push("EVENT_911", call_911(9, location=SECRET))
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(10, title=SECRET))
        await env.query("link-user", memberId=str(owner.id), userId="license:owner")
        await env.query("link-user", memberId=str(guest.id), userId="license:guest")
        options = list(_options([command.definition for command in env.guild.commands]))
        assert len(options) > 40
        for command, option, is_beside in options:
            for house in (secret, villa) if is_beside else (None,):
                seen = await _offered(env, env.stranger, command, option, house)
                assert seen == [], (command, option)
                for member in (owner, guest):
                    seen = await _offered(env, member, command, option, house)
                    assert not any(SECRET in name for name in seen), (command, option)
        # Owners are offered everything of theirs, guests only what is for them too.
        own, drone = [f"Villa ({villa})"], ["5 · Villa 3"]
        for member, expected in ((owner, own), (guest, [])):
            for command in ("access deny", "access log", "removal request", "visitors"):
                assert await _offered(env, member, command, "property") == expected, command
            seen = await _offered(env, member, "access deny", "user", villa)
            assert seen == (["Guest of Villa (license:guest)"] if expected else [])
            assert await _offered(env, member, "removal withdraw", "property") == expected
            assert await _offered(env, member, "drone recall", "drone") == drone
            assert await _offered(env, member, "drone dispatch", "property") == own
        # A viewer may read everything, and act only on their own.
        assert len(await _offered(env, env.vic, "property show", "property")) == 2
        assert await _offered(env, env.vic, "drone dispatch", "property") == []
        assert await _offered(env, env.vic, "removal withdraw", "property") == []
        assert await _offered(env, env.dora, "removal withdraw", "property") == []
        assert len(await _offered(env, env.anna, "removal withdraw", "property")) == 2


async def test_approvers_are_not_offered_their_own_requests(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        villa = await env.add_property("Villa")
        await env.fake.slash(env.anna, "removal request", property=str(villa))
        assert await _offered(env, env.anna, "removal approve", "property") == []
        assert await _offered(env, env.anna, "removal deny", "property") == [f"Villa ({villa})"]
