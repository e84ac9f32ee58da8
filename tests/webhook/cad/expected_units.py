"""What the other corpus cases become, written from their prose, not from the output."""

from typing import Any

from tests.webhook.cad.expected_calls import Event

ACCOUNT = "5d0b7c1e-2f64-4b0a-9f51-3c5e8a7712aa"


def _unit(unit_id: int, **different: Any) -> dict[str, Any]:
    usual = {
        "id": unit_id,
        "accId": ACCOUNT,
        "unitNum": "7K-22",
        "name": "M. Okafor",
        "department": "BCSO",
        "subdivision": "K9",
        "rank": "Deputy II",
        "district": "Paleto",
        "group": "",
        "page": "POLICE",
        "status": "AVAILABLE",
        "statusCode": 2,
        "isPanic": False,
        "location": "[3014] Paleto Blvd / Duluoz Ave",
        "aop": "Blaine County",
        "identities": ["license:9b41fe02"],
    }
    return {key: value for key, value in (usual | different).items() if value is not None}


def _login(unit: dict[str, Any], dispatch: bool | None = False) -> Event:
    whole = unit if dispatch is None else unit | {"isDispatch": dispatch}
    known = {"unit": whole, "isDispatch": bool(dispatch), "selfDispatch": False}
    return "EVENT_UNIT_LOGIN", known


def _status(status: str, code: int, *idents: int, units: list[Any] | None = None) -> Event:
    known = {"idents": list(idents), "status": status, "statusCode": code, "units": units or []}
    return "EVENT_UNIT_STATUS", known


def _update(*units: dict[str, Any]) -> Event:
    return "EVENT_UNIT_UPDATE", {"units": list(units)}


def _panic(*idents: int) -> Event:
    return "EVENT_UNIT_PANIC", {"idents": list(idents), "isPanic": True}


def _group(change: str, *idents: int) -> Event:
    known = {"idents": list(idents), "groupName": "Engine 9"}
    return f"EVENT_UNIT_GROUP_{change}", known


def _field(uid: str, label: str, kind: str, value: str, section: str) -> dict[str, str]:
    return {"uid": uid, "label": label, "type": kind, "value": value, "section": section}


def _bolo(**different: Any) -> Event:
    usual = {
        "id": 3391,
        "recordTypeId": 3,
        "type": 3,
        "kind": "BOLO",
        "syncId": "",
        "name": "BOLO",
        "status": "ACTIVE",
        "first": "",
        "last": "",
        "plate": "46EEK572",
        "flags": ["ARMED", "DO NOT STOP ALONE"],
        "fields": [
            _field("plate", "Plate", "input", "46EEK572", "Vehicle"),
            _field("status", "Status", "status", "0", "Vehicle"),
        ],
    }
    return "EVENT_RECORD_ADD", {"record": usual | different}


def _print(url: str) -> Event:
    return "EVENT_PRINT_RECORD", {"idents": [61], "url": url}


def _tone(url: str, **target: Any) -> Event:
    whole = {"kind": "", "value": "", "label": "", "callId": None, "ident": None} | target
    return "EVENT_TONE", {"url": url, "playTonesTo": [whole]}


def _page(nature: str, **different: Any) -> Event:
    usual = {
        "addresses": ["ENGINE-9", "CHIEF-2"],
        "idents": [61],
        "nature": nature,
        "body": "Meet at the north bay.",
    }
    return "EVENT_PAGER_REBORN", usual | different


EXPECTED: dict[str, list[Event]] = {
    "unit_login_object": [_login(_unit(61))],
    "unit_login_dispatcher": [
        _login(
            _unit(
                70,
                unitNum="D-4",
                name="Thandiwe",
                page="DISPATCH",
                status="UNAVAILABLE",
                statusCode=0,
            ),
            dispatch=True,
        )
    ],
    "unit_login_no_selfdispatch": [_login(_unit(63))],
    "unit_login_data_null": [
        _login(
            {
                "id": 66,
                "accId": "0d8e0a2c-0000-4000-8000-00000000abcd",
                "status": "BUSY",
                "statusCode": 1,
                "isPanic": False,
                "location": "",
                "aop": "",
            }
        )
    ],
    "unit_login_legacy_units_array": [_login(_unit(67, identities=["steam:aa"]), dispatch=None)],
    "unit_login_legacy_units_object": [
        _login(_unit(68), dispatch=None),
        _login(_unit(69), dispatch=None),
    ],
    "unit_login_legacy_id_beside": [_login(_unit(71))],
    "unit_logout_array": [("EVENT_UNIT_LOGOUT", {"idents": [62]})],
    "unit_status_identids_array": [_status("ENROUTE", 3, 61, 74)],
    "unit_status_identids_list_array": [_status("BUSY", 1, 61)],
    "unit_status_identid_singular": [_status("AVAILABLE", 2, 61)],
    "unit_status_units_empty": [],
    "unit_status_both_forms": [
        _status("ON_SCENE", 4, 61, units=[_unit(61, status="ON_SCENE", statusCode=4)])
    ],
    "unit_status_custom_value": [_status("7", 7, 61)],
    "unit_status_legacy_units_array": [
        _status("BUSY", 1, 61, units=[_unit(61, status="BUSY", statusCode=1)])
    ],
    "unit_update_units": [_update(_unit(61, isDispatch=False), _unit(74))],
    "unit_update_skips_idless": [_update(_unit(61))],
    "unit_update_empty": [],
    "panic_identids_object": [_panic(61)],
    "panic_identids_array": [_panic(61, 74)],
    "panic_legacy_identid": [_panic(61)],
    "panic_legacy_no_flag": [_panic(61)],
    "panic_both_ids": [_panic(74, 61)],
    "group_add_data_identid": [_group("ADD", 61)],
    "group_add_data_both": [_group("ADD", 61, 74, 75)],
    "group_add_top_level_identid": [_group("ADD", 61)],
    "group_add_top_level_identids": [_group("ADD", 61, 74)],
    "group_remove": [_group("REMOVE", 61)],
    "group_remove_identids": [_group("REMOVE", 61, 74)],
    "record_add_empty": [],
    "record_add_bolo": [_bolo()],
    "record_add_array": [_bolo()],
    "record_add_no_id": [_bolo(id=None)],
    "record_edit_warrant_closed": [
        (
            "EVENT_RECORD_EDIT",
            _bolo(
                id=3400,
                recordTypeId=2,
                type=2,
                kind="WARRANT",
                name="Warrant",
                status="CLOSED",
                plate="",
                flags=[],
                fields=[_field("status", "Status", "STATUS", "1", "W")],
            )[1],
        )
    ],
    "print_record": [_print("https://files.example.net/pdf/inc-3391.pdf?sig=abc")],
    "tone_value_as_text": [
        _tone("https://media.example.net/t.mp3", kind="CALL", value="8120", callId=8120)
    ],
    "sign_updated": [
        (
            "EVENT_STREETSIGN_UPDATED",
            {"ids": [14, 15], "text1": "LANE CLOSED", "text2": "USE EXIT 3", "text3": ""},
        )
    ],
    "char_selected_numeric": [("EVENT_CHAR_SELECTED", {"accId": ACCOUNT, "id": "2290"})],
    "link_verified": [
        (
            "EVENT_COMMUNITY_LINK_VERIFIED",
            {"communityUserId": "license:9b41fe02", "accountUuid": ACCOUNT},
        )
    ],
    "callout_flat_documented": [
        (
            "EVENT_NEW_CALLOUT",
            {
                "id": "",
                "name": "",
                "locations": [{"x": 410.0, "y": -2033.0, "z": 0.0}],
                "details": {
                    "pedWeaponData": '["weapon_bat"]',
                    "pedActionOnNoActionFound": "flee",
                    "pedChanceToFleeFromPlayer": "40",
                    "pedChanceToObtainWeapons": "5",
                    "pedChanceToAttackPlayer": "10",
                    "pedChanceToSurrender": "60",
                },
            },
        )
    ],
    "callout_nested_pascal": [
        (
            "EVENT_NEW_CALLOUT",
            {
                "id": "shoplifter_9",
                "name": "Shoplifter",
                "locations": [{"x": 410.0, "y": -2033.0, "z": 0.0}],
                "details": {
                    "pedWeaponData": "[]",
                    "pedActionOnNoActionFound": "Flee",
                    "pedChanceToSurrender": "60",
                    "calloutUnitsRequired": '{"policeRequired":true}',
                },
            },
        )
    ],
    "pager_emergency": [_page("Emergency", idents=[])],
    "pager_nonemergency": [_page("NonEmergency")],
    "pager_administrative": [_page("Administrative")],
    "pager_unknown_nature": [_page("Priority", addresses=[], body="")],
    "station_alert": [
        (
            "EVENT_STATION_ALERT",
            {
                "locations": [{"name": "Harbour station", "open": ["Bay A"], "close": ["Bay B"]}],
                "message": "Ship fire, dock two.",
                "hasAudio": False,
                "colors": ["red", "#22aaff"],
                "tone": "harbour-1",
            },
        )
    ],
    "station_alert_base64_and_url": [
        (
            "EVENT_STATION_ALERT",
            {
                "locations": [{"name": "Harbour station", "open": [], "close": []}],
                "message": "",
                "hasAudio": True,
                "colors": [],
                "tone": "https://media.example.net/tones/dock.mp3",
            },
        )
    ],
    "get_logs_string": [],
    "get_logs_number": [],
    "hostile_ssrf_tone": [_tone("http://169.254.169.254/latest/meta-data/", kind="ALL", label="x")],
    "hostile_file_url_print": [_print("file:///etc/passwd")],
    "hostile_unit_name": [_login(_unit(72, unitNum="<@!1>", name="@everyone new line"))],
    # 300 units are ten events of at most 32.
    "hostile_300_units": [
        _update(*(_unit(number) for number in range(start, min(start + 32, 1300))))
        for start in range(1000, 1300, 32)
    ],
}
