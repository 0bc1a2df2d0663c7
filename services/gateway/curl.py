"""A call as one types it: curl with the example it is documented with."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

_PARAMETER: Final = re.compile(r"\{(\w+)(?::path)?\}")
_VALUES: Final[Mapping[str, str]] = {
    "profile_id": "01975d3e-6a0c-7c55-8f5e-3f7f6a2f9d10",
    "namespace": "phone",
    "value": "+8613800001111",
    "tag": "vip",
    "note_id": "n-1",
    "code": "BACK30-7K2M",
    "phrase": "taste",
}
_BREAK: Final = " \\\n  "


def curl(method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> str:
    """For a shell that has `ZHIYIN` (the gateway's address) and `ZHIYIN_KEY`."""
    address = _PARAMETER.sub(lambda found: _VALUES.get(found[1], found[1].upper()), path)
    asked = "" if method == "GET" else f"-X {method} "
    parts = [f'curl {asked}"$ZHIYIN{address}"', '-H "Authorization: Bearer $ZHIYIN_KEY"']
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in (headers or {}).items()]
    if body is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    return _BREAK.join(parts)
