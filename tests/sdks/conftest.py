"""The real libraries: from PyPI with the others, from npm into a folder beside these tests."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.databases import a_database
from tests.whole.platform import Platform, a_platform

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
MODULES = HERE / "node_modules"
STAMP = MODULES / ".zhiyin-lock"


def missing(what: str) -> NoReturn:
    """Skips with the reason; fails where SDKs are required."""
    if os.environ.get("REQUIRE_SDKS") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def node() -> str:
    """The node to run scripts with; what they import is installed."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        missing("node and npm are missing: install nodejs and npm")
    with (HERE / ".gitignore").open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # one installs while the others wait
        if not STAMP.exists() or STAMP.read_bytes() != LOCK.read_bytes():
            install = subprocess.run([npm, "ci"], cwd=HERE, capture_output=True, text=True)
            if install.returncode != 0:
                missing(f"npm could not install the libraries: {install.stderr[-500:]}")
            shutil.copyfile(LOCK, STAMP)
    return found


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing("chromium is missing: install chromium")
    return found


@pytest.fixture(scope="package")
async def platform(
    postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    """One platform for the tests of a file."""
    async with (
        a_database(postgres_url) as database,
        a_platform(database, redis_url, tmp_path_factory.mktemp("sdks")) as one,
    ):
        yield one
