"""Identities of runs and actions: derived, so that the same decision made twice is one."""

import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("5b0f1f2e-7c7d-5a55-9d0a-6b2f1c6a2c11")


def run_id(campaign: str, occurrence: str, profile_id: str) -> uuid.UUID:
    return _derived("run", campaign, occurrence, profile_id)


def action_id(
    campaign: str, version: int, occurrence: str, profile_id: str, step: str
) -> uuid.UUID:
    """`profile_id` is the person's at entering: a merge half-way does not rename what follows."""
    return _derived("action", campaign, str(version), occurrence, profile_id, step)


def _derived(*parts: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, "\0".join(parts))
