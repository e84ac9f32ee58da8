"""An evening in which everything happens once: each push of the CAD, each query that changes.

Every text that a player or a script can write goes through `write`, so that the same evening is
told with other words.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from typing import Any

from cogs.routing.troubles import Trouble, Troubles
from cogs.trouble_reports import TroubleReports
from cogs.ui.text import inert_line
from db import alarms, cad_requests, links, private_answers
from db.private_answers import PrivateAnswer
from tests.webhook.harness import DAY, MINUTE, AppHarness
from webhook import cad
from webhook.cad.store import PushConfig, store_push
from webhook.cad_api.client import DETAIL_LENGTH
from webhook.protocol.clean_text import clean_text
from webhook.protocol.context import ApprovalRules, Caller, Scope
from webhook.queries.cad.incidents import MAX_NOTE, NewIncidentNote, OfIncident, note_incident
from webhook.queries.cad.responders import leave_call, respond_to_call
from webhook.queries.daily_report import report_day
from webhook.queries.drills import begin_drill
from webhook.queries.models import OfProperty
from webhook.queries.properties.approvals import approve_property

CAD = "county"
Write = Callable[[str], str]

OWNER = "license:owner"
SECOND = 1000


class Scenario:
    """Plays the evening in an app."""

    def __init__(self, harness: AppHarness, write: Write = lambda text: text) -> None:
        self._house = harness
        self._write = write

    async def push(self, kind: str, data: Any) -> None:
        """Push as the CAD does; a second has passed since the last push."""
        self._house.clock.now += SECOND
        body = {"key": "K", "type": kind, "data": data}
        await store_push(self._house.context(), CAD, body, "", PushConfig(window=0))

    async def ask(self, name: str, **data: Any) -> dict[str, Any]:
        """Ask as a script does; a second has passed since the last query."""
        self._house.clock.now += SECOND
        return await self._house.ask(name, **data)

    async def play(self) -> None:
        """Tell the whole evening."""
        await self.duty()
        await self.calls()
        await self.responders()
        await self.records()
        await self.announcements()
        await self.properties()
        await self.removals()
        await self.alarm()
        await self.external()
        await self.itself()
        await self.people()

    async def duty(self) -> None:
        """Units come on duty, change and leave."""
        write = self._write
        unit = {
            "id": 61,
            "status": 2,
            "isPanic": False,
            "location": write("Paleto Blvd"),
            "data": {
                "unitNum": write("7K-22"),
                "name": write("M. Okafor"),
                "department": write("BCSO"),
                "subdivision": write("K9"),
                "rank": write("Deputy II"),
                "group": write("North"),
            },
        }
        second = unit | {"id": 74, "data": {"unitNum": write("7K-30"), "name": write("R. Pike")}}
        await self.push("EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": False})
        await self.push("EVENT_UNIT_LOGIN", {"unit": second, "isDispatch": True})
        await self.push(
            "EVENT_UNIT_STATUS", {"identIds": [61, 74], "status": self._word("STAGING")}
        )
        await self.push("EVENT_UNIT_UPDATE", {"units": [unit]})
        await self.push(
            "EVENT_UNIT_GROUP_ADD", {"identId": 61, "groupName": self._word("Engine 9")}
        )
        await self.push(
            "EVENT_UNIT_GROUP_REMOVE", {"identId": 61, "groupName": self._word("Engine 9")}
        )
        await self.push(
            "EVENT_UNIT_GROUP_CHANGE_NAME",
            {"oldName": self._word("Engine 9"), "newName": self._word("Ladder 9")},
        )
        await self.push("EVENT_DISPATCH_TOGGLE_BODYCAM", {"ident": 61, "state": True})

    async def calls(self) -> None:
        """A 911 call becomes a dispatch call; another one is removed; units panic."""
        write = self._write
        await self.push("EVENT_911", {"call": self._call(1)})
        second = self._call(2) | {"description": write("Smoke from the cellar.")}
        await self.push("EVENT_911", {"call": second})
        await self.push("EVENT_911", {"call": self._call(3) | {"isEmergency": False}})
        await self.push("EVENT_REMOVE_911", {"callIds": [2]})
        await self.push("EVENT_DISPATCH_NEW", {"dispatch": self._dispatch(10)})
        await self.push("EVENT_DISPATCH_NEW", {"dispatch": self._dispatch(11)})
        edited = {"callId": 10, "title": write("Laundromat fire"), "metaData": {"origin911": "1"}}
        await self.push("EVENT_DISPATCH_EDIT", {"dispatch": edited})
        await self.push("EVENT_DISPATCH_UNIT_ATTACH", {"idents": [61, 74, 99], "callId": 10})
        await self.push("EVENT_DISPATCH_UNIT_DETACH", {"idents": [99], "callId": 10})
        for number in range(1, 7):
            note = {
                "time": write("21:14"),
                "label": write("7K-22"),
                "type": "text",
                "content": write(f"Note {number}"),
            }
            await self.push("EVENT_DISPATCH_NOTE", {"callId": 10, "note": note})
        await self.push("EVENT_DISPATCH_CLOSED", {"callIds": [11]})
        await self.push("EVENT_UNIT_PANIC", {"identIds": [61, 74], "isPanic": True})
        await self.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})

    async def responders(self) -> None:
        """Members respond to calls and to a panic, write notes, and one leaves."""
        somebody = Caller("discord:8", Scope.WRITE, ("discord:8",))
        context = self._house.context().of(somebody)
        note = self._word("Red van, two people", MAX_NOTE)
        for subject in ("emergency:3@county", "dispatch:10@county", "panic:1"):
            await respond_to_call(context, OfIncident(subject=subject))
            await note_incident(context, NewIncidentNote(subject=subject, text=note))
        await leave_call(context, OfIncident(subject="emergency:3@county"))
        await self._refused(somebody.name)

    async def _refused(self, asked_by: str) -> None:
        """The CAD refuses a member's 911 call."""
        said = inert_line(f"911 call: {self._write('Forum Dr')}", 150)
        detail = clean_text(self._write("The CAD sleeps."), DETAIL_LENGTH)
        now, body = self._house.clock(), '{"metaData":{}}'
        async with self._house.database.write() as sql:
            await cad_requests.add(
                sql,
                id="1",
                cad=CAD,
                kind="create-911",
                lane=3,
                body=body,
                now=now,
                deadline=None,
                asked_by=asked_by,
            )
            await cad_requests.end(sql, "1", "refused", now, why="refused", detail=detail)
            await private_answers.put(sql, PrivateAnswer("asked:1", 8, 1, "", now, said))

    async def records(self) -> None:
        """Records are written, changed, printed and deleted; accounts are linked."""
        write = self._write
        record = {
            "recordTypeId": 3,
            "id": 3391,
            "name": write("BOLO"),
            "type": 3,
            "sections": [
                {
                    "category": 1,
                    "label": write("Flags"),
                    "fields": [{"type": "input", "data": {"flags": [write("ARMED")] * 9}}],
                },
                {
                    "category": 0,
                    "label": write("Vehicle"),
                    "fields": [
                        {"type": "input", "label": "Plate", "value": write("46EEK"), "uid": name}
                        for name in ("plate", "first", "last", "status")
                    ],
                },
            ],
        }
        for kind in ("ADD", "EDIT", "REMOVE"):
            await self.push(f"EVENT_RECORD_{kind}", {"record": record})
        await self.push("EVENT_PRINT_RECORD", {"identId": 61, "url": write("https://b.example/x")})
        await self.push("EVENT_CHAR_SELECTED", {"accId": self._id("5d0b7c1e"), "id": 2290})
        await self.push(
            "EVENT_COMMUNITY_LINK_VERIFIED",
            {"communityUserId": self._id("license:9b41"), "accountUuid": self._id("5d0b7c1e")},
        )

    async def announcements(self) -> None:
        """Pages, tones, alerts, callouts, road signs."""
        write = self._write
        targets = [{"type": 3, "value": write("x"), "label": write("Station 9")}] * 9
        await self.push("EVENT_TONE", {"url": "https://b.example/t.mp3", "playTonesTo": targets})
        page = {"addresses": [write("ENGINE-9")] * 9, "identIds": [61], "nature": "Emergency"}
        await self.push("EVENT_PAGER_REBORN", page | {"body": write("Meet at the north bay.")})
        station = {"name": write("Harbour"), "open": [write("Bay A")], "close": [write("Bay B")]}
        await self.push(
            "EVENT_STATION_ALERT",
            {
                "locations": [station] * 9,
                "message": write("Ship fire, dock two."),
                "colors": [write("red")],
                "tone": write("harbour-1"),
            },
        )
        callout = {
            "calloutName": write("Street fight"),
            "description": write("Four people, two bats."),
            "calloutLocations": [{"x": 410, "y": -2033, "z": 0}],
            "pedChanceToSurrender": 60,
        }
        await self.push("EVENT_NEW_CALLOUT", {"callout": callout})
        signs = {"ids": [*range(14, 24)], "text1": write("LANE"), "text2": write("CLOSED")}
        await self.push("EVENT_STREETSIGN_UPDATED", {"signData": signs | {"text3": ""}})

    async def properties(self) -> None:
        """Property 1 is added and used; property 2 waits for approval."""
        write = self._write
        await self.ask("add-user", userId=OWNER, fullName=self._word("Wren Halloway", 200))
        for _ in range(2):
            place = {"location": self._word("Forum Dr 8", 200), "tier": 1, "x": 10, "y": -20}
            await self.ask(
                "add-property",
                **place,
                description=write("A laundromat with a flat above.")[:2000],
                clientId=OWNER,
                width=20,
                height=10,
            )
        await self.ask("change-property-status", propertyId=1, status="ACTIVE")
        for kind in (1, 3, 3):
            await self.ask(
                "add-equipment",
                propertyId=1,
                equipmentType=kind,
                description=write("Roof")[:2000],
            )
        await self.ask("dispatch-drone", propertyId=1, reason=write("Alarm on the roof")[:2000])
        back = (await self.ask("dispatch-drone", propertyId=1))["droneId"]
        await self.ask("recall-drone", droneId=back)
        visitor = self._word("license:visitor", 64)
        await self.ask("add-alert", propertyId=1, userId=visitor)
        await self.ask("add-visitor", propertyId=1, userId=visitor, cameraId=1)
        crime = write("Broke in")[:2000]
        await self.ask("add-crime", propertyId=1, clientId=visitor, description=crime)
        await self.ask("add-crime", description=crime)
        await self.ask("add-auth-entry", propertyId=1, userId=visitor)
        await self.ask("add-auth-entry", propertyId=1, userId=OWNER)
        await self.ask("change-property-coordinates", propertyId=1, x=11, y=-21)
        await self.ask("change-property-size", propertyId=1, width=30, height=10)
        await self.ask("change-property-tier", propertyId=1, tier=2)
        await self.ask("remove-equipment", propertyId=1, equipmentId=back)

    async def alarm(self) -> None:
        """The alarm of property 1 is answered, raised again and resolved; one at 2 waits."""
        visitor = self._word("license:visitor", 64)
        for note in ("At the back door", "Two people", "A van", "It leaves", "They are gone"):
            await self.ask("note-alarm", alarmId=1, text=self._word(note, 2000))
        await self.ask("snooze-alarm", alarmId=1, minutes=15)
        await self.ask("acknowledge-alarm", alarmId=1)
        await self.ask("add-alert", propertyId=1, userId=visitor)
        await self.ask("settle-alarm", alarmId=1, outcome="resolved")
        note = self._word("A window broke", 2000)
        await self.ask("add-alert", propertyId=2, userId=visitor, note=note)
        async with self._house.database.write() as sql:
            await alarms.escalate(sql, 2, 1, "", self._house.clock.now, self._house.clock.now)

    async def removals(self) -> None:
        """Four removals are requested: one is denied, one approved, one waits, one is withdrawn."""
        write = self._write
        place = {"location": self._word("Shed", 200), "tier": 1, "x": 0, "y": 0}
        for _ in range(3):
            await self.ask("add-property", **place, description="", clientId=OWNER)
        await self._request(1)
        await self.ask("deny-remove-property", propertyId=1, reason=write("Not yet")[:2000])
        await self._request(3)
        await self.ask("approve-remove-property", propertyId=3)
        await self._request(4)
        await self.ask("remove-property", propertyId=5)
        await self.ask("restore-property", propertyId=5)
        await self._approve_as_one_of_two(5)
        await self.push("EVENT_UNIT_LOGOUT", {"identIds": [74]})
        await self.ask("request-remove-property", propertyId=1)
        await self.ask("withdraw-remove-property", propertyId=1)

    async def external(self) -> None:
        """A script puts a property, words it anew and sells it; somebody comes without a camera."""
        visitor = self._word("license:visitor", 64)
        house = {"external": {"source": self._id("ps-housing"), "id": self._id("17")}}
        await self.ask(
            "put-property",
            **house,
            location=self._word("4 Grove Street", 200),
            x=-14,
            y=-1441,
            owner=OWNER,
        )
        await self.ask("put-property", **house, description=self._word("Two floors", 2000))
        await self.ask("put-property", **house, location=self._word("Grove Street 4", 200))
        await self.ask("change-property-owner", **house, owner=visitor)
        await self.ask("add-visitor", **house, userId=visitor)
        denied = {"allowed": False, "method": self._word("lockpick", 64)}
        reason = self._word("The lock held", 200)
        await self.ask("add-auth-entry", **house, userId=OWNER, **denied, reason=reason)
        await self.ask("add-allowed-user", **house, userId=OWNER)
        await self.ask("remove-allowed-user", **house, userId=OWNER)

    async def _approve_as_one_of_two(self, place: int) -> None:
        somebody = Caller("discord:7", Scope.APPROVE, ("discord:7",))
        rules = ApprovalRules(approvers=2)
        context = replace(self._house.context().of(somebody), approvals=rules)
        await approve_property(context, OfProperty(property_id=place))

    async def itself(self) -> None:
        """The CAD falls silent and comes back, and a day ends."""
        harness = self._house
        wrong = [Trouble("channel.log", self._write("The channel is gone."), "Choose another.", 12)]
        troubles = Troubles()
        troubles.add(lambda: wrong)
        reports = TroubleReports(harness.context(), troubles, 0.0, lambda: 0, lambda: None)
        await reports.report_changes()
        harness.clock.now += 4 * MINUTE
        wrong.clear()
        await reports.report_changes()
        wrong.append(Trouble(f"cad-silent.{CAD}", "Nothing comes from the CAD.", "Check it."))
        await reports.report_changes()
        assert not await report_day(harness.context(), time(6))
        harness.clock.now += DAY
        assert await report_day(harness.context(), time(6))
        await begin_drill(harness.context(), kind=self._write("panic"), channel="panic")

    async def people(self) -> None:
        """A player types the code of a member."""
        async with self._house.database.write() as sql:
            later = self._house.clock.now + 4 * MINUTE
            await links.put_code(sql, "BCDFGH", 7, later, self._house.clock.now)
        visitor = self._word("license:visitor", 64)
        await self.ask("confirm-link", code="BCDFGH", clientId=visitor)

    def _word(self, text: str, limit: int = 64) -> str:
        """Write a text for a place that must not be blank or long."""
        written = self._write(text)[:limit]
        return written if clean_text(written) else text

    def _id(self, text: str) -> str:
        """Write an id, which is refused with anything invisible in it."""
        return " ".join(clean_text(self._write(text), 60).split()) or text

    async def _request(self, place: int) -> None:
        reason = self._write("Moving away")[:2000]
        await self.ask("request-remove-property", propertyId=place, userId=OWNER, reason=reason)

    def _call(self, number: int) -> dict[str, Any]:
        write = self._write
        return {
            "callId": number,
            "isEmergency": True,
            "caller": write("Wren Halloway"),
            "location": write("[8031] Forum Dr"),
            "description": write("Smoke from the roof."),
            "metaData": {"postal": write("8031")},
        }

    def _dispatch(self, number: int) -> dict[str, Any]:
        write = self._write
        return {
            "callId": number,
            "status": 1,
            "priority": 1,
            "title": write("Structure fire"),
            "code": write("10-70"),
            "block": write("30"),
            "address": write("Forum Dr"),
            "postal": write("8031"),
            "description": write("Flames visible."),
            "primary": 61,
            "idents": [61],
            "notes": [],
            "metaData": {},
        }


CAD_EVENTS = frozenset(f"cad.{kind}" for kind in cad.EVENTS)
