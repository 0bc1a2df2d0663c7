"""What only an operator's command may write, never a storefront."""

from services.gateway.domain.rejection import Rejection
from zhiyin.contracts.properties.customer import CustomerLinked, CustomerUnlinked
from zhiyin.contracts.properties.event_types import OPERATOR_TYPES, Properties

_CODE = "operator_only"


def operator_only(what: str | Properties) -> Rejection | None:
    """Why an event type, or its properties (pointers start there), are an operator's."""
    if isinstance(what, str):
        if what in OPERATOR_TYPES:
            return Rejection(_CODE, f"{what} comes of an operator's call on /v1/profiles", "/type")
        return None
    if isinstance(what, CustomerLinked) and (what.keep is not None or what.absorb is not None):
        return Rejection(_CODE, "merge through POST /v1/profiles/merge", "/keep")
    if isinstance(what, CustomerLinked):
        for name in ("withdrawn", "between", "parted"):
            if getattr(what, name):
                return Rejection(_CODE, "what follows from a merge the platform says", f"/{name}")
    if isinstance(what, CustomerLinked | CustomerUnlinked) and what.actor is not None:
        return Rejection(_CODE, "an actor is named by the platform only", "/actor")
    return None
