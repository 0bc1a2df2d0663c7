"""Free ports on the loopback address."""

import random
import socket
from collections.abc import Collection

LOOPBACK = "127.0.0.1"
RANGE = (15_000, 31_999)
"""Below the ports that systems give to outgoing connections, so that a server that restarts on
its port does not find it taken by some client."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now. A port in TIME_WAIT counts as free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def free_port(taken: Collection[int] = ()) -> int:
    """A port nobody listens on and that is not in `taken`. Raises OSError if there is none."""
    choice = random.SystemRandom()
    for _ in range(1000):
        port = choice.randint(*RANGE)
        if port not in taken and is_free(port):
            return port
    raise OSError("no free port between {} and {}".format(*RANGE))
