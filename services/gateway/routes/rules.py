"""Rules and the facts they read, for whoever builds rules."""

from typing import Final

from services.gateway.calls import Call
from services.gateway.domain.scopes import CAMPAIGNS_READ, SEGMENTS_READ
from services.gateway.upstreams import SEGMENTATION
from zhiyin.contracts.rules import FactCatalogue, ReadRule, RuleSpec

CALLS: Final = (
    Call(
        method="GET", path="/v1/facts", name="facts.list", tag="rules", service=SEGMENTATION,
        scope=SEGMENTS_READ, or_scope=CAMPAIGNS_READ, answer=FactCatalogue,
        summary="Every fact and event a rule may read, those that customers' data brought included",
    ),
    Call(
        method="POST", path="/v1/rules/parse", name="rules.parse", tag="rules",
        service=SEGMENTATION, scope=SEGMENTS_READ, or_scope=CAMPAIGNS_READ, changes=False,
        body=RuleSpec, answer=ReadRule,
        example={"text": "orders.count >= 3 and last(purchase.completed) older than 90d"},
        summary="Check a rule given as tree, text or JsonLogic; get it in every form and in words",
    ),
)  # fmt: skip
