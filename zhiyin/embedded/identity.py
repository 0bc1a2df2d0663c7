"""As whom PostgreSQL runs: it refuses to be root."""

import os
import pwd
import shutil
import signal
import sys
from pathlib import Path

from zhiyin.embedded.child import Command, run
from zhiyin.embedded.errors import EmbeddedError


def identity_for(data: Path) -> str:
    """The identity (see `zhiyin.embedded.launch`) under which a server that refuses root can
    work in `data`, which is created. As root: the folder's owner if that is somebody else,
    otherwise an ordinary user in a user namespace, otherwise `nobody`, who is given the folder."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return "same"
    owner = data.stat()
    if owner.st_uid != 0:
        return f"{owner.st_uid}:{owner.st_gid}"
    if namespaces_work():
        return "namespace"
    return give_to_nobody(data)


def namespaces_work() -> bool:
    if sys.platform != "linux":
        return False
    true = shutil.which("true", path=os.defpath)
    probe = Command([true or "/bin/true"], identity="namespace", death_signal=signal.SIGKILL)
    return run(probe, timeout=10).returncode == 0


def give_to_nobody(data: Path) -> str:
    nobody = pwd.getpwnam("nobody")
    if any(data.iterdir()):
        raise EmbeddedError(
            f"{data} is root's, PostgreSQL refuses to run as root and user namespaces are blocked "
            "here: run zhiyin as an ordinary user with another --data"
        )
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    return f"{nobody.pw_uid}:{nobody.pw_gid}"
