"""All ready campaigns, in the order in which they are shown."""

from typing import Final

from services.engagement.domain.playbooks import (
    asking,
    benefits,
    browsing,
    days,
    orders,
    people,
    win_back,
)
from services.engagement.domain.playbooks.ready import Playbook

LIBRARY: Final[tuple[Playbook, ...]] = (
    *people.PLAYBOOKS,
    *win_back.PLAYBOOKS,
    *benefits.PLAYBOOKS,
    *asking.PLAYBOOKS,
    *orders.PLAYBOOKS,
    *browsing.PLAYBOOKS,
    *days.PLAYBOOKS,
)


def playbook(key: str) -> Playbook | None:
    return next((each for each in LIBRARY if each.key == key), None)
