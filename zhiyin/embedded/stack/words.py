"""The last thing a process said, as one line for a person."""

from pathlib import Path
from typing import Any

import msgspec

from zhiyin.embedded.child import last_line


def last_words(log: Path) -> str:
    """Our services log JSON: its event and error are shown, not the whole line."""
    line = last_line(log)
    try:
        entry = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return line
    parts = [str(entry[name]) for name in ("event", "error", "reason") if name in entry]
    return ": ".join(parts) or line
