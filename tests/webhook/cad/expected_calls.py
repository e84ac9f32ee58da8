"""What the corpus cases about calls become, written from their prose, not from the output."""

from typing import Any

Event = tuple[str, dict[str, Any]]

LOCATION = "[8031] Forum Dr / Strawberry Ave"
META = {
    "callerPlayerId": "17",
    "callerCommunityUserId": "license:41aa90be",
    "uuid": "3f0e2b44-77aa-4c0e-8c11-d9f0aa31b7c2",
    "silentAlert": "false",
    "useCallLocation": "false",
    "postal": "8031",
    "plate": "",
    "x": "-213.4",
    "y": "-1332.9",
    "z": "30.8",
}
POINT = {"x": -213.4, "y": -1332.9, "z": 30.8}


def _911(call_id: int, **different: Any) -> Event:
    usual = {
        "callId": call_id,
        "isEmergency": True,
        "caller": "Wren Halloway",
        "location": LOCATION,
        "description": "Smoke from the laundromat roof.",
        "postal": "8031",
        "coordinates": None,
        "identities": [],
        "metaData": {},
        "updated": "",
    }
    return "EVENT_911", usual | different


def _elsewhere(call_id: int, location: str, **different: Any) -> Event:
    return _911(call_id, location=location, **({"postal": None} | different))


_BLANK: dict[str, Any] = {
    "eventOriginIdent": None,
    "origin": "",
    "status": "PENDING",
    "priority": None,
    "block": "",
    "address": "",
    "postal": None,
    "title": "",
    "code": "",
    "description": "",
    "notes": [],
    "idents": [],
    "primary": None,
    "trackPrimary": False,
    "origin911": None,
    "coordinates": None,
    "metaData": {},
    "template": {},
    "values": {},
    "statusId": "",
    "updated": "",
}
_USUAL: dict[str, Any] = {
    "origin": "RADIO_DISPATCH",
    "status": "ACTIVE",
    "priority": 2,
    "block": "30",
    "address": "Route 68 / Harmony fuel stop",
    "postal": "2043",
    "title": "Noise complaint",
    "code": "10-54 - Livestock in road",
    "description": "Six cows blocking both lanes.",
    "notes": [],
    "idents": [61, 74],
    "primary": 61,
    "trackPrimary": False,
    "metaData": {},
}


def _bare(call_id: int, **different: Any) -> Event:
    return "EVENT_DISPATCH_NEW", _BLANK | {"callId": call_id} | different


def _new(call_id: int, **different: Any) -> Event:
    return "EVENT_DISPATCH_NEW", _BLANK | _USUAL | {"callId": call_id} | different


def _edit(call_id: int, origin_ident: int | None, **different: Any) -> Event:
    # The pushes of these cases have all fields but the ones of custom layouts.
    present = _USUAL | different
    whole = {"callId": call_id, "eventOriginIdent": origin_ident, "present": set(present)} | present
    return "EVENT_DISPATCH_EDIT", whole


def _closed(*ids: int, by: int | None = None) -> Event:
    return "EVENT_DISPATCH_CLOSED", {"callIds": list(ids), "eventOriginIdent": by}


def _removed(*ids: int) -> Event:
    return "EVENT_REMOVE_911", {"callIds": list(ids)}


def _note(call_id: int, time: str, label: str, content: str, kind: str = "text") -> Event:
    note = {"time": time, "label": label, "type": kind, "content": content}
    return "EVENT_DISPATCH_NOTE", {"callId": call_id, "note": note}


def _attach(call_id: int, *idents: int, by: int | None = None) -> Event:
    known = {"callId": call_id, "idents": list(idents), "eventOriginIdent": by}
    return "EVENT_DISPATCH_UNIT_ATTACH", known


def _detach(call_id: int | None, *idents: int, by: int | None = None) -> Event:
    known = {"callId": call_id, "idents": list(idents), "eventOriginIdent": by}
    return "EVENT_DISPATCH_UNIT_DETACH", known


def _bodycam(ident: int) -> Event:
    return "EVENT_DISPATCH_TOGGLE_BODYCAM", {"idents": [ident], "state": True}


EXPECTED: dict[str, list[Event]] = {
    "911_object": [_911(4410, identities=["steam:1100001deadbee"])],
    "911_object_docs_siblings": [
        _911(4412, identities=["license:41aa90be"], metaData={"postal": "8031"})
    ],
    "911_civil_311": [
        _911(
            4415,
            isEmergency=False,
            caller="Rosalind Pike",
            description="(311) Broken hydrant outside number 9",
            metaData=META,
            coordinates=POINT,
        )
    ],
    "911_invalid_utf8": [
        _911(
            4603,
            caller="\ufffd\ufffd\ufffd(",
            location="",
            description="",
            postal=None,
            identities=[],
        )
    ],
    "911_apiids_null": [_911(4418)],
    "911_identities_list": [
        _911(4419, identities=["license:41aa90be", "discord:210987654321098765"])
    ],
    "911_communityUserIds_plural": [_911(4420, identities=["license:41aa90be"])],
    "911_anonymous_empty": [_911(4422, caller="")],
    "911_anonymous_null": [_911(4423, caller="")],
    "911_location_vector3_text": [
        _elsewhere(
            4425,
            "vector3(1174.2, 2640.7, 37.8)",
            coordinates={"x": 1174.2, "y": 2640.7, "z": 37.8},
        )
    ],
    "911_panic_call": [
        _911(
            4431,
            caller="M. Okafor",
            description="Unit 7K-22 has pressed their panic button!",
            metaData=META,
            coordinates=POINT,
        )
    ],
    "911_legacy_emergency_name": [
        _elsewhere(4433, "Grapeseed Main St", caller="Bram Oduya", description="Barn door jammed")
    ],
    "911_legacy_2020": [_elsewhere(77, "Pier 4", caller="Odile", description="Boat adrift")],
    "911_legacy_meta_beside_call_object": [
        _911(78, identities=["a"], metaData={"callerPlayerId": "4"})
    ],
    "911_two_calls_in_array": [_911(4434), _911(4435, caller="Second")],
    "envelope_key_lowercase": [_911(4440)],
    "envelope_field_order_reversed": [_911(4443)],
    "remove911_legacy_scalar": [_removed(4413)],
    "remove911_legacy_scalar_array": [_removed(4414)],
    "remove911_duplicates": [_removed(4417)],
    "dispatch_new_object": [_new(8120, eventOriginIdent=61)],
    "dispatch_new_array": [_new(8121, eventOriginIdent=61)],
    "dispatch_new_notes_string": [_new(8123, eventOriginIdent=61)],
    "dispatch_new_notes_objects": [
        _new(
            8125,
            notes=[
                {
                    "time": "21:07:44",
                    "label": "7K-22",
                    "type": "text",
                    "content": "On the shoulder",
                },
                {
                    "time": "2031-02-03T21:08:00Z",
                    "label": "Sonoran CAD",
                    "type": "text",
                    "content": "Unit attached",
                },
            ],
        )
    ],
    "dispatch_new_notes_null": [_new(8127)],
    "dispatch_new_origin911_string": [
        _new(8129, origin="CALLER", origin911=4411, metaData={"origin911": "4411"})
    ],
    "dispatch_new_unassigned": [_new(8131, status="PENDING", idents=[], primary=None)],
    "dispatch_new_minimal": [_bare(8132, title="Bare call")],
    "dispatch_new_custom_template": [
        _new(
            8133,
            priority="Immediate",
            statusId="deployed",
            template={"templateId": "4", "name": "Control room", "version": "2"},
            values={"status": "deployed", "caller_name": "Ada"},
        )
    ],
    "dispatch_new_units_inline": [
        _bare(
            8135,
            origin="OBSERVED",
            status="ACTIVE",
            priority=3,
            address="Zancudo gate",
            title="Trespass",
            idents=[61],
        )
    ],
    "dispatch_new_flat": [_new(8136)],
    "dispatch_edit_object": [_edit(8120, 74, title="Cattle in road", postal="2044")],
    "dispatch_edit_array": [_edit(8121, 74, address="Route 68")],
    "dispatch_edit_close_by_status": [_edit(8122, None, status="CLOSED")],
    "dispatch_edit_primary_changed": [_edit(8123, None, primary=74, trackPrimary=True)],
    "dispatch_edit_unknown_call": [_edit(700001, None)],
    "dispatch_closed_array": [_closed(8122)],
    "dispatch_closed_legacy_scalar": [_closed(8123, by=61)],
    "dispatch_closed_empty": [],
    "dispatch_closed_scalar_in_plural": [_closed(8124)],
    "dispatch_close_legacy_type": [_closed(8125)],
    "dispatch_note_object": [_note(8120, "21:14:02", "7K-22", "Gate is open")],
    "dispatch_note_string": [_note(8120, "", "", "Gate is shut")],
    "dispatch_note_other_attachment": [
        _note(8120, "21:16:00", "7K-22", "(record attachment.)", kind="record")
    ],
    "dispatch_note_array": [_note(8121, "21:17:00", "Dispatch", "Copy")],
    "attach_idents": [_attach(8120, 61, 74, by=61)],
    "attach_ident": [_attach(8120, 61, by=61)],
    "attach_array": [_attach(8121, 61)],
    "attach_legacy_type": [_attach(8120, 61)],
    "detach_idents": [_detach(8120, 61, 74, by=74)],
    "detach_ident": [_detach(8120, 74)],
    # Whether the unit was on the call, only the stored call knows.
    "detach_not_attached": [_detach(8120, 999)],
    "bodycam_ident_string": [_bodycam(61)],
    "bodycam_heading_type": [_bodycam(61)],
    "legacy_dispatch_type_2": [_closed(642)],
    # The push has no notes at all: it only says that there was one.
    "legacy_dispatch_type_3": [_note(643, "", "", "")],
    "legacy_dispatch_type_4": [_detach(644, 61)],
    "legacy_unit_call_clear": [_detach(None, 61)],
    # Markdown and mentions are the cards' affair: the text itself stays.
    "hostile_mentions_in_caller": [
        _911(4501, caller="@everyone @here <@210987654321098765> <@&310987654321098765>")
    ],
    "hostile_codeblock_break": [_911(4503, description="```\n@everyone\n``` ```py\nprint(1)")],
    "hostile_zero_width_only": [_911(4506, caller="", description="")],
    "hostile_description_6000": [_911(4509, description=("Lorem-free text. " * 365)[:4000])],
    "hostile_description_60000_one_word": [_911(4510, description="q" * 4000)],
    "hostile_astral_truncation": [_elsewhere(4512, "\N{MATHEMATICAL FRAKTUR CAPITAL U}" * 256)],
    "hostile_control_characters": [_911(4513, caller="NulEsc[31m", description="bell")],
    "hostile_sql_html": [
        _911(
            4515,
            caller="'); DROP TABLE calls;--",
            description="<script>fetch('/')</script><img src=x onerror=1>",
        )
    ],
    "hostile_log_injection": [_911(4516, caller="x 2031-02-03 00:00:00 CRITICAL api key accepted")],
    "hostile_meta_dunder_keys": [
        _911(
            4518,
            metaData={"__class__": "x", "__proto__": "y", "constructor": "z", "a" * 64: "long"},
        )
    ],
    "hostile_meta_5000_keys": [_911(4519, metaData={f"k{number}": "v" for number in range(64)})],
    "hostile_meta_nested": [_911(4520, metaData={"deep": "[" * 60 + "]" * 60})],
    "hostile_note_mentions": [
        _note(8120, "@everyone", "<@&310987654321098765>", "@here https://evil.example")
    ],
    "hostile_location_object": [
        _elsewhere(4522, "1.0, 2.0, 3.0", coordinates={"x": 1.0, "y": 2.0, "z": 3.0})
    ],
    "hostile_description_list": [_911(4523, description='["a",{"b":1}]')],
    "hostile_metadata_string": [_911(4524)],
    "hostile_isemergency_text": [_911(4525, isEmergency=False)],
    "hostile_lone_surrogate_raw": [
        _elsewhere(4526, "x", caller="half \N{REPLACEMENT CHARACTER} pair", description="\ufffd")
    ],
    "hostile_utf8_bom": [_removed(1)],
    "hostile_duplicate_keys_same_meaning": [_removed(2)],
}
