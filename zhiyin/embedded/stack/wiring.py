"""What each process of a stack is told through its environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhiyin.embedded.ports import LOOPBACK
from zhiyin.embedded.stack.servers import Servers

WORKERS = ("profile", "segmentation", "engagement")


@dataclass(frozen=True, slots=True)
class Wiring:
    """`environ` is the user's own environment, whose other settings (time zone, tracing, …)
    reach every service; `port` is the gateway's public one."""

    environ: Mapping[str, str]
    secret: str
    postgres: str
    redis: str
    kafka: str | None
    port: int

    @property
    def gateway(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def shared(self) -> dict[str, str]:
        """What every service needs; enough to migrate and to make keys."""
        env = {name: value for name, value in self.environ.items() if name != "ZHIYIN_KAFKA"}
        env["ZHIYIN_POSTGRES"] = self.postgres
        env["ZHIYIN_REDIS"] = self.redis
        env["ZHIYIN_SECRET_KEY"] = self.secret
        # The operator of connection.json is to get in with what stands there.
        env.setdefault("ZHIYIN_TOTP", "optional")
        if self.kafka:
            env["ZHIYIN_KAFKA"] = self.kafka
        return env

    def worker(self, name: str, port: int) -> dict[str, str]:
        """`ZHIYIN_GATEWAY_URLS` is where engagement asks for addresses in clear;
        `ZHIYIN_PUBLIC_URL`, unless the user has said where they are reached, where links lead."""
        return {
            "ZHIYIN_PUBLIC_URL": self.gateway,
            **self.shared(),
            "ZHIYIN_INSTANCE": name,
            "ZHIYIN_LISTEN": f"{LOOPBACK}:{port}",
            "ZHIYIN_GATEWAY_URLS": self.gateway,
        }

    def gateway_of(
        self, name: str, port: int, workers: Mapping[str, Sequence[int]]
    ) -> dict[str, str]:
        """Gateways share the public port; `port` is where this one alone can be asked how it is.
        `workers` are the ports of each service behind it."""
        env = self.worker(name, self.port)
        env["ZHIYIN_STATUS_LISTEN"] = f"{LOOPBACK}:{port}"
        for service, ports in workers.items():
            urls = ",".join(f"http://{LOOPBACK}:{p}" for p in ports)
            env[f"ZHIYIN_{service.upper()}_URLS"] = urls
        return env


def wiring_of(servers: Servers, environ: Mapping[str, str], secret: str, port: int) -> Wiring:
    return Wiring(environ, secret, servers.postgres, servers.redis, servers.kafka, port)
