"""A person's story in a campaign, in one sentence of Chinese and of English."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from zhiyin.contracts.instants import Instant
from zhiyin.rules import LANGUAGES, Language, Options, Words, day_and_time

_REASONS: Final[Mapping[str, Words]] = {
    "condition": Words("不符合条件", "the condition did not hold"),
    "holdout": Words("属于对照组", "held out for comparison"),
    "global_holdout": Words("属于全局对照组", "held out of all marketing for comparison"),
    "cap": Words("已达触达频次上限", "a cap on messages was reached"),
    "consent": Words("客户已拒绝接收", "consent was refused"),
    "quiet_hours": Words("处于免打扰时段", "it was quiet hours"),
    "open_complaint": Words("有未解决的投诉", "a complaint was open"),
    "reentry": Words("未到可再次进入的时间", "it was too soon to enter again"),
    "stale": Words("事情发生得太久", "it had happened too long ago"),
    "import": Words("属于导入的历史", "it was imported history"),
    "budget": Words("优惠券预算或限额用尽", "coupons were used up"),
    "no_reachable_channel": Words("没有可触达的渠道", "no channel reached them"),
    "paused": Words("活动已暂停", "the campaign was paused"),
    "unknown_person": Words("客户资料未到", "the person was not known yet"),
    "arbitration": Words("等待更重要的消息", "waiting for whether something more important comes"),
    "best_hour": Words("等到客户最活跃的时段", "waiting for the hour at which they look most"),
    "exit_on": Words("发生了退出事件", "the event that ends the journey came"),
    "ended": Words("活动已结束", "the campaign ended"),
    "merged": Words("与另一档案合并", "they were merged with somebody"),
    "moved": Words("由新版本接管", "a newer version took over"),
}
_STATES: Final[Mapping[str, Words]] = {
    "decided": Words("待发送", "to be delivered"),
    "sent": Words("已完成", "done"),
    "deferred": Words("推迟", "deferred"),
    "failed": Words("失败", "failed"),
    "skipped": Words("跳过", "skipped"),
}
_KINDS: Final[Mapping[str, Words]] = {
    "coupon": Words("发券", "coupon"),
    "message": Words("消息", "message"),
    "webhook": Words("回调", "webhook"),
    "points": Words("积分", "points"),
    "tag": Words("标签", "tag"),
    "task": Words("员工任务", "staff task"),
    "wait": Words("等待", "wait"),
    "wait_for": Words("等待事件", "wait for an event"),
    "if": Words("判断", "branch"),
    "split": Words("分流", "split"),
    "end": Words("结束", "the end"),
}
_ENDS: Final[Mapping[str, Words]] = {
    "done": Words("旅程已走完", "the journey is over"),
    "exited": Words("已退出", "they left"),
}


def reason_words(reason: str | None) -> Words:
    return _REASONS.get(reason or "", Words(reason or "", reason or ""))


class Story(NamedTuple):
    """`ended`: the state and reason of a run that is over; `coming`: see `outlook`."""

    at: Instant
    reason: str | None
    entered: bool
    steps: Sequence[Mapping[str, Any]]
    ended: tuple[str, str | None] | None
    coming: Sequence[Mapping[str, Any]]


def story_words(story: Story, options: Options) -> dict[str, str]:
    return {language: _sentence(story, options, language) for language in LANGUAGES}


def never_words() -> dict[str, str]:
    return {"zh": "活动从未考虑过此客户。", "en": "The campaign has never looked at this person."}


def _sentence(story: Story, options: Options, language: Language) -> str:
    zh, when = language == "zh", day_and_time(story.at, options, language)
    if not story.entered:
        why = reason_words(story.reason).of(language)
        return f"{when} 未进入：{why}。" if zh else f"Not entered at {when}: {why}."
    parts = [f"{when} 进入" if zh else f"Entered at {when}"]
    parts += [_step(step, language) for step in story.steps]
    if story.ended is not None:
        parts.append(_ending(*story.ended, language))
    parts += [_coming(each, language) for each in story.coming]
    return ("；".join(parts) + "。") if zh else ("; ".join(parts) + ".")


def _step(step: Mapping[str, Any], language: Language) -> str:
    kind = _KINDS.get(step["kind"], Words(step["kind"], step["kind"])).of(language)
    state = _STATES.get(step["state"], Words(step["state"], step["state"])).of(language)
    why = reason_words(step["reason"]).of(language) if step["reason"] else ""
    if language == "zh":
        return f"{kind}{state}{f'（{why}）' if why else ''}"
    return f"{kind} {state}{f' ({why})' if why else ''}"


def _ending(state: str, reason: str | None, language: Language) -> str:
    words = _ENDS[state].of(language)
    why = reason_words(reason).of(language) if reason else ""
    if language == "zh":
        return f"{words}{f'：{why}' if why else ''}"
    return f"{words}{f': {why}' if why else ''}"


def _coming(each: Mapping[str, Any], language: Language) -> str:
    kind = _KINDS[each["kind"]].of(language)
    on, at = each["on"], each["at"]
    if on == "event":
        event = each["event"]
        return f"若 {event}，则{kind}" if language == "zh" else f"on {event}: {kind}"
    if at is None:
        return f"重新启动后{kind}" if language == "zh" else f"when launched again: {kind}"
    return f"{at} 起{kind}" if language == "zh" else f"at {at}: {kind}"
