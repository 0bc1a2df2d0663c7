"""Ready campaigns, and word of what runs low."""

from typing import Final

from services.gateway.calls import PAGE, Call
from services.gateway.domain.scopes import CAMPAIGNS_READ, CAMPAIGNS_WRITE, EVENTS_WRITE
from services.gateway.upstreams import ENGAGEMENT
from zhiyin.contracts.playbooks import InstallPlaybookSpec, StockAlertSpec

CALLS: Final = (
    Call(
        method="GET", path="/v1/playbooks", name="playbooks.list", tag="playbooks",
        service=ENGAGEMENT, scope=CAMPAIGNS_READ, query=PAGE,
        summary="Campaigns ready to be installed, with their texts in Chinese and English",
    ),
    Call(
        method="GET", path="/v1/playbooks/{key}", name="playbooks.show", tag="playbooks",
        service=ENGAGEMENT, scope=CAMPAIGNS_READ, summary="One ready campaign",
    ),
    Call(
        method="POST", path="/v1/playbooks/{key}/install", name="playbooks.install",
        tag="playbooks", service=ENGAGEMENT, scope=CAMPAIGNS_WRITE, body=InstallPlaybookSpec,
        body_optional=True, example={"launch": False},
        summary="Install one: coupons and texts, then the campaign as a draft, or live",
    ),
    Call(
        method="POST", path="/v1/stock-alerts", name="stock-alerts.raise", tag="playbooks",
        service=ENGAGEMENT, scope=EVENTS_WRITE, or_scope=CAMPAIGNS_WRITE, body=StockAlertSpec,
        example={"sku": "EJ-250", "left": 5}, status=202,
        summary="A product runs low: whoever saved it gets the event custom.saved_item_low",
    ),
)  # fmt: skip
