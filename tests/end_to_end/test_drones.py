"""`/drone` in Discord and the drone queries of scripts are the same operations."""

import asyncio
import json

import aiohttp

from tests.end_to_end.environment import TOKEN, BotEnvironment
from tests.fake_discord import render


async def test_a_dispatch_from_discord_is_sent_to_scripts_and_has_a_card(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Vinewood villa", drones=1)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.ws_connect(f"{env.url}/ws") as socket,
        ):
            await socket.send_json({"type": "subscribe", "data": {"id": "drone-dispatched"}})
            assert (await socket.receive_json())["type"] == "status"
            choices = await env.fake.autocomplete(
                env.dora, "drone dispatch", focused="property", value="vine"
            )
            assert [choice.name for choice in choices] == [f"Vinewood villa ({property_id})"]
            reply = await env.fake.slash(env.dora, "drone dispatch", property=choices[0].value)
            await env.fake.until(lambda: bool(reply.content))
            assert reply.ephemeral
            assert reply.content == "Drone 1 (Drone 1) took off from **Vinewood villa**."
            event = await socket.receive_json()
            assert event["type"] == "events.drone-dispatched"
            assert event["data"] == {"propertyId": property_id, "droneId": 1}
        card = await env.channel("drones").next_message()
        assert f"Sent out by: <@{env.dora.id}>" in render(card)
        assert card.pings == []
        out = await env.query("get-dispatched-drones")
        assert [drone["id"] for drone in out["drones"]] == ["1"]
        pressed = await env.fake.click(env.dora, card, "Recall")
        await env.fake.until(lambda: pressed.content == "Drone 1 (Drone 1) recalled.")
        await env.fake.until(lambda: "Drone back" in render(card))
        assert (await env.query("get-dispatched-drones"))["drones"] == []


async def test_a_refusal_names_the_missing_role_and_changes_nothing(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=1)
        reply = await env.fake.slash(env.vic, "drone dispatch", property=str(property_id))
        await env.fake.until(lambda: bool(reply.content))
        assert reply.content == (
            f"This needs the dispatcher role: <@&{env.dispatchers.id}>, or to be the owner or"
            " on the access list of the property."
        )
        reply = await env.fake.slash(env.stranger, "drone list")
        await env.fake.until(lambda: bool(reply.content))
        assert reply.content.startswith(f"This needs the viewer role: <@&{env.viewers.id}>, or to")
        assert (await env.query("get-dispatched-drones"))["drones"] == []


async def test_20_concurrent_dispatches_of_two_drones_are_two_flights(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=2)
        from_discord = [
            env.fake.slash(env.dora, "drone dispatch", property=str(property_id)) for _ in range(10)
        ]
        from_scripts = [env.query("dispatch-drone", propertyId=property_id) for _ in range(10)]
        replies, answers = await asyncio.gather(
            asyncio.gather(*from_discord), asyncio.gather(*from_scripts)
        )
        await env.fake.until(lambda: all(reply.content for reply in replies))
        sent = [reply for reply in replies if "dispatched" in reply.content]
        assert len(sent) + sum("droneId" in answer for answer in answers) == 2
        assert len((await env.query("get-dispatched-drones"))["drones"]) == 2
        await env.fake.until(lambda: len(env.channel("drones").messages) == 2)


async def test_recall_and_list_answer_readably(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa **bold**", drones=2)
        reply = await env.fake.slash(env.vic, "drone list", property=str(property_id))
        await env.fake.until(lambda: reply.answered)
        assert "# Drones · Villa \\*\\*bold\\*\\*" in render(reply)
        assert "1 · Drone 1 · free\n│ 2 · Drone 2 · free" in render(reply)
        reply = await env.fake.slash(env.dora, "drone recall", drone="1")
        await env.fake.until(lambda: reply.content == "Drone 1 (Drone 1) is not out.")
        reply = await env.fake.slash(env.dora, "drone recall", drone="what?")
        await env.fake.until(lambda: reply.content == "No drone that is out is called “what?”.")
        for number in (1, 2):
            await env.query("dispatch-drone", propertyId=property_id, droneId=number)
        reply = await env.fake.slash(env.dora, "drone recall", drone=" drone 2")
        await env.fake.until(lambda: reply.content == "Drone 2 (Drone 2) recalled.")
        reply = await env.fake.slash(env.dora, "drone dispatch", property="Nowhere")
        await env.fake.until(lambda: reply.content == "No property matches “Nowhere”.")


async def test_a_script_gets_the_drone_event_before_its_own_answer(env: BotEnvironment) -> None:
    async with env.bot_running():
        property_id = await env.add_property("Villa", drones=1)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.ws_connect(f"{env.url}/ws") as socket,
        ):
            await socket.send_json({"type": "subscribe", "data": {"id": "events.all"}})
            await socket.receive_json()
            data = {"propertyId": property_id, "requestIdentifier": "a"}
            await socket.send_str(json.dumps({"type": "queries.dispatch-drone", "data": data}))
            assert (await socket.receive_json())["event"] == "events.drone-dispatched"
            answer = await socket.receive_json()
            assert answer["data"] == {"droneId": 1, "requestIdentifier": "a"}
