"""Campaigns refer to segments and tags that other services keep."""

from typing import Any

from tests.whole.platform import Platform


def a_campaign(**change: Any) -> dict[str, Any]:
    return {
        "key": "referring",
        "name": "x",
        "trigger": {"on": "segment.entered", "segment": "dormant-90d"},
        "steps": [{"if": {"tag": "by-rule"}, "then": [{"tag": "seen"}]}],
        **change,
    }


async def test_names_no_service_knows_are_refused_with_their_place(platform: Platform) -> None:
    rule = {"fact": "orders.count", "op": "gte", "value": 1}
    await platform.ask("PUT", "/v1/tag-rules/by-rule", {"rule": rule})
    bad = a_campaign(
        trigger={"on": "segment.entered", "segment": "no-such"}, where={"tag": "nobody-has-it"}
    )
    refused = await platform.ask("POST", "/v1/campaigns", bad)
    assert refused.status_code == 422, refused.text
    assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [
        ("/trigger/segment", "unknown_reference"),
        ("/where/tag", "unknown_reference"),
    ]
    made = await platform.ask("POST", "/v1/campaigns", a_campaign())
    assert made.status_code == 201, made.text
    outside = await platform.ask("POST", "/internal/names", {"segments": []})
    assert outside.status_code == 404
