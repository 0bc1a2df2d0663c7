"""A container's health check: exit code 0 when this service answers /readyz with 200."""

import http.client
import sys


def ready(port: int = 8080, timeout: float = 3.0) -> bool:
    """Whether the service on `port` is ready; `timeout` in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready() else 1)
