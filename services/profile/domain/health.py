"""Health facts in the fold: kept while the newest answer about the purpose `health` is yes."""

from typing import Any

from services.profile.domain.draft import Draft
from zhiyin.contracts.health import allowed, is_health


def just_allowed(draft: Draft) -> bool:
    """Whether the consent is new: what was said before it has to be told again."""
    return allowed(draft.consents) and not allowed(draft.before.consents)


def leave_out(draft: Draft) -> None:
    """Health facts of somebody who has not consented, or no longer."""
    if allowed(draft.consents):
        return
    refused = [name for name in draft.attributes if is_health(name)]
    if refused:
        draft.attributes = {
            name: value for name, value in draft.attributes.items() if not is_health(name)
        }
        draft.changed.update(f"attributes.{name}" for name in refused)


def without_health(content: dict[str, Any]) -> dict[str, Any]:
    """An update's properties without health attributes, of which only facts may speak."""
    attributes = content.get("attributes")
    if not isinstance(attributes, dict) or not any(map(is_health, attributes)):
        return content
    told = {name: value for name, value in attributes.items() if not is_health(name)}
    return {**content, "attributes": told}
