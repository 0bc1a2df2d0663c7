"""Campaigns, and what they reach people by: channels, templates, pressure."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call
from services.gateway.domain.names import names_masked_in
from services.gateway.domain.scopes import CAMPAIGNS_APPROVE, CAMPAIGNS_READ, CAMPAIGNS_WRITE
from services.gateway.upstreams import ENGAGEMENT
from zhiyin.contracts.campaigns import (
    CampaignSpec,
    ChannelSpec,
    ExperimentsSpec,
    LaunchSpec,
    MessageTemplateSpec,
    PressureSpec,
)
from zhiyin.contracts.previews import SampleSpec
from zhiyin.contracts.surveys import SurveySpec

_WIN_BACK: Final = {
    "key": "win-back-90d-2",
    "name": "唤醒礼",
    "trigger": {"on": "segment.entered", "segment": "dormant-90d"},
    "where": {"fact": "orders.total", "op": "gte", "value": "200"},
    "reentry": "P180D",
    "holdout": 0.1,
    "steps": [{"coupon": "back-30"}, {"message": {"channel": "auto", "template": "win-back"}}],
}
_CAPS: Final = {
    "caps": [{"per": "P7D", "max": 3, "channel": None}],
    "quiet_hours": {"from": "21:30", "to": "09:00"},
}

_SURVEY: Final = {
    "title": {"zh": "说说您的想法", "en": "Tell us what you think"},
    "question": {"zh": "最近没有下单的原因是？", "en": "Why have you not ordered lately?"},
    "reasons": [
        {"key": "price", "text": {"zh": "价格偏高", "en": "The price"}},
        {"key": "effect", "text": {"zh": "没感到效果", "en": "I did not feel an effect"}},
    ],
    "thanks": {"zh": "谢谢您！", "en": "Thank you!"},
}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    scope = CAMPAIGNS_READ if method == "GET" else CAMPAIGNS_WRITE
    return Call(
        method=method,
        path=f"/v1/{path}",
        name=name,
        summary=summary,
        tag=name.partition(".")[0],
        service=ENGAGEMENT,
        **{"scope": scope, **more},
    )


CALLS: Final = (
    _call("GET", "campaigns", "campaigns.list", "All campaigns", query=PAGE),
    _call(
        "POST", "campaigns", "campaigns.create", "Draft a campaign",
        body=CampaignSpec, example=_WIN_BACK, status=201, creates=True,
    ),
    _call("GET", "campaigns/{key}", "campaigns.show", "One campaign"),
    _call(
        "PUT", "campaigns/{key}", "campaigns.update", "A new version of a campaign",
        body=CampaignSpec, example=_WIN_BACK,
    ),
    _call(
        "POST", "campaigns/{key}/approve", "campaigns.approve", "Approve a draft",
        scope=CAMPAIGNS_APPROVE,
    ),
    _call(
        "POST", "campaigns/{key}/launch", "campaigns.launch", "Start it, or go on after a pause",
        body=LaunchSpec, body_optional=True, example={"include_current_members": True},
    ),
    _call("POST", "campaigns/{key}/pause", "campaigns.pause", "Nobody enters until launched again"),
    _call("POST", "campaigns/{key}/end", "campaigns.end", "End it for good"),
    _call(
        "GET", "campaigns/{key}/explain/{profile_id}", "campaigns.explain",
        "What it did, or did not do, for somebody, why, and what comes next",
        mask=names_masked_in,
    ),
    _call("GET", "campaigns/{key}/report", "campaigns.report", "What came of it"),
    _call("GET", "channels", "channels.list", "All channels", query=PAGE),
    _call("GET", "channels/{name}", "channels.show", "One channel, without its secrets"),
    _call(
        "PUT", "channels/{name}", "channels.put", "Define a channel",
        body=ChannelSpec,
        example={"kind": "webhook", "config": {"url": "https://example.com/zhiyin"}},
    ),
    _call("GET", "templates", "templates.list", "All message templates", query=PAGE),
    _call("GET", "templates/{key}", "templates.show", "One message template"),
    _call(
        "PUT", "templates/{key}", "templates.put", "Define a message template (Liquid)",
        body=MessageTemplateSpec, example={"body": "{{ name }}，好久不见"},
    ),
    _call("GET", "experiments", "experiments.show", "How campaigns are measured"),
    _call(
        "PUT", "experiments", "experiments.put",
        "Set holdouts, the conversion window, margin and message costs",
        body=ExperimentsSpec,
        example={"default_holdout": 0.1, "global_holdout": 0.02, "margin_rate": 0.45,
                 "message_costs": {"sms": "0.05"}},
    ),
    _call(
        "GET", "experiments/report", "experiments.report",
        "All marketing against those it leaves alone altogether",
    ),
    _call("GET", "surveys", "surveys.list", "All surveys, and how often each answer", query=PAGE),
    _call("GET", "surveys/{key}", "surveys.show", "One survey"),
    _call(
        "PUT", "surveys/{key}", "surveys.put",
        "Define a survey; in a template its link is `{{ surveys['<key>'] }}`",
        body=SurveySpec, example=_SURVEY,
    ),
    _call(
        "POST", "templates/{key}/check", "templates.check",
        "Which values are missing, over a sample of customers", scope=CAMPAIGNS_READ,
        body=SampleSpec, body_optional=True, example={"size": 200}, changes=False,
    ),
    _call("GET", "pressure", "pressure.show", "How much a person may be addressed"),
    _call(
        "PUT", "pressure", "pressure.put", "Set caps and quiet hours",
        body=PressureSpec, example=_CAPS,
    ),
)  # fmt: skip
