"""What is too old goes, by whatever clock one asks, and facts stay as they are."""

import msgspec
import pytest

from services.profile.retention import data_classes
from tests.builders import START, a_purchase, an_event
from tests.profile.harness import Service
from zhiyin.contracts.instants import DAY, HOUR
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.retention import KEPT, limits_in
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.retention import Retention


def retention(service: Service, limits: str = "") -> Retention:
    return Retention(service.database, data_classes(), limits_in(limits), wall_clock)


async def texts(service: Service) -> list[str]:
    """What stands in the events' own words, oldest first."""
    rows = await service.database.pool.fetch("SELECT value FROM event ORDER BY at, type")
    told = [msgspec.json.decode(value)["properties"] for (value,) in rows]
    return [each[name] for each in told for name in ("text", "subject") if name in each]


async def test_what_people_wrote_goes_after_its_time_and_nothing_else_changes(
    service: Service,
) -> None:
    service.now = START + 10 * DAY
    await service.apply(
        a_purchase(START),
        an_event(
            "support.opened", START, ticket_id="T", kind="complaint", text="好难吃", subject="坏"
        ),
        an_event("support.messaged", START + HOUR, ticket_id="T", text="真的"),
        an_event("community.reviewed", START + 10 * DAY, text="还行", score=4),
    )
    [before] = await service.people()
    keep = retention(service)
    limit = KEPT["support_text"]
    assert (await keep.sweep(START + limit))["support_text"] == 0
    assert (await keep.sweep(START + limit + 1))["support_text"] == 1
    assert (await keep.sweep(START + limit + DAY))["support_text"] == 1
    assert (await keep.sweep(START + limit + DAY))["support_text"] == 0
    assert await texts(service) == ["", "", "", "还行"]
    await service.check_plain_fold()
    [after] = await service.people()
    assert encode(after) == encode(before)
    late = an_event("support.messaged", START + 2 * HOUR, ticket_id="T", text="补记")
    await service.apply(late)  # imported long afterwards, it goes as well
    assert (await keep.sweep(START + limit + DAY))["support_text"] == 1


async def test_an_operator_may_keep_longer_or_for_ever(service: Service) -> None:
    await service.apply(an_event("support.messaged", START, ticket_id="T", text="真的"))
    far = START + 4000 * DAY
    assert "support_text" not in await retention(service, "support_text=keep").sweep(far)
    assert (await retention(service, "support_text=5000d").sweep(far))["support_text"] == 0
    assert (await retention(service, "support_text=30d").sweep(far))["support_text"] == 1


async def test_traces_of_erasures_and_dead_letters_go_too(service: Service) -> None:
    pool = service.database.pool
    await pool.execute(
        "INSERT INTO tombstone VALUES ('\\x01', 'e-1', $1), ('\\x02', 'e-2', NULL)", START
    )
    await pool.execute(
        "INSERT INTO erasure (erasure_id, at, counts, ended_at) VALUES ('e-1', $1, '{}', $1)", START
    )
    await pool.execute(
        """INSERT INTO dead_letter (topic, partition, "offset", key, value, headers, code, reason,
           at) VALUES ('t', 0, 0, 'k', '', '', 'c', 'r', to_timestamp($1::bigint / 1e6))""",
        START,
    )
    removed = await retention(service).sweep(START + 30 * DAY + 1)
    assert removed == {"dead_letters": 1, "support_text": 0, "tombstones": 1, "erasure_notes": 1}
    assert await pool.fetchval("SELECT count(*) FROM tombstone") == 1  # still under way


@pytest.mark.parametrize("text", ["unknown=3d", "tombstones", "tombstones=soon", "tombstones=-1d"])
def test_limits_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|duration"):
        limits_in(text)
