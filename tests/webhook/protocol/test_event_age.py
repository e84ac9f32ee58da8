"""What senders call an age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.protocol.event_age import MAX_AGE, AgeReader


@pytest.mark.parametrize(
    ("given_age", "milliseconds"),
    [
        (None, 0),
        ("0", 0),
        ("12.5", 12_500),
        (" 3 ", 3_000),
        ("1e2", 100_000),
        (0.0004, 0),
        (90, 90_000),
        ("99999999999", MAX_AGE),
        ("1e999", MAX_AGE),
        (10**400, MAX_AGE),
    ],
)
def test_age_is_read(
    caplog: pytest.LogCaptureFixture, given_age: object, milliseconds: int
) -> None:
    assert AgeReader().read("game", given_age) == milliseconds
    assert caplog.records == []


@pytest.mark.parametrize(
    "garbage",
    ["", "-1", "nan", "inf", "1_0", "soon", "0x10", "١", -0.5, True, [], {}, float("nan")],
)
def test_garbage_is_ignored_and_logged_once_a_sender(
    caplog: pytest.LogCaptureFixture, garbage: object
) -> None:
    reader = AgeReader()
    for sender in ("game", "game", "other", "game"):
        assert reader.read(sender, garbage) == 0
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["game", "other"]


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.binary()))
def test_age_is_always_within_its_bounds(anything: object) -> None:
    assert 0 <= AgeReader().read("game", anything) <= MAX_AGE
