"""zhiyin doctor"""

from typing import Annotated

import typer

from zhiyin.cli.checks import examine
from zhiyin.cli.options import HERE, PORT, Data
from zhiyin.embedded.stack.folder import Folder
from zhiyin.runtime.settings import environment


def doctor(
    data: Data = HERE,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="The port that `up` would use.")
    ] = PORT,
) -> None:
    """Check this machine and the stack, one line each. Exits 1 if there is a problem."""
    findings = list(examine(Folder(data.absolute()), environment(), port))
    for finding in findings:
        typer.echo(f"{finding.verdict:8} {finding.what}: {finding.detail}")
    if any(finding.verdict == "problem" for finding in findings):
        raise typer.Exit(1)
