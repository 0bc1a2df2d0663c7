"""Steps that do one thing and go on: checked, and made into nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from services.engagement.domain.faults import Faults, Faulty
from services.engagement.domain.journey import (
    CouponNode,
    MessageNode,
    Node,
    Path,
    PointsNode,
    TagNode,
    TaskNode,
    WaitNode,
    WaitUntilNode,
    WebhookNode,
)
from services.engagement.domain.templates import message_template
from services.engagement.domain.until import Until
from zhiyin.contracts.campaigns import (
    AUTO_CHANNEL,
    CampaignSpec,
    MessageStep,
    MessageTemplateSpec,
    PointsStep,
    StepSpec,
    TagStep,
    TaskStep,
    WaitUntil,
    WebhookStep,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a campaign may refer to: coupon and message templates, channels and their kinds; what of
    the names in it nobody knows; and the campaigns that have not ended.
    `anything`: for a campaign stored already, whose references are looked up when it runs."""

    coupons: frozenset[str]
    templates: frozenset[str]
    channels: Mapping[str, str]
    anything: bool = False
    missing_segments: frozenset[str] = frozenset()
    missing_tags: frozenset[str] = frozenset()
    campaigns: Sequence[CampaignSpec] = ()


# What a stored campaign refers to was there when it was posted, and is looked up when it runs.
ANYTHING: Final = Known(frozenset(), frozenset(), {}, anything=True)


class Acts:
    """Faults go to `faults`, under the pointer of their place."""

    def __init__(self, faults: Faults, known: Known) -> None:
        self._faults = faults
        self._known = known

    def node(self, step: StepSpec, pointer: str, path: Path, after: Path | None) -> Node | None:
        """None for a step of another kind."""
        if step.coupon is not None:
            self._refer(f"{pointer}/coupon", step.coupon, self._known.coupons, "coupon template")
            return CouponNode(path, step.coupon, after)
        if step.message is not None:
            return self._message(step.message, f"{pointer}/message", path, after)
        if step.webhook is not None:
            return self._webhook(step.webhook, f"{pointer}/webhook", path, after)
        if step.points is not None:
            return _points(step.points, path, after)
        if step.tag is not None:
            return self._tag(step.tag, f"{pointer}/tag", path, after)
        if step.task is not None:
            return self._task(step.task, f"{pointer}/task", path, after)
        if step.wait is not None:
            return self._wait(step.wait, f"{pointer}/wait", path, after)
        return None

    def _message(
        self, message: MessageStep, pointer: str, path: Path, after: Path | None
    ) -> MessageNode:
        self._refer(f"{pointer}/template", message.template, self._known.templates, "template")
        if message.channel != AUTO_CHANNEL:
            names = frozenset(self._known.channels)
            self._refer(f"{pointer}/channel", message.channel, names, "channel")
        at_best = message.when == "best_hour"
        return MessageNode(path, message.channel, message.template, after, at_best)

    def _webhook(
        self, webhook: WebhookStep, pointer: str, path: Path, after: Path | None
    ) -> WebhookNode:
        kind = self._known.channels.get(webhook.channel)
        if kind is None:
            names = frozenset(self._known.channels)
            self._refer(f"{pointer}/channel", webhook.channel, names, "channel")
        elif kind not in ("webhook", "log") and not self._known.anything:
            message = f"is of kind {kind}, not webhook"
            self._faults.add(f"{pointer}/channel", "wrong_kind", message)
        return WebhookNode(path, webhook.channel, webhook.data, after)

    def _tag(self, tag: str | TagStep, pointer: str, path: Path, after: Path | None) -> TagNode:
        if isinstance(tag, str):
            return TagNode(path, tag, after)
        if (tag.add is None) == (tag.remove is None):
            self._faults.add(pointer, "one_kind", "a tag is either added or removed")
        if tag.lasts is None:
            lasts = None
        else:
            lasts = self._faults.duration(f"{pointer}/lasts", tag.lasts)
            if tag.remove is not None:
                message = "what is taken away has no end"
                self._faults.add(f"{pointer}/lasts", "not_allowed", message)
        removes = tag.remove is not None
        return TagNode(path, tag.add or tag.remove or "", after, removes=removes, lasts=lasts)

    def _task(self, task: TaskStep, pointer: str, path: Path, after: Path | None) -> TaskNode:
        try:
            texts = message_template(
                path, MessageTemplateSpec(subject=task.title, body=task.note or " ")
            )
        except Faulty as error:
            places = {"/subject": f"{pointer}/title", "/body": f"{pointer}/note"}
            for fault in error.faults:
                self._faults.add(places[fault.pointer], fault.code, fault.message)
            texts = message_template(path, MessageTemplateSpec(body=" "))
        due = self._faults.duration(f"{pointer}/due", task.due)
        return TaskNode(path, texts, task.assignee, task.team, due, after)

    def _wait(
        self, wait: str | WaitUntil, pointer: str, path: Path, after: Path | None
    ) -> WaitNode | WaitUntilNode:
        if isinstance(wait, str):
            return WaitNode(path, self._faults.duration(pointer, wait), after)
        least = 0 if wait.after is None else self._faults.duration(f"{pointer}/after", wait.after)
        until = Until(time.fromisoformat(wait.until), frozenset(wait.on), least)
        return WaitUntilNode(path, until, after)

    def _refer(self, pointer: str, key: str, known: frozenset[str], what: str) -> None:
        if key not in known and not self._known.anything:
            self._faults.add(pointer, "unknown_reference", f"no {what} has the key {key!r}")


def _points(points: int | PointsStep, path: Path, after: Path | None) -> PointsNode:
    given = PointsStep(points) if isinstance(points, int) else points
    return PointsNode(path, given.amount, given.reason, after)
