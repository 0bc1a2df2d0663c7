"""Events as the fold sees them, from the builders'."""

from zoneinfo import ZoneInfo

from services.profile.domain.person_event import PersonEvent
from services.profile.domain.reading import Reader, Refusal
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.instants import instant

READER = Reader("CNY", ZoneInfo("Asia/Shanghai"))


def read(event: Event) -> PersonEvent:
    found = READER.read(encode_event(event), instant(event.occurred_at))
    assert not isinstance(found, Refusal), found
    return found


def read_all(*events: Event) -> list[PersonEvent]:
    return [read(event) for event in events]
