"""The library of ready segments, by the segmentation service."""

from typing import Final

from services.gateway.calls import Call
from services.gateway.domain.scopes import SEGMENTS_READ, SEGMENTS_WRITE
from services.gateway.upstreams import SEGMENTATION
from zhiyin.contracts.segment_library import InstalledSegments, ReadySegment, SegmentInstallSpec
from zhiyin.runtime.web import Page

CALLS: Final = (
    Call(
        method="GET", path="/v1/segment-library", name="segment-library.list", tag="segments",
        service=SEGMENTATION, scope=SEGMENTS_READ, answer=Page[ReadySegment],
        summary="Segments ready to be installed",
    ),
    Call(
        method="POST", path="/v1/segment-library/install", name="segment-library.install",
        tag="segments", service=SEGMENTATION, scope=SEGMENTS_WRITE, body=SegmentInstallSpec,
        body_optional=True, example={"keys": ["fading-loyals"], "groups": ["value"]},
        answer=InstalledSegments,
        summary="Install segments of the library: those named with what they read, or all",
    ),
)  # fmt: skip
