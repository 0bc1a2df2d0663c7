"""zhiyin asyncapi"""

import json
from importlib.metadata import version

import typer

from zhiyin.contracts.asyncapi import asyncapi as document


def asyncapi() -> None:
    """Print the AsyncAPI 3 document of the topics, as JSON."""
    typer.echo(json.dumps(document(version("zhiyin")), ensure_ascii=False, indent=2))
