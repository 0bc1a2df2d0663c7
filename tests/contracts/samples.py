"""Golden samples of every message. Run to file what has changed as a new version:

.venv/bin/python -m tests.contracts.samples
"""

from pathlib import Path

import zhiyin.contracts
from tests.contracts.examples import Example, examples

FOLDER = Path(zhiyin.contracts.__file__).parent / "samples"


def versions(example: Example) -> list[Path]:
    """The samples of a message, oldest first."""
    name = FOLDER / example.name
    found = name.parent.glob(f"{name.name}.v*.{example.suffix}")
    return sorted(found, key=lambda path: int(path.suffixes[-2][2:]))


def add_missing() -> list[Path]:
    """Write a new version of every message that is no longer written as its newest sample is.
    Samples that are there are never touched: old messages lie in logs and tables."""
    added = []
    for example in examples():
        known = versions(example)
        written = example.encode(example.message)
        if known and known[-1].read_bytes() == written:
            continue
        path = FOLDER / f"{example.name}.v{len(known) + 1}.{example.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written)
        added.append(path)
    return added


if __name__ == "__main__":
    for new in add_missing():
        print(new.relative_to(FOLDER))
