"""The catalogue: names are unique, scopes hold at every door, models come from annotations."""

import pytest

from tests.webhook.harness import AppHarness
from webhook.protocol.catalogue import Catalogue, Nothing, operation
from webhook.protocol.context import Caller, Context, Scope, Share
from webhook.protocol.errors import Forbidden
from webhook.protocol.wire import Reply, Wire
from webhook.queries.models import OfProperty


class Number(Wire):
    number: int


class Doubled(Reply):
    twice: int


def doubling(name: str, *aliases: str) -> Catalogue:
    table = Catalogue()

    @table.query(name, *aliases, scope=Scope.WRITE)
    async def double(context: Context, ask: Number) -> Doubled:
        """Double a number.

        The rest of the docstring is for readers of the code.
        """
        return Doubled(twice=2 * ask.number)

    return table


@pytest.mark.parametrize("aliases", [(), ("b", "a"), ("b", "c")])
def test_name_twice_is_rejected(aliases: tuple[str, ...]) -> None:
    first = doubling("b", "c")
    with pytest.raises(ValueError, match="declared twice"):
        Catalogue.join(first, doubling("a" if aliases else "c", *aliases))


def test_alias_like_the_name_is_rejected() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        doubling("a", "a")


def test_models_scope_and_summary_are_read_from_the_function() -> None:
    (query,) = doubling("a", "b").queries
    assert (query.name, query.aliases, query.scope) == ("a", ("b",), Scope.WRITE)
    assert (query.ask, query.reply, query.summary) == (Number, Doubled, "Double a number.")


@pytest.mark.parametrize("name", ["queries.a", "queries.b"])
async def test_query_answers_to_its_name_and_aliases(harness: AppHarness, name: str) -> None:
    frame = await harness.frame(name, {"number": 4}, catalogue=doubling("a", "b"))
    assert frame == {"type": name.removeprefix("queries."), "data": {"twice": 8}}


@pytest.mark.parametrize("name", ["a", "queries.", "queries.c", "queries.queries.a", "", "x" * 999])
async def test_another_name_is_unknown_and_shown_shortened(harness: AppHarness, name: str) -> None:
    frame = await harness.frame(name, {"number": 4}, catalogue=doubling("a"))
    assert frame["data"]["code"] == "unknown-type"
    assert len(frame["data"]["message"]) < 120


async def test_scope_holds_for_messages(harness: AppHarness) -> None:
    frame = await harness.frame("queries.a", {"number": 4}, Scope.READ, doubling("a"))
    assert frame["data"]["code"] == "forbidden"


async def test_scope_holds_for_whoever_calls_the_function(harness: AppHarness) -> None:
    table = Catalogue()

    @table.query("a", scope=Scope.ADMIN)
    async def clear(context: Context) -> Doubled:
        """Clear."""
        return Doubled(twice=0)

    assert table.queries[0].ask is Nothing
    with pytest.raises(Forbidden) as refused:
        await clear(harness.context(Scope.APPROVE))
    assert refused.value.scope == "ADMIN"
    assert await clear(harness.context(Scope.ADMIN)) == Doubled(twice=0)


def test_each_scope_includes_those_before_it() -> None:
    for scope in Scope:
        for needed in Scope:
            caller = Caller("c", scope)
            if needed <= scope:
                caller.must(needed)
            else:
                with pytest.raises(Forbidden):
                    caller.must(needed)


async def test_operation_needs_the_scope_or_the_share_in_its_property(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()

    @operation(scope=Scope.READ, share=Share.OWNER)
    async def show(context: Context, ask: OfProperty) -> int:
        return ask.property_id

    async def show_to(caller: Caller, property_id: int) -> int:
        return await show(harness.context().of(caller), OfProperty(property_id=property_id))

    owner = Caller("discord:1", Scope.NONE, ("license:owner",))
    assert await show_to(owner, number) == number
    assert await show_to(Caller("script", Scope.READ), 99) == 99
    for caller, property_id in (
        (owner, 99),
        (Caller("discord:2", Scope.NONE, ("license:other",)), number),
        (Caller("script", Scope.NONE), number),
    ):
        with pytest.raises(Forbidden):
            await show_to(caller, property_id)
