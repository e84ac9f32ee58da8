"""Each adapter beside a stand-in for its resource: what happened is reported, what is forged not.

The stand-ins have the names of the events and exports of the resources, and what those tell others.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fivem.conftest import NAME, RESOURCE, SentinelServer
from tests.fivem.scripted_bot import ScriptedBot

WREN, VIC = 1, 2
WREN_USER, VIC_USER = "license:41aa90be", "license:9b41fe02"
DOOR = (100.0, 200.0, 30.0)
FAR = (900.0, 900.0, 30.0)

DATABASE = """
    local tables = {
        players = {
            { citizenid = 'CID1', license = 'license:41aa90be' },
            { citizenid = 'CID2', license = 'license2:9b41fe99' },
        },
    }
    exports('set', function(name, rows) tables[name] = rows end)
    exports('query', function(sql, parameters, done)
        local rows = tables[sql:match('FROM (%w+)')]
        if sql:find(' IN ', 1, true) then
            local asked, found = {}, {}
            for _, one in ipairs(parameters) do asked[one] = true end
            for _, row in ipairs(rows) do
                if asked[row.citizenid] then found[#found + 1] = row end
            end
            rows = found
        end
        done(rows)
    end)
"""

QBX_CORE = """
    exports('GetPlayer', function(player)
        local job = { name = player == 1 and 'police' or 'mechanic', onduty = true }
        return { PlayerData = { source = player, job = job } }
    end)
    exports('GetPlayerByCitizenId', function(citizen)
        return citizen == 'CID1' and { PlayerData = { source = 1 } } or nil
    end)
"""

Game = Callable[[str, str], SentinelServer]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Game]:
    """Return a function that starts the game beside a stand-in of this name and script."""
    servers = []

    def start(name: str, script: str) -> SentinelServer:
        server = SentinelServer(tmp_path, ScriptedBot())
        servers.append(server)
        server.players[WREN].position = DOOR
        server.join(VIC, "Vic", DOOR, license="9b41fe02", license2="9b41fe99")
        for other, text in {"oxmysql": DATABASE, "qbx_core": QBX_CORE, name: script}.items():
            server.add_script(other, text)
        server.start("oxmysql", "qbx_core", name, NAME)
        server.run(3.0)
        return server

    yield start
    for server in servers:
        with server:
            assert server.errors == []
            assert not any("failed" in line for line in server.console)
            assert server.kvp.open_finds == 0


def reports(server: SentinelServer) -> list[tuple[str, dict[str, Any]]]:
    """Return what the bot got since the last call, as (query, data)."""
    server.drain()
    found = [
        (one["type"].removeprefix("queries."), one.get("data", {})) for one in server.bot.messages
    ]
    server.bot.messages.clear()
    return found


def scan(source: str, number: str, user: str, allowed: bool, **more: str) -> tuple[str, Any]:
    """Return the report of somebody at a house's door."""
    data = {"external": {"source": source, "id": number}, "userId": user, "allowed": allowed}
    reason = {} if allowed else {"reason": "has no key"}
    return "add-auth-entry", data | {"method": "key"} | reason | more


PS_HOUSING = """
    local houses = {
        ['17'] = {
            property_id = '17',
            playersInside = {},
            raiding = false,
            propertyData = {
                owner = 'CID1', street = 'Grove Street', has_access = {},
                door_data = { x = 100.4, y = 200.0, z = 30.0 },
            },
        },
        ['18'] = {
            property_id = '18',
            playersInside = {},
            propertyData = { street = 'Grove Street', has_access = {}, door_data = { count = 1 } },
        },
    }
    exports('GetProperties', function() return houses end)
    exports('Change', function(id, field, value) houses[id].propertyData[field] = value end)
    exports('Raid', function(id) houses[id].raiding = true end)
    exports('LetIn', function(id, player) houses[id].playersInside[player] = true end)
    exports('Delete', function(id) houses[id] = nil end)
    RegisterNetEvent('ps-housing:server:addAccess', function() end)
"""

HOUSE_17 = {
    "external": {"source": "ps-housing", "id": "17"},
    "location": "Grove Street 17",
    "x": 100,
    "y": 200,
    "owner": WREN_USER,
}


def test_ps_housing_reports_owned_houses_and_each_change_once(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    assert reports(server) == [("put-property", HOUSE_17)]
    server.call("ps-housing", "Change", "17", "has_access", ["CID2"])
    server.trigger_from_player(WREN, "ps-housing:server:addAccess", "17", VIC)
    server.run(2.0)
    house = {"external": HOUSE_17["external"]}
    assert reports(server) == [("add-allowed-user", house | {"userId": VIC_USER})]
    server.call("ps-housing", "Change", "17", "has_access", [])
    server.trigger_from_player(WREN, "ps-housing:server:removeAccess", "17", "CID2")
    server.run(2.0)
    assert reports(server) == [("remove-allowed-user", house | {"userId": VIC_USER})]
    server.trigger("ps-housing:server:updateProperty", "UpdateOwner", "17", {"targetSrc": VIC})
    server.run(5.0)
    assert reports(server) == []  # the buyer has not confirmed yet
    server.call("ps-housing", "Change", "17", "owner", "CID2")
    server.run(60.0)
    assert reports(server) == [("put-property", HOUSE_17 | {"owner": VIC_USER})]
    server.restart(NAME)
    server.run(5.0)
    assert reports(server) == []


def test_console_has_all_houses_reported_again(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    assert server.command("cadsentinel sync") == ["1 houses are read and reported again."]
    server.run(2.0)
    assert reports(server) == [("put-property", HOUSE_17)]


def test_a_former_owner_no_longer_sees_a_house_without_an_owner(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    server.call("ps-housing", "Change", "17", "owner", None)
    server.trigger("ps-housing:server:updateProperty", "UpdateForSale", "17", {})
    server.run(2.0)
    assert reports(server) == [("put-property", HOUSE_17 | {"owner": "ps-housing"})]


def test_removed_house_is_removed_after_a_minute_but_not_while_the_script_loads(
    beside: Game,
) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    server.call("ps-housing", "Delete", "17")
    server.trigger("ps-housing:server:updateProperty", "DeleteProperty", "17", {})
    server.run(30.0)
    assert reports(server) == []
    server.run(60.0)
    removal = {"external": HOUSE_17["external"], "reason": "removed in the game"}
    assert reports(server) == [("request-remove-property", removal)]
    server.call("ps-housing", "Delete", "18")
    server.run(700.0)
    assert reports(server) == []


def test_ps_housing_reports_who_has_a_key_and_who_has_not(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    for player in (WREN, VIC):
        server.trigger_from_player(player, "ps-housing:server:enterProperty", "17")
    server.run(2.0)
    assert reports(server) == [
        scan("ps-housing", "17", WREN_USER, True),
        scan("ps-housing", "17", VIC_USER, False),
    ]


def test_ps_housing_reports_visits_and_raids_only_if_they_happened(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    answer = {"property_id": "17", "targetSrc": VIC}
    server.trigger_from_player(VIC, "ps-housing:server:doorbellAnswer", answer)
    server.trigger_from_player(VIC, "ps-housing:server:raidProperty", "17")
    server.trigger_from_player(WREN, "ps-housing:server:raidProperty", "17")
    server.run(3.0)
    assert reports(server) == []
    server.call("ps-housing", "Raid", "17")
    server.call("ps-housing", "LetIn", "17", str(VIC))
    server.trigger_from_player(WREN, "ps-housing:server:doorbellAnswer", answer)
    server.run(60.0)
    visit = {"external": HOUSE_17["external"], "userId": VIC_USER}
    raid = scan("ps-housing", "17", WREN_USER, True, method="raid", reason="police raid")
    assert reports(server) == [("add-visitor", visit), raid]


def test_forged_and_malformed_attempts_have_no_effect(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    server.players[VIC].position = FAR
    nonsense: list[object] = ["17", 17, "99", None, {}, "x" * 9000, [["17"]], -1.5]
    for number, id_ in enumerate(nonsense):
        for event in ("enterProperty", "raidProperty", "doorbellAnswer", "addAccess"):
            server.trigger_from_player(VIC, f"ps-housing:server:{event}", id_, number)
        server.run(1.1)
    server.run(31.0)
    assert reports(server) == []


QB_HOUSES = "RegisterNetEvent('qb-houses:server:buyHouse', function() end)"


def qb_rows(owner: str | None, keys: str = "[]") -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of the table of houses."""
    row = {
        "name": "grove1",
        "label": "Grove 1",
        "coords": '{"enter":{"x":100.0,"y":200.0,"z":30.0,"h":0}}',
        "identifier": owner,
        "keyholders": keys,
    }
    return "houselocations", [row, {"name": "grove2", "coords": "nonsense"}]


def test_qb_houses_are_read_from_the_database(beside: Game) -> None:
    server = beside("qb-houses", QB_HOUSES)
    server.call("oxmysql", "set", *qb_rows(None))
    server.trigger_from_player(VIC, "qb-houses:server:buyHouse", "grove1")
    server.run(2.0)
    assert reports(server) == []  # nobody has bought it
    server.call("oxmysql", "set", *qb_rows(WREN_USER, '["CID1","CID2"]'))
    server.trigger("qb-log:server:CreateLog", "house", "House bought")
    server.run(2.0)
    external = {"source": "qb-houses", "id": "grove1"}
    house = {"external": external, "location": "Grove 1", "x": 100, "y": 200, "owner": WREN_USER}
    assert reports(server) == [
        ("put-property", house),
        ("add-allowed-user", {"external": external, "userId": VIC_USER}),
    ]
    server.call("oxmysql", "set", *qb_rows(VIC_USER, "[]"))
    server.run(61.0)  # a transfer that nobody tells
    assert reports(server) == [("put-property", house | {"owner": VIC_USER})]


def test_qb_houses_reports_entries_guests_and_police(beside: Game) -> None:
    server = beside("qb-houses", QB_HOUSES)
    server.call("oxmysql", "set", *qb_rows(VIC_USER))
    server.run(61.0)
    reports(server)
    inside = "qb-houses:server:SetInsideMeta"
    server.trigger_from_player(VIC, inside, "grove1", True)
    server.trigger_from_player(WREN, inside, "grove1", False)
    server.trigger_from_player(VIC, "qb-houses:server:OpenDoor", WREN, "grove1")
    server.trigger_from_player(WREN, "qb-houses:server:OpenDoor", VIC, "grove1")  # has no key
    server.trigger_from_player(VIC, "qb-houses:server:SetHouseRammed", True, "grove1")
    server.trigger_from_player(WREN, "qb-houses:server:SetHouseRammed", True, "grove1")
    server.run(2.0)
    visit = {"external": {"source": "qb-houses", "id": "grove1"}, "userId": WREN_USER}
    raid = scan("qb-houses", "grove1", WREN_USER, True, method="raid", reason="police raid")
    assert reports(server) == [
        raid,
        scan("qb-houses", "grove1", VIC_USER, True),
        ("add-visitor", visit),
    ]


def test_qbx_properties_end_of_a_rent_and_denied_entries_are_seen(beside: Game) -> None:
    server = beside("qbx_properties", "")
    row = {
        "id": 5,
        "property_name": "Vinewood 5",
        "coords": '{"x":100.0,"y":200.0,"z":30.0}',
        "owner": "CID2",
        "keyholders": "{}",
    }
    server.call("oxmysql", "set", "properties", [row])
    server.trigger_from_player(VIC, "qbx_properties:server:rentProperty", 5)
    server.run(2.0)
    external = {"source": "qbx_properties", "id": "5"}
    house = {"external": external, "location": "Vinewood 5", "x": 100, "y": 200, "owner": VIC_USER}
    assert reports(server) == [("put-property", house)]
    server.trigger_from_player(WREN, "qbx_properties:server:enterProperty", {"id": 5})
    server.run(2.0)
    assert reports(server) == [scan("qbx_properties", "5", WREN_USER, False)]
    let_in = "qbx_properties:server:letRingerIn"
    for player, guest in ((WREN, "CID1"), (VIC, "CID7"), (VIC, "CID1")):
        server.trigger_from_player(player, let_in, guest)
        server.run(2.0)
    assert reports(server) == [("add-visitor", {"external": external, "userId": WREN_USER})]
    server.call("oxmysql", "set", "properties", [row | {"owner": None}])
    server.run(61.0)
    assert reports(server) == [("put-property", house | {"owner": "qbx_properties"})]


def test_owner_of_qbx_who_is_not_here_is_known_by_the_second_license_until_they_come(
    beside: Game,
) -> None:
    server = beside("qbx_properties", "")
    server.leave(VIC)
    row = {"id": 5, "property_name": "Vinewood 5", "coords": "{}", "owner": "CID2"}
    server.call("oxmysql", "set", "properties", [row])
    server.run(61.0)
    assert [data["owner"] for _, data in reports(server)] == ["license2:9b41fe99"]
    server.join(VIC, "Vic", DOOR, license="9b41fe02", license2="9b41fe99")
    server.run(61.0)
    assert [data["owner"] for _, data in reports(server)] == [VIC_USER]
    server.leave(VIC)
    server.restart(NAME)
    server.run(61.0)
    assert reports(server) == []


ESX_PROPERTY = """
    local houses = {
        { Name = 'Villa', setName = '', Owner = 'char1:9b41fe02', Owned = true, Keys = {},
          Entrance = { x = 100.0, y = 200.0, z = 30.0 }, plysinside = { 1, 2 } },
        { Name = 'Loft', setName = 'My Loft', Owner = 'char2:41aa90be', Owned = true,
          Entrance = { x = 500.0, y = 200.0, z = 30.0 }, plysinside = { 1 } },
    }
    exports('GetProperties', function() return houses end)
    exports('DeleteFirst', function() table.remove(houses, 1) end)
"""


def test_esx_houses_are_the_same_when_their_places_shift(beside: Game) -> None:
    server = beside("esx_property", ESX_PROPERTY)
    put = {data["external"]["id"]: data for _, data in reports(server)}
    assert put["Villa@100,200"]["owner"] == VIC_USER
    assert put["Loft@500,200"]["owner"] == WREN_USER
    assert put["Loft@500,200"]["location"] == "My Loft"
    enter = "esx_property:enter"
    server.trigger_from_player(WREN, enter, 2)
    server.trigger_from_player(VIC, enter, 2)  # the script does not have them inside
    server.run(2.0)
    assert reports(server) == [scan("esx_property", "Loft@500,200", WREN_USER, True)]
    server.call("esx_property", "DeleteFirst")
    server.trigger_from_player(WREN, "esx:triggerServerCallback", "esx_property:deleteProperty", 1)
    server.run(2.0)
    server.trigger_from_player(WREN, enter, 1)
    server.run(2.0)
    assert reports(server) == [scan("esx_property", "Loft@500,200", WREN_USER, True)]
    server.run(62.0)
    [(query, data)] = reports(server)
    assert query == "request-remove-property"
    assert data["external"]["id"] == "Villa@100,200"


def test_esx_guest_without_a_key_is_a_visitor(beside: Game) -> None:
    server = beside("esx_property", ESX_PROPERTY)
    reports(server)
    server.trigger_from_player(WREN, "esx_property:enter", 1)
    server.run(2.0)
    visit = {"external": {"source": "esx_property", "id": "Villa@100,200"}, "userId": WREN_USER}
    assert reports(server) == [("add-visitor", visit)]


OX_DOORLOCK = """
    local hook
    local doors = {
        [3] = { id = 3, name = 'villa gate', coords = { x = 5.0, y = 5.0, z = 0.0 } },
        [4] = { id = 4, name = 'police station', coords = { x = 700.0, y = 5.0, z = 0.0 } },
        [5] = { id = 5, name = 'ps_mloproperty17_1' },
    }
    exports('getDoor', function(id) return doors[id] end)
    exports('registerHook', function(_, fn) hook = fn return 1 end)
    exports('Use', function(player, id, item, is_lockpick)
        local authorised = item or false
        local answer = hook({
            source = player, door = doors[id], lockpick = is_lockpick, authorised = authorised,
        })
        if authorised then
            TriggerEvent('ox_doorlock:stateChanged', player, id, false, authorised)
        end
        return answer == nil
    end)
"""


def ox_doors(beside: Game) -> SentinelServer:
    """Return a game with ox_doorlock, one of whose doors is configured."""
    server = beside("ox_doorlock", OX_DOORLOCK)
    config = server.resources[NAME].folder / "config.lua"
    config.write_text(
        config.read_text().replace(
            "adapters = {", "adapters = { ['ox_doorlock'] = { doors = { ['villa gate'] = 12 } },", 1
        )
    )
    server.restart(NAME)
    server.run(1.0)
    return server


def test_ox_doorlock_reports_opened_and_denied_doors_of_properties(beside: Game) -> None:
    server = ox_doors(beside)
    uses = [(WREN, 3, "gate_card"), (WREN, 4, "badge"), (VIC, 5, True), (VIC, 3, None)]
    for player, door, item in uses:
        assert server.call("ox_doorlock", "Use", player, door, item, False) == [True]
        server.run(1.1)
    found = reports(server)
    card = {"propertyId": 12, "userId": WREN_USER, "allowed": True, "method": "gate_card"}
    denied = {"propertyId": 12, "userId": VIC_USER, "allowed": False, "method": "door"}
    assert found == [
        ("add-auth-entry", card),
        scan("ps-housing", "17", VIC_USER, True, method="door"),
        ("add-auth-entry", denied | {"reason": "has no key"}),
    ]


def test_ox_doorlock_hook_is_given_again_after_its_restart(beside: Game) -> None:
    server = ox_doors(beside)
    server.restart("ox_doorlock")
    server.run(0.1)
    assert server.call("ox_doorlock", "Use", VIC, 3, None, False) == [True]
    server.run(1.0)
    assert len(reports(server)) == 1


def test_picked_lock_raises_the_alarm_without_naming_who(beside: Game) -> None:
    server = ox_doors(beside)
    server.call("ox_doorlock", "Use", VIC, 3, "lockpick", True)
    server.run(1.0)
    found = reports(server)
    alarm = {"propertyId": 12, "userId": "ox_doorlock", "note": "Lock picked"}
    crime = {"propertyId": 12, "description": "Lock picked (5, 5)"}
    assert found == [("add-alert", alarm), ("add-crime", crime)]


PS_DISPATCH = """
    local calls = {}
    exports('GetDispatchCalls', function() return calls end)
    RegisterNetEvent('ps-dispatch:server:notify', function(data)
        if type(data) == 'table' and data.codeName then calls[#calls + 1] = data end
    end)
"""


def test_ps_dispatch_robberies_ring_at_the_house_once_a_minute(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    reports(server)
    server.add_script("ps-dispatch", PS_DISPATCH)
    server.start("ps-dispatch")
    server.run(0.1)
    notify = "ps-dispatch:server:notify"
    robbery = {"codeName": "houserobbery", "message": "House Robbery", "street": "Grove Street"}
    server.trigger_from_player(VIC, notify, {"codeName": "vehicletheft", "message": "Theft"})
    nonsense: list[object] = [None, [], "houserobbery", {"message": robbery}]
    for forged in nonsense:
        server.trigger_from_player(WREN, notify, forged)
    server.run(1.1)
    for player in (VIC, WREN):
        server.trigger_from_player(player, notify, robbery | {"coords": {"x": 0, "y": 0, "z": 0}})
        server.run(1.1)
    text = "House Robbery Grove Street"
    external = {"source": "ps-housing", "id": "17"}
    assert reports(server) == [
        ("add-alert", {"external": external, "userId": "ps-dispatch", "note": text}),
        ("add-crime", {"external": external, "description": f"{text} (100, 200)"}),
    ]


def test_cd_dispatch_alerts_count_where_the_player_stands(beside: Game) -> None:
    server = beside("cd_dispatch", "")
    event = "cd_dispatch:AddNotification"
    there = {"coords": {"x": 110.0, "y": 200.0, "z": 30.0}, "title": "10-90", "message": "Robbery"}
    server.trigger_from_player(VIC, event, there | {"coords": {"x": 900.0, "y": 0.0}})
    server.trigger_from_player(VIC, event, {"coords": "nowhere"})
    server.run(1.1)
    server.trigger_from_player(VIC, event, there)
    server.run(1.1)
    assert reports(server) == [("add-crime", {"description": "10-90 Robbery (100, 200)"})]


@pytest.mark.parametrize("framework", ["qb", "qbx"])
def test_house_robberies_count_once_the_burglar_is_inside(beside: Game, framework: str) -> None:
    server = beside(f"{framework}-houserobbery".replace("qbx-", "qbx_"), "")
    event = f"{framework}-houserobbery:server:enterHouse".replace("qbx-", "qbx_")
    server.trigger_from_player(VIC, event, 1)  # forged: nothing comes of it
    server.run(20.0)
    assert reports(server) == []
    if framework == "qbx":
        server.trigger("lockpicks:UseLockpick", VIC, True)
    else:
        server.trigger_from_player(VIC, event, 1)
    server.players[VIC].position = (100.0, 200.0, -60.0)
    server.players[VIC].bucket = 71
    server.run(20.0)
    assert reports(server) == [("add-crime", {"description": "House robbery (100, 200)"})]


OX_INVENTORY = """
    local hook
    exports('registerHook', function(_, fn, options)
        hook = fn
        return ('cad-sentinel:swapItems:%d'):format(#options.inventoryFilter)
    end)
    exports('Move', function(move, is_done)
        local answer = hook(move)
        TriggerEvent('cad-sentinel:swapItems:3', is_done, move)
        return answer == nil
    end)
"""


def test_ox_inventory_says_who_took_what_from_a_stash(beside: Game) -> None:
    server = beside("ps-housing", PS_HOUSING)
    server.add_script("ox_inventory", OX_INVENTORY)
    server.start("ox_inventory")
    server.run(0.1)
    reports(server)
    server.trigger("ox_inventory:openedInventory", VIC, "property_17")
    server.trigger("ox_inventory:openedInventory", WREN, "trunk-ABC")
    server.trigger("ox_inventory:openedInventory", WREN, None)
    taken = {
        "source": VIC,
        "fromInventory": "property_17",
        "toInventory": VIC,
        "count": 3,
        "fromSlot": {"name": "gold", "label": "Gold bar", "count": 9},
    }
    assert server.call("ox_inventory", "Move", taken, True) == [True]
    assert server.call("ox_inventory", "Move", taken, False) == [True]
    put = taken | {"fromInventory": VIC, "toInventory": "property_17"}
    server.restart("ox_inventory")
    server.run(0.1)
    assert server.call("ox_inventory", "Move", put, True) == [True]
    reasons = ["stash opened", "taken out: 3 × Gold bar", "put in: 3 × Gold bar"]
    assert reports(server) == [
        scan("ps-housing", "17", VIC_USER, True, method="stash", reason=reason)
        for reason in reasons
    ]


EVENT = re.compile(r"'([\w-]+:[\w:-]+)'")
NONSENSE: list[Any] = [
    None,
    True,
    -1.5,
    1e308,
    "99",
    "\xff" * 9000,
    {"id": {}},
    {"coords": {"x": "a"}, "title": {}, "message": [1]},
    {"property_id": {}, "targetSrc": {}},
    {"codeName": {}, "message": {}},
    {"x": 1, "y": 2, "z": 3},
]
RESOURCES = {
    "cd_dispatch": "",
    "esx_property": ESX_PROPERTY,
    "ox_doorlock": OX_DOORLOCK,
    "ps-dispatch": PS_DISPATCH,
    "ps-housing": PS_HOUSING,
    "qb-houserobbery": "",
    "qb-houses": QB_HOUSES,
    "qbx_houserobbery": "",
    "qbx_properties": "",
}


@pytest.mark.parametrize("name", RESOURCES)
def test_malformed_events_of_players_have_no_effect_and_are_not_printed(
    beside: Game, name: str
) -> None:
    server = beside(name, RESOURCES[name])
    reports(server)
    console = list(server.console)
    file = "houserobbery" if "houserobbery" in name else name.replace("-", "_")
    text = (RESOURCE / "adapters" / f"{file}.lua").read_text()
    for number in range(len(NONSENSE)):
        for event in EVENT.findall(text):
            given = NONSENSE[number:] + NONSENSE[:number]
            server.trigger_from_player(VIC, event, *given[:3])
            server.trigger_from_player(VIC, event)
        server.run(1.1)
    server.run(16.0)
    assert reports(server) == []
    assert server.console == console
