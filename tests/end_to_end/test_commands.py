"""Commands are registered where they changed, and are for those who may."""

from tests.end_to_end.town import Town


async def test_commands_are_registered_at_start_and_not_again_without_a_change(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.sync_count(town.guild) == 1)
        assert {command.name for command in town.guild.commands} >= {"drone", "removal"}
    async with town.bot_running():
        await town.fake.wait_connected()
        reply = await town.fake.slash(town.vic, "drone list")
        await town.fake.until(lambda: bool(reply.embeds))
    assert town.fake.sync_count(town.guild) == 1


async def test_a_guild_that_the_bot_joins_or_joins_again_gets_the_commands(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        second = await town.fake.add_guild_live("Blaine County")
        await town.fake.until(lambda: town.fake.sync_count(second) == 1)
        town.fake.kick(second)
        town.fake.join(second)
        await town.fake.until(lambda: town.fake.sync_count(second) == 2)
        assert second.commands


async def test_a_guild_that_is_not_the_configured_one_gets_no_commands(town: Town) -> None:
    other = town.fake.add_guild("Elsewhere")
    settings = town.settings()
    only_here = settings.discord.model_copy(update={"guild_id": town.guild.id})
    restricted = settings.model_copy(update={"discord": only_here})
    town.settings = lambda: restricted  # type: ignore[method-assign]
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        assert not other.commands


async def test_every_command_and_option_has_a_description(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
    described = [command.definition for command in town.guild.commands]
    while described:
        entry = described.pop()
        assert entry["description"].strip(), entry["name"]
        assert entry["description"] != "…", entry["name"]
        described += entry.get("options", [])


async def test_members_without_a_role_are_refused_everything(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa", drones=1)
        offered = await town.fake.autocomplete(
            town.stranger, "drone dispatch", focused="property", value=""
        )
        assert offered == []
        for command, options in {
            "drone dispatch": {"property": str(place)},
            "drone recall": {"drone": "1"},
            "drone list": {},
            "removal list": {},
            "removal approve": {"property": str(place)},
            "removal deny": {"property": str(place)},
            "property list": {},
            "property pending": {},
            "property search": {"text": "villa"},
            "drone history": {},
            "equipment list": {"property": str(place)},
            "access list": {"property": str(place)},
            "access log": {"property": str(place)},
            "crimes": {},
            "status": {},
        }.items():
            reply = await town.fake.slash(town.stranger, command, options=options)
            await town.fake.until(lambda reply=reply: bool(reply.content))  # type: ignore[misc]
            assert reply.ephemeral
            assert reply.content.startswith("This needs the ")


async def test_server_managers_can_do_everything(town: Town) -> None:
    owner = town.guild.add_member("Olga", town.guild.add_role("Owner", "manage_guild"))
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa")
        await town.query("request-remove-property", propertyId=place)
        reply = await town.fake.slash(owner, "removal approve", property=str(place))
        await town.fake.until(lambda: reply.content == "**Villa** has been removed.")
