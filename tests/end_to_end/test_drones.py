"""`/drone` in Discord and the drone queries of scripts are the same operations."""

import asyncio
import json

import aiohttp

from tests.end_to_end.town import TOKEN, Town
from tests.fake_discord import render


async def test_a_dispatch_from_discord_flies_is_told_to_scripts_and_has_a_card(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Vinewood villa", drones=1)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.ws_connect(f"{town.url}/ws") as socket,
        ):
            await socket.send_json({"type": "subscribe", "data": {"id": "drone-dispatched"}})
            assert (await socket.receive_json())["type"] == "status"
            choices = await town.fake.autocomplete(
                town.dora, "drone dispatch", focused="property", value="vine"
            )
            assert [choice.name for choice in choices] == [f"Vinewood villa ({place})"]
            reply = await town.fake.slash(town.dora, "drone dispatch", property=choices[0].value)
            await town.fake.until(lambda: bool(reply.content))
            assert reply.ephemeral
            assert reply.content == "Drone 1 dispatched at **Vinewood villa**."
            event = await socket.receive_json()
            assert event["type"] == "events.drone-dispatched"
            assert event["data"] == {"propertyId": place, "droneId": 1}
        card = await town.channel("drones").next_message()
        assert f"Dispatched by: <@{town.dora.id}>" in render(card)
        assert card.pings == []
        out = await town.query("get-dispatched-drones")
        assert [drone["id"] for drone in out["drones"]] == ["1"]
        pressed = await town.fake.click(town.dora, card, "Recall")
        await town.fake.until(lambda: pressed.content == "Drone 1 recalled.")
        await town.fake.until(lambda: "Drone back" in render(card))
        assert (await town.query("get-dispatched-drones"))["drones"] == []


async def test_who_lacks_the_role_is_told_which_and_nothing_happens(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa", drones=1)
        reply = await town.fake.slash(town.vic, "drone dispatch", property=str(place))
        await town.fake.until(lambda: bool(reply.content))
        assert reply.content == f"This needs the dispatcher role: <@&{town.dispatchers.id}>."
        reply = await town.fake.slash(town.stranger, "drone list")
        await town.fake.until(lambda: bool(reply.content))
        assert reply.content == f"This needs the viewer role: <@&{town.viewers.id}>."
        assert (await town.query("get-dispatched-drones"))["drones"] == []


async def test_20_dispatches_at_once_for_two_drones_are_two_flights(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa", drones=2)
        from_discord = [
            town.fake.slash(town.dora, "drone dispatch", property=str(place)) for _ in range(10)
        ]
        from_scripts = [town.query("dispatch-drone", propertyId=place) for _ in range(10)]
        replies, answers = await asyncio.gather(
            asyncio.gather(*from_discord), asyncio.gather(*from_scripts)
        )
        await town.fake.until(lambda: all(reply.content for reply in replies))
        sent = [reply for reply in replies if "dispatched" in reply.content]
        assert len(sent) + sum("droneId" in answer for answer in answers) == 2
        assert len((await town.query("get-dispatched-drones"))["drones"]) == 2
        await town.fake.until(lambda: len(town.channel("drones").messages) == 2)


async def test_recall_and_list_answer_readably(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa **bold**", drones=2)
        reply = await town.fake.slash(town.vic, "drone list", property=str(place))
        await town.fake.until(lambda: bool(reply.embeds))
        assert "# Free drones · Villa \\*\\*bold\\*\\*" in render(reply)
        assert "1 · Drone 1\n│ 2 · Drone 2" in render(reply)
        reply = await town.fake.slash(town.dora, "drone recall", drone="1")
        await town.fake.until(lambda: reply.content == "Drone 1 is not out.")
        reply = await town.fake.slash(town.dora, "drone recall", drone="what?")
        await town.fake.until(lambda: "integer or a string of digits" in reply.content)
        reply = await town.fake.slash(town.dora, "drone dispatch", property="Nowhere")
        await town.fake.until(lambda: reply.content == "No property matches 'Nowhere'.")


async def test_a_script_hears_of_a_drone_before_its_own_answer(town: Town) -> None:
    async with town.bot_running():
        place = await town.add_property("Villa", drones=1)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.ws_connect(f"{town.url}/ws") as socket,
        ):
            await socket.send_json({"type": "subscribe", "data": {"id": "events.all"}})
            await socket.receive_json()
            data = {"propertyId": place, "requestIdentifier": "a"}
            await socket.send_str(json.dumps({"type": "queries.dispatch-drone", "data": data}))
            assert (await socket.receive_json())["event"] == "events.drone-dispatched"
            answer = await socket.receive_json()
            assert answer["data"] == {"droneId": 1, "requestIdentifier": "a"}
