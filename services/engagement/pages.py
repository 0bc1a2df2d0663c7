"""Pages for people who follow a link of ours: plain HTML, without script, for small screens."""

from html import escape
from typing import Final, Literal

from zhiyin.contracts.surveys import InBoth, SurveySpec
from zhiyin.contracts.visits import Visited

Language = Literal["zh", "en"]
Notice = Literal["unknown", "expired", "answered", "left"]

_STYLE: Final = """
*{box-sizing:border-box}
body{margin:0;background:#f4f5f7;color:#1c2330;
font:17px/1.6 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif}
main{max-width:32rem;margin:0 auto;padding:1.25rem}
section{background:#fff;border-radius:14px;padding:1.5rem;margin-top:6vh;
box-shadow:0 1px 3px rgba(20,30,50,.08)}
h1{font-size:1.3rem;line-height:1.4;margin:0 0 .75rem}
p{margin:0 0 1rem}
fieldset{border:0;margin:0;padding:0}
legend{padding:0;margin-bottom:.75rem}
label.choice{display:flex;align-items:center;gap:.75rem;min-height:3.25rem;padding:.6rem .9rem;
margin-bottom:.6rem;border:1px solid #cfd6e0;border-radius:10px;cursor:pointer}
label.choice:has(input:checked){border-color:#0b63c4;background:#eef5fd}
input[type=radio]{width:1.25rem;height:1.25rem;margin:0;flex:none;accent-color:#0b63c4}
textarea{width:100%;min-height:5.5rem;padding:.7rem;font:inherit;border:1px solid #8792a2;
border-radius:10px;margin:.3rem 0 1rem}
button{width:100%;min-height:3.1rem;border:0;border-radius:10px;background:#0b63c4;color:#fff;
font:inherit;font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid #7db4f0;outline-offset:2px}
.wrong{color:#b3261e;font-weight:600}
.small{color:#5b6675;font-size:.9rem;margin:1rem 0 0}
"""
_NOTICES: Final[dict[Notice, tuple[InBoth, InBoth]]] = {
    "unknown": (
        InBoth("链接无效", "This link does not lead anywhere"),
        InBoth(
            "请检查地址是否完整，或直接联系我们的客服。",
            "Check that the address is complete, or get in touch with our service.",
        ),
    ),
    "expired": (
        InBoth("链接已过期", "This link has expired"),
        InBoth(
            "感谢您的关注。如仍想告诉我们您的想法，请联系客服。",
            "Thank you for coming. If you still want to tell us, our service is glad to hear it.",
        ),
    ),
    "answered": (
        InBoth("您已经回答过了", "You have answered already"),
        InBoth("谢谢，我们已收到您的回答。", "Thank you, we have your answer."),
    ),
    "left": (
        InBoth("退订成功", "You are unsubscribed"),
        InBoth(
            "我们不会再通过此渠道给您发送营销信息；订单通知不受影响。",
            "You will get no more offers this way. Notices about your orders still reach you.",
        ),
    ),
}
_LEAVE: Final = (
    InBoth("退订营销信息", "Unsubscribe"),
    InBoth(
        "确认后，我们不再通过此渠道给您发送营销信息。订单通知不受影响。",
        "Confirm, and we send you no more offers this way. Notices about orders still reach you.",
    ),
    InBoth("确认退订", "Unsubscribe me"),
)
_CHOOSE: Final = InBoth("请选择一项。", "Please choose one.")
_COMMENT: Final = InBoth(
    "还想告诉我们什么？（选填）", "Anything else you would like to tell us? (optional)"
)
_NO_NUMBERS: Final = InBoth(
    "请不要填写电话、证件号等个人信息。",
    "Please leave out phone numbers and other personal details.",
)
_SEND: Final = InBoth("提交", "Send")


def language(accepted: str) -> Language:
    """What a browser asks for first of what we speak; Chinese where it does not say."""
    for part in accepted.lower().split(","):
        tongue = part.partition(";")[0].strip().partition("-")[0]
        if tongue == "en":
            return "en"
        if tongue == "zh":
            return "zh"
    return "zh"


def notice(what: Notice, tongue: Language, status: int) -> Visited:
    title, text = _NOTICES[what]
    return Visited(status, html=_page(_in(title, tongue), f"<p>{_text(text, tongue)}</p>", tongue))


def thanks(spec: SurveySpec, tongue: Language) -> Visited:
    return Visited(
        200, html=_page(_in(spec.title, tongue), f"<p>{_text(spec.thanks, tongue)}</p>", tongue)
    )


def leave_page(tongue: Language) -> Visited:
    title, text, button = _LEAVE
    form = f'<form method="post"><button type="submit">{_text(button, tongue)}</button></form>'
    return Visited(
        200, html=_page(_in(title, tongue), f"<p>{_text(text, tongue)}</p>{form}", tongue)
    )


def survey_page(spec: SurveySpec, tongue: Language, *, missing: bool = False) -> Visited:
    """`missing`: it was sent without a choice."""
    choices = "".join(
        f'<label class="choice"><input type="radio" name="reason" required '
        f'value="{escape(each.key)}"><span>{_text(each.text, tongue)}</span></label>'
        for each in spec.reasons
    )
    wrong = f'<p class="wrong" role="alert">{_text(_CHOOSE, tongue)}</p>' if missing else ""
    comment = (
        f'<label>{_text(_COMMENT, tongue)}<textarea name="comment" maxlength="1000"></textarea>'
        "</label>"
        if spec.comment
        else ""
    )
    small = f'<p class="small">{_text(_NO_NUMBERS, tongue)}</p>' if spec.comment else ""
    body = (
        f'{wrong}<form method="post"><fieldset><legend>{_text(spec.question, tongue)}</legend>'
        f'{choices}</fieldset>{comment}<button type="submit">{_text(_SEND, tongue)}</button></form>'
        f"{small}"
    )
    return Visited(422 if missing else 200, html=_page(_in(spec.title, tongue), body, tongue))


def _page(title: str, body: str, tongue: Language) -> str:
    return (
        f'<!doctype html><html lang="{"zh-CN" if tongue == "zh" else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main><section><h1>{escape(title)}</h1>{body}"
        "</section></main></body></html>"
    )


def _in(text: InBoth, tongue: Language) -> str:
    return text.zh if tongue == "zh" else text.en


def _text(text: InBoth, tongue: Language) -> str:
    return escape(_in(text, tongue))
