"""The gateway's own commands, run to their end."""

from collections.abc import Mapping, Sequence

from zhiyin.embedded.child import last_text_line, run
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.instance import service_command


def ask_gateway(
    words: Sequence[str], env: Mapping[str, str], failed: str, timeout: float = 120
) -> str:
    """What it prints. Raises EmbeddedError: `failed`, and what it says of why."""
    result = run(service_command("gateway", words, env), timeout)
    if result.returncode != 0:
        said = last_text_line(result.stderr or result.stdout).removeprefix("error: ")
        raise EmbeddedError(f"{failed}: {said}")
    return result.stdout.strip()
