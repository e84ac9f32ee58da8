"""Drills: `cad-sentinel simulate` announces itself, so that nobody is called and all is removed."""

from db import crimes, simulations, users
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import Subject
from webhook.protocol.wire import Flag, Id, Reply, Request, Success
from webhook.queries.cad.lookup import configured_cads
from webhook.queries.models import existing_property
from webhook.queries.properties.removals import remove
from webhook.queries.users import forget_user

table = Catalogue()

MAX_DRILLS = 100
"""Drills that have not ended; scripts that never end theirs would add them without end."""


class NewSimulation(Request):
    """Whether the drill may mention people."""

    pings: Flag = False


class BegunSimulation(Success):
    """The number by which everything of the drill is known."""

    simulation_id: int


class OfSimulation(Request):
    """One drill."""

    simulation_id: Id


class SimulationData(Reply):
    """A drill, and what of it is still open in the CAD's state: calls by number, units by ident."""

    simulation_id: int
    emergencies: list[int]
    dispatches: list[int]
    panics: list[int]
    units: list[int]


class SimulationList(Reply):
    """The drills whose traces are still there."""

    simulations: list[SimulationData]


class EndedSimulation(Success):
    """How much was removed."""

    properties: int
    users: int


@table.query("begin-simulation", scope=Scope.WRITE)
async def begin_simulation(context: Context, ask: NewSimulation) -> BegunSimulation:
    """Begin a drill: its alarms never escalate, and it mentions nobody unless asked to."""
    async with context.change() as change:
        if len(await simulations.every(change.sql)) >= MAX_DRILLS:
            raise Conflict("there are {most} drills already; end one first", most=MAX_DRILLS)
        number = await simulations.begin(change.sql, change.received, pings=ask.pings)
        await change.audit("begin-simulation", _subject(number), after={"pings": ask.pings})
    return BegunSimulation(simulation_id=number)


@table.query("get-simulations", scope=Scope.READ)
async def get_simulations(context: Context) -> SimulationList:
    """List the drills of which something is left, also those that were broken off."""
    cads = await configured_cads(context.read)
    found = [
        SimulationData(
            simulation_id=drill.id,
            **(await simulations.open_traces(context.read, drill.id, cads))._asdict(),
        )
        for drill in await simulations.every(context.read)
    ]
    return SimulationList(simulations=found)


@table.query("end-simulation", scope=Scope.WRITE)
async def end_simulation(context: Context, ask: OfSimulation) -> EndedSimulation:
    """Remove the properties and users of a drill; what is out is recalled, and alarms end."""
    number = ask.simulation_id
    async with context.change() as change:
        if number not in {drill.id for drill in await simulations.every(change.sql)}:
            raise NotFound("there is no simulation {id}", id=number)
        owned = await simulations.property_ids(change.sql, number)
        for property_id in owned:
            await remove(change, await existing_property(change.sql, property_id))
            await crimes.forget_at(change.sql, property_id)
        people = await simulations.user_ids(change.sql, number)
        for user_id in people:
            user = await users.get(change.sql, user_id)
            if user is not None:
                await forget_user(change, user)
        await simulations.forget(change.sql, number)
        await change.audit("end-simulation", _subject(number))
    return EndedSimulation(properties=len(owned), users=len(people))


def _subject(number: int) -> Subject:
    return Subject("simulation", str(number))
