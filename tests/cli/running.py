"""Runs the `zhiyin` command as a user does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def zhiyin(
    *words: str | Path, env: Mapping[str, str] | None = None, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """The command with these words; ZHIYIN_* of the tests' own environment do not reach it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ZHIYIN_")}
    return subprocess.run(
        [sys.executable, "-m", "zhiyin.cli.main", *map(str, words)],
        capture_output=True,
        text=True,
        env={**clean, **(env or {})},
        timeout=timeout,
        check=False,
    )


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """What a refused command says: exactly one line, and no success."""
    assert result.returncode != 0, result.stdout
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("zhiyin: ")
    return lines[0].removeprefix("zhiyin: ")
