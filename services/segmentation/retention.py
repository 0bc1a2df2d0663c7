"""What segmentation keeps only for so long; its log of comings and goings is in `keeping`."""

from zhiyin.runtime.retention import DataClass, dead_letters, erasure_notes


def data_classes() -> tuple[DataClass, ...]:
    return (dead_letters(), erasure_notes())
