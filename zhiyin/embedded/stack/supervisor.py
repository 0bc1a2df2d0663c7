"""The process that starts the stack, keeps it up and stops it."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.ports import LOOPBACK, is_free
from zhiyin.embedded.stack import signals
from zhiyin.embedded.stack.fleet import Fleet
from zhiyin.embedded.stack.folder import Folder, decode, write_private
from zhiyin.embedded.stack.keys import Connection, stack_keys
from zhiyin.embedded.stack.lock import held
from zhiyin.embedded.stack.migrations import migrate_all
from zhiyin.embedded.stack.plan import Plan
from zhiyin.embedded.stack.rotation import rotate
from zhiyin.embedded.stack.secret import secret_key
from zhiyin.embedded.stack.servers import Servers, Tell, start_servers
from zhiyin.embedded.stack.state import Phase, State, write_state
from zhiyin.embedded.stack.wiring import Wiring, wiring_of

TICK_SECONDS = 0.1
ROTATE_SECONDS = 10.0


@dataclass
class Stack:
    plan: Plan
    folder: Folder
    environ: Mapping[str, str]
    say: Tell
    servers: Servers = field(default_factory=lambda: Servers("", "", None))
    fleet: Fleet | None = None
    phase: Phase = "starting"
    doing: str = ""

    def start(self) -> None:
        """Returns when everything is ready. Raises EmbeddedError, with some parts running."""
        secret = secret_key(self.folder, self.environ)
        self.folder.claim(self.plan.log)
        start_servers(self.plan, self.folder, self.environ, self.servers, self.tell)
        wiring = wiring_of(self.servers, self.environ, secret, self.plan.port)
        self.tell("applying migrations")
        migrate_all(wiring.shared())
        self.fleet = Fleet(wiring, self.folder.logs)
        self.tell("starting the services")
        self.fleet.start(self.plan.instances)
        self._connect(wiring)
        self.fleet.wait_until_ready(self.tell)
        self.phase = "ready"
        self.tell(f"ready: {wiring.gateway}")

    def _connect(self, wiring: Wiring) -> None:
        home = self.environ.get("ZHIYIN_POSTGRES") or "embedded"
        kept = stack_keys(self.folder, wiring.shared(), home)
        connection = Connection(
            wiring.gateway,
            **kept.keys,
            postgres=wiring.postgres,
            redis=wiring.redis,
            kafka=wiring.kafka,
            operator_email=kept.operator.email if kept.operator else None,
            operator_password=kept.operator.password if kept.operator else None,
        )
        content = msgspec.json.format(msgspec.json.encode(connection), indent=2)
        write_private(self.folder.connection, content + b"\n")

    def watch(self) -> None:
        """Keeps everything up until Interrupted is raised."""
        next_rotation = 0.0
        while True:
            changed = self.servers.check(self.tell)
            if self.fleet is not None:
                changed = self.fleet.check(self.tell) or changed
                self._resize(self.fleet)
            if changed:
                self.publish()
            if time.monotonic() >= next_rotation:
                next_rotation = time.monotonic() + ROTATE_SECONDS
                rotate(self.folder.logs)
            time.sleep(TICK_SECONDS)

    def _resize(self, fleet: Fleet) -> None:
        """Does what `zhiyin scale` asks for; its file goes away when the state tells the result."""
        if not self.folder.wanted.exists():
            return
        try:
            fleet.resize(decode(self.folder.wanted, dict[str, int]), self.tell)
        except EmbeddedError as error:
            self.tell(str(error))
        self.publish()
        self.folder.wanted.unlink(missing_ok=True)

    def stop(self) -> None:
        self.phase = "stopping"
        self.tell("stopping")
        self.folder.connection.unlink(missing_ok=True)
        if self.fleet is not None:
            self.fleet.stop()
        self.servers.stop(self.tell)
        self.folder.state.unlink(missing_ok=True)

    def tell(self, text: str) -> None:
        self.doing = text
        self.say(text)
        self.publish()

    def publish(self) -> None:
        write_state(
            self.folder,
            State(
                pid=os.getpid(),
                phase=self.phase,
                doing=self.doing,
                gateway=f"http://{LOOPBACK}:{self.plan.port}",
                postgres=self.servers.postgres,
                redis=self.servers.redis,
                kafka=self.servers.kafka,
                servers=self.servers.state(),
                instances=self.fleet.state() if self.fleet else (),
            ),
        )


def supervise(plan: Plan, root: Path, environ: Mapping[str, str], say: Tell) -> None:
    """Runs a stack in `root` until this process is asked to stop. Raises EmbeddedError if it
    cannot be started; then nothing of it is left running."""
    folder = Folder(root.absolute())
    folder.create()

    stack = Stack(plan, folder, environ, say)
    with held(folder.lock), signals.interruptible():
        try:
            check_port(plan.port)
            folder.wanted.unlink(missing_ok=True)
            stack.start()
            stack.watch()
        except signals.Interrupted:
            pass
        finally:
            signals.ignore()
            stack.stop()


def check_port(port: int) -> None:
    if not is_free(port):
        raise EmbeddedError(f"port {port} is taken: choose another with --port")
