"""Which stack a command works on: the running one, or servers named in the environment."""

from collections.abc import Mapping

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.secret import secret_key
from zhiyin.embedded.stack.state import State, read_state
from zhiyin.embedded.stack.wiring import Wiring


def running(folder: Folder) -> State:
    """Raises EmbeddedError when nothing runs there."""
    state = read_state(folder)
    if state is None:
        raise EmbeddedError(f"nothing is running in {folder.root}: `zhiyin up` starts it")
    return state


def service_env(folder: Folder, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment for a service's command. Raises EmbeddedError when there is neither a
    running stack nor ZHIYIN_POSTGRES."""
    state = read_state(folder)
    if state is None and environ.get("ZHIYIN_POSTGRES"):
        return environ
    state = running(folder)
    if not (state.postgres and state.redis):
        raise EmbeddedError("the stack is still starting: wait until `zhiyin status` says ready")
    secret = secret_key(folder, environ)
    return Wiring(environ, secret, state.postgres, state.redis, state.kafka, 0).shared()
