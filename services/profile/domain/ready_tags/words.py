"""What customers talk about to support and in reviews, and in which mood."""

from typing import Final

from services.profile.domain.ready_tags.ready import Ready, said

_GROUP: Final = "customer-words"


def _topic(topic: str, name: str, name_en: str, about: str) -> Ready:
    return Ready(
        f"said-{topic.replace('_', '-')}",
        _GROUP,
        name,
        name_en,
        f"90 天内在客服或评价中{about}，附原话。",
        f"{name_en}, to support or in a review, within 90 days; with the quote.",
        said(1, "90d", topics=topic),
    )


WORDS: Final = (
    _topic("quality", "谈到质量", "Spoke of quality", "谈到商品质量"),
    _topic("taste", "谈到口味", "Spoke of taste", "谈到口味"),
    _topic("packaging", "谈到包装", "Spoke of packaging", "谈到包装"),
    _topic("logistics", "谈到物流", "Spoke of delivery", "谈到物流配送"),
    _topic("price", "谈到价格", "Spoke of the price", "谈到价格"),
    _topic("effect", "谈到效果", "Spoke of the effect", "谈到效果"),
    _topic("usage", "咨询用法", "Asked how to use it", "询问用法用量"),
    _topic("after_sales", "谈到售后", "Spoke of after-sales service", "谈到退换货或客服"),
    Ready(
        "unhappy", _GROUP, "情绪不满", "Unhappy",
        "30 天内的留言情绪为负面，附原话。",
        "What they wrote within 30 days was in a bad mood; with the quote.",
        said(1, "30d", mood="negative"),
    ),
    Ready(
        "delighted", _GROUP, "赞不绝口", "Delighted",
        "90 天内两次以上写下正面的话，附原话。",
        "Wrote in a good mood at least twice within 90 days; with the quote.",
        said(2, "90d", mood="positive"),
    ),
)  # fmt: skip
