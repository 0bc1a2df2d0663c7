"""Instants as text."""

from datetime import datetime

from hypothesis import example, given
from hypothesis import strategies as st

from zhiyin.contracts.instants import SECOND, instant, moment, rfc3339

FIRST, LAST = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1  # years 1 to 9999


@given(st.integers(FIRST, LAST) | st.integers(FIRST // SECOND, LAST // SECOND).map(SECOND.__mul__))
@example(0)
@example(-1)
@example(FIRST)
@example(LAST)
def test_an_instant_as_text_is_what_datetime_says_of_it(at: int) -> None:
    text = rfc3339(at)
    assert text == moment(at).isoformat().replace("+00:00", "Z")
    assert instant(datetime.fromisoformat(text)) == at
