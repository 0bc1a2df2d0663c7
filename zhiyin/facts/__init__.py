"""What follows from a person's facts at an instant: RFM, lifecycle, reorder dates, the profile as
others read it. Pure: nothing here reads a clock or a setting."""

from zhiyin.facts.history import OrderHistory
from zhiyin.facts.lifecycle import STAGES, Lifecycle, lifecycle
from zhiyin.facts.reorders import Reorder, reorders
from zhiyin.facts.rfm import RFM_CLASSES, Rfm, rfm
from zhiyin.facts.standing import stands_until
from zhiyin.facts.thresholds import RfmThresholds
from zhiyin.facts.view import profile_view

__all__ = [
    "RFM_CLASSES",
    "STAGES",
    "Lifecycle",
    "OrderHistory",
    "Reorder",
    "Rfm",
    "RfmThresholds",
    "lifecycle",
    "profile_view",
    "reorders",
    "rfm",
    "stands_until",
]
