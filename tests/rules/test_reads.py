from typing import Any

import pytest

from zhiyin.rules import parse, reads, segments_read, touched


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (
            {"fact": "attributes.health.diet", "op": "exists"},
            {"attributes.health.diet", "consents.health"},
        ),
        ({"fact": "attributes.city.source", "op": "exists"}, {"attributes.city"}),
        ({"fact": "consents.marketing.sms", "op": "exists"}, {"consents.marketing.sms"}),
        ({"fact": "categories.坚果.orders", "op": "gte", "value": 1}, {"categories.坚果"}),
        ({"fact": "rfm.r", "op": "gte", "value": 1}, {"orders"}),
        ({"fact": "lifecycle.since", "op": "exists"}, {"orders"}),
        ({"fact": "support.rating", "op": "exists"}, {"support"}),
        ({"fact": "identifiers.phone", "op": "exists"}, {"identifiers"}),
        ({"fact": "reorder.EJ", "op": "exists"}, {"reorder"}),
        ({"fact": "version", "op": "exists"}, {"profile"}),
        ({"fact": "tags", "op": "any_of", "value": ["a", "b"]}, {"tags.a", "tags.b"}),
        ({"fact": "tags", "op": "exists"}, {"tags"}),
        ({"fact": "segments", "op": "in", "value": ["a"]}, {"segments.a"}),
        ({"not": {"any": [{"tag": "a"}, {"segment": "b"}]}}, {"tags.a", "segments.b"}),
        ({"last": {"event": "browse.viewed"}, "older_than": "1d"}, {"events.browse.viewed"}),
        ({"anniversary": "attributes.birthday", "within": "7d"}, {"attributes.birthday"}),
    ],
)
def test_a_rule_names_what_it_depends_on(tree: Any, names: set[str]) -> None:
    assert reads(parse(tree)) == names


def test_the_segments_a_rule_reads_are_known_so_that_circles_can_be_refused() -> None:
    rule = parse({"all": [{"segment": "a"}, {"fact": "segments", "op": "none_of", "value": ["b"]}]})
    assert segments_read(rule) == {"a", "b"}


def test_a_changed_tag_concerns_rules_over_all_tags_and_every_change_concerns_the_profile() -> None:
    assert touched(["tags.vip"]) == {"tags.vip", "tags", "profile"}
    assert touched(["orders"]) == {"orders", "profile"}
