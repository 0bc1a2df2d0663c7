"""Runs inside the child, before it becomes the server: gives up root, ties its life to its
supervisor's, then executes the command. Started by path and so imports nothing of Zhiyin.

    python launch.py PARENT SIGNAL IDENTITY COMMAND...

IDENTITY is `same`, `namespace` (an ordinary user inside a new user namespace) or `UID:GID`.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
INSIDE = 1000
"""The user id that the server sees inside the namespace; outside, its files stay root's."""


def enter_user_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"user namespaces are not allowed here: {os.strerror(code)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE} 0 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE} 0 1")


def become(identity: str) -> None:
    if identity == "namespace":
        enter_user_namespace()
    elif identity != "same":
        user, group = (int(part) for part in identity.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)


def die_with(parent: int, death_signal: int) -> None:
    """Comes last before exec, because a change of user clears it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the supervisor is gone")
    else:
        watch(parent, os.getpid(), death_signal)


def watch(parent: int, target: int, death_signal: int) -> None:
    """Where the kernel has no parent-death signal a small process looks once a second. It is a
    grandchild, so that the server never has a child it does not know."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while is_alive(target):
        if not is_alive(parent):
            os.kill(target, death_signal)
            break
        time.sleep(1)
    os._exit(0)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(arguments: list[str]) -> None:
    parent, death_signal, identity, *command = arguments
    try:
        become(identity)
        die_with(int(parent), int(death_signal))
        os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
