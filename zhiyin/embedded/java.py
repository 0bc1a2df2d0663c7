"""What a local Apache Kafka needs: a Java runtime, and its jars, fetched once by Maven."""

import fcntl
import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from zhiyin.embedded.errors import EmbeddedError

OLDEST_JAVA = 17
DEPLOY = Path(__file__).parents[2] / "deploy" / "kafka"
FETCH_SECONDS = 900


def java(environ: Mapping[str, str]) -> Path:
    """The Java program, of `JAVA_HOME` or the path. Raises EmbeddedError if it is missing or
    too old."""
    found = program("java", environ)
    if found is None:
        raise EmbeddedError(
            f"Apache Kafka needs Java {OLDEST_JAVA}, which is not installed: "
            "install openjdk-17-jre-headless, or name a broker in ZHIYIN_KAFKA"
        )
    version = java_version(found)
    if version < OLDEST_JAVA:
        raise EmbeddedError(f"Apache Kafka needs Java {OLDEST_JAVA}, but {found} is {version}")
    return found


def java_version(path: Path) -> int:
    try:
        result = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedError(f"{path} does not run: {error}") from error
    found = re.search(r'version "(?:1\.)?(\d+)', result.stderr + result.stdout)
    return int(found.group(1)) if found else 0


def program(name: str, environ: Mapping[str, str]) -> Path | None:
    home = environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / name).exists():
        return Path(home) / "bin" / name
    found = shutil.which(name, path=environ.get("PATH"))
    return Path(found) if found else None


def jars(environ: Mapping[str, str], deploy: Path = DEPLOY) -> Path:
    """The folder of Apache Kafka's jars. The first time Maven fetches them (about 45 MB);
    several processes may ask at once. Raises EmbeddedError."""
    pom = deploy / "pom.xml"
    if not pom.exists():
        raise EmbeddedError(f"{pom} is missing: a local Kafka needs a checkout of the repository")
    target = deploy / "target"
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    folder = target / f"jars-{wanted[:12]}"
    if (folder / ".complete").exists():
        return folder
    try:
        target.mkdir(exist_ok=True)
        with (target / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / ".complete").exists():
                fetch(pom, folder, environ)
    except OSError as error:
        raise EmbeddedError(f"cannot keep Apache Kafka's jars in {target}: {error}") from error
    return folder


def fetch(pom: Path, folder: Path, environ: Mapping[str, str]) -> None:
    maven = program("mvn", environ)
    if maven is None:
        raise EmbeddedError(
            "Apache Kafka is fetched by Maven, which is not installed: install maven, "
            "or name a broker in ZHIYIN_KAFKA"
        )
    command = [str(maven), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    try:
        result = subprocess.run(
            [*command, f"-DoutputDirectory={folder}"],
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            env=dict(environ),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedError(f"Maven did not finish within {FETCH_SECONDS} s") from error
    if result.returncode != 0:
        said = re.search(r"\[ERROR\][^\n]*", result.stdout + result.stderr)
        raise EmbeddedError(
            f"Maven could not fetch Apache Kafka: {said.group() if said else result.returncode}"
        )
    (folder / ".complete").touch()
