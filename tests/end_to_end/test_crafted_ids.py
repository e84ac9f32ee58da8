"""Whoever makes up the id of a button or of a form gets no further than the right one would."""

from collections.abc import Iterator
from typing import Any

import pytest

from cogs.bot import LISTS
from cogs.commands.open_card import CardOpener
from cogs.ui.buttons import ButtonDeclaration, declarations, read_number, read_subject
from cogs.ui.modals import FormDeclaration
from cogs.ui.pages import PageTurner
from db import audit, journal
from db.database import open_read_only
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import render
from tests.texts import command_cogs

SECRET = "Secret"
"""A word in all that is there to be seen."""

SUBJECTS = [
    *("alarm:1", "removal:1", "flight:1", "approval:1", "panic:1", "board:0"),
    *("emergency:9@default", "dispatch:10@default"),
]


def _ids(kind: type[ButtonDeclaration]) -> Iterator[tuple[str, ButtonDeclaration]]:
    """Yield ids of every declared action and list, about all that there is."""
    for owner in (*command_cogs(), PageTurner, CardOpener):
        for declaration, _name in declarations(owner, kind):
            arguments = ["1"] if declaration.read_argument is read_number else SUBJECTS
            if "page:o" in declaration.actions:
                arguments = [f"{name}:0:1" for name in LISTS]
            for action in declaration.actions:
                yield from ((f"{action}:{argument}", declaration) for argument in arguments)


def _nonsense(kind: type[ButtonDeclaration]) -> Iterator[tuple[str, ButtonDeclaration]]:
    """Yield ids behind whose actions something else stands than a number or a subject."""
    for owner in command_cogs():
        for declaration, _name in declarations(owner, kind):
            if declaration.read_argument in (read_number, read_subject):
                for argument in ("dispatch:x", "1.x", ":", "9" * 19):
                    yield f"{declaration.actions[0]}:{argument}", declaration


async def _stored(env: BotEnvironment) -> tuple[int, int]:
    """Return how much was journalled and audited."""
    async with open_read_only(env.settings().database.path) as sql:
        newest = await audit.page(sql, None, None, 1, 0)
        return (await journal.bounds(sql))[1], newest[0].id


async def _house(env: BotEnvironment) -> None:
    place = {"location": SECRET, "tier": 1, "x": 0, "y": 0, "description": SECRET}
    await env.query("add-property", **place, clientId="license:secret")
    await env.query("add-user", userId="license:secret", fullName=SECRET)
    for kind in (1, 3, 3):
        await env.query("add-equipment", propertyId=1, equipmentType=kind, description=SECRET)
    await env.query("dispatch-drone", propertyId=1)
    await env.query("add-alert", propertyId=1, userId="license:secret")
    await env.query("request-remove-property", propertyId=1, userId="license:secret")
    await env.push("EVENT_911", call_911(9, location=SECRET))
    await env.push("EVENT_DISPATCH_NEW", dispatch_call(10, title=SECRET))
    await env.push("EVENT_UNIT_PANIC", {"idents": [7], "isPanic": True})


@pytest.mark.parametrize("kind", [ButtonDeclaration, FormDeclaration])
async def test_made_up_ids_show_and_change_nothing(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture, kind: type[ButtonDeclaration]
) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await _house(env)
        message = (await env.fake.slash(env.anna, "help")).message
        form = await env.fake.slash(env.anna, "removal deny", property="1")
        assert message is not None
        modal = form.modal
        assert modal is not None

        async def use(custom_id: str, declaration: ButtonDeclaration) -> str:
            """Press or submit it, and return what there is to be read."""
            if isinstance(declaration, FormDeclaration):
                inputs = [_input(number, name) for number, name in enumerate(declaration.inputs)]
                modal.update(custom_id=custom_id, components=inputs)
                values = dict.fromkeys(declaration.inputs, "1")
                reply = await env.fake.submit(env.anna, form, values)
            else:
                button = {"type": 2, "id": 2, "style": 1, "label": "Go", "custom_id": custom_id}
                message.components = [{"type": 1, "id": 1, "components": [button]}]
                reply = await env.fake.click(env.anna, message, "Go")
            told = [render(reply), render(message), *map(render, reply.followups)]
            return "".join(told)

        for custom_id, declaration in _nonsense(kind):
            await use(custom_id, declaration)  # by an approver
        env.anna.remove_role(*env.anna.roles)
        before = await _stored(env)
        for custom_id, declaration in _ids(kind):
            assert SECRET not in await use(custom_id, declaration), custom_id
        assert await _stored(env) == before
    assert "Traceback" not in caplog.text


def _input(number: int, name: str) -> dict[str, Any]:
    field = {"type": 4, "id": 2 * number + 2, "style": 2, "custom_id": name, "required": False}
    return {"type": 18, "id": 2 * number + 1, "label": name, "component": field}
