"""A draft campaign and a draft segment tried on posted history, through the public API."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.whole.platform import Platform

DRAFT = {
    "key": "tried-out",
    "name": "试一试",
    "trigger": {"on": "segment.entered", "segment": "dormant-90d"},
    "holdout": 0,
    "steps": [
        {"coupon": "back-30"},
        {"message": {"channel": "inbox", "template": "win-back"}},
        {"wait_for": {"event": "purchase.completed"}, "timeout": "7d"},
    ],
    "goal": {"event": "purchase.completed", "within": "30d"},
}


def an_order(member: str, at: datetime, total: str = "200.00") -> dict[str, Any]:
    return {
        "event_id": f"{member}-{at:%Y%m%d}",
        "type": "purchase.completed",
        "occurred_at": at.isoformat(),
        "source": "history",
        "import": True,
        "customer": {"member_id": member},
        "properties": {"order_id": f"{member}-{at:%Y%m%d}", "total": total, "currency": "CNY"},
    }


async def until_done(platform: Platform, place: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            found: dict[str, Any] = (await platform.ask("GET", place)).json()
            if found["status"] not in ("queued", "running"):
                return found
            await asyncio.sleep(0.2)


async def test_a_draft_is_tried_on_history_and_nobody_hears_of_it(platform: Platform) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    # Dormant 90 days after the first order; the second one comes back three weeks later.
    orders = [an_order(f"SIM-{n}", now - timedelta(days=300)) for n in range(3)]
    orders.append(an_order("SIM-1", now - timedelta(days=190), "120.00"))
    posted = await platform.ask("POST", "/v1/events", {"events": orders})
    assert posted.status_code == 202, posted.text
    receipt = posted.json()["receipt"]
    read = await platform.ask("GET", f"/v1/profiles/by/member_id/SIM-1?after={receipt}")
    person = read.json()["profile_id"]
    assert (await platform.ask("POST", "/v1/campaigns", DRAFT)).status_code == 201
    span = {
        "from": (now - timedelta(days=250)).isoformat(),
        "to": (now - timedelta(days=150)).isoformat(),
        "alongside": "none",
    }
    asked = await platform.ask("POST", "/v1/campaigns/tried-out/simulate", span)
    assert asked.status_code == 202, asked.text
    assert asked.json()["status"] == "queued"
    found = await until_done(platform, asked.headers["location"])
    assert found["status"] == "done", found
    result = found["result"]
    assert (result["entered"], result["entered_people"]) == (3, 3)
    assert result["messages"] == {"sent": 3, "by_channel": {"inbox": 3}}
    assert result["coupons"]["back-30"] == {
        "issued": 3,
        "would_be_used": 1,
        "cost": "30.00",
        "budget_used_up_at": None,
    }
    assert result["goal"]["reached_anyway"] == 1
    stories = {each["profile_id"]: each["story"] for each in result["sample"]}
    assert stories[person][0]["what"] == "entered"
    actions = (await platform.ask("GET", f"/v1/profiles/{person}/actions")).json()["items"]
    assert [each for each in actions if each["campaign"] == "tried-out"] == []


async def test_a_draft_segment_is_tried_on_history(platform: Platform) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    orders = [an_order("SEG-1", now - timedelta(days=day), "7777.00") for day in (50, 40, 30)]
    assert (await platform.ask("POST", "/v1/events", {"events": orders})).status_code == 202
    receipt = (await platform.ask("POST", "/v1/events", {"events": orders})).json()["receipt"]
    await platform.ask("GET", f"/v1/profiles/by/member_id/SEG-1?after={receipt}")
    span = {"from": (now - timedelta(days=60)).isoformat(), "to": now.isoformat()}
    draft = {**span, "text": "orders.total >= 15000 and orders.count >= 2"}
    asked = await platform.ask("POST", "/v1/segments/simulate", draft)
    assert asked.status_code == 202, asked.text
    result = (await until_done(platform, asked.headers["location"]))["result"]
    assert (result["members_at_start"], result["entered"], result["left"]) == (0, 1, 0)


async def test_what_cannot_be_tried_is_refused_with_a_pointer(platform: Platform) -> None:
    now = datetime.now(UTC)
    day = timedelta(days=1)
    wrong = [
        ({"from": now.isoformat(), "to": (now - day).isoformat()}, "/to"),
        ({"from": (now - day).isoformat(), "to": (now + day).isoformat()}, "/to"),
        ({"from": (now - 900 * day).isoformat(), "to": now.isoformat()}, "/to"),
        ({"from": "yesterday", "to": now.isoformat()}, "/from"),
        ({"from": (now - day).isoformat()}, ""),
    ]
    for spec, pointer in wrong:
        answer = await platform.ask("POST", "/v1/campaigns/win-back-90d/simulate", spec)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer
    span = {"from": (now - day).isoformat(), "to": now.isoformat()}
    bad = await platform.ask("POST", "/v1/segments/simulate", {**span, "rule": {"fact": "x"}})
    assert bad.status_code == 422
    assert (await platform.ask("POST", "/v1/campaigns/none/simulate", span)).status_code == 404
    assert (await platform.ask("GET", "/v1/simulations/none")).status_code == 404


async def test_a_playbook_is_taken_from_the_shelf_through_the_api(platform: Platform) -> None:
    shelf = (await platform.ask("GET", "/v1/playbooks")).json()["items"]
    assert len(shelf) > 20
    place = "/v1/playbooks/win-back-stage-1/install"
    installed = await platform.ask("POST", place, {"launch": True})
    assert installed.status_code == 200, installed.text
    assert installed.json()["installed"] == "live"
    campaign = (await platform.ask("GET", "/v1/campaigns/win-back-stage-1")).json()
    assert campaign["state"] == "live"
    report = (await platform.ask("GET", "/v1/campaigns/win-back-stage-1/report")).json()
    assert report["experiment"]["holdout"] == 0.1
    alert = await platform.ask("POST", "/v1/stock-alerts", {"sku": "EJ", "left": 3})
    assert alert.status_code == 202
