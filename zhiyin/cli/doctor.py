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
    audit_head: Annotated[
        str | None,
        typer.Option(
            help="SEQ:HASH as GET /v1/audit/head gave it: the audit trail must still have it."
            " Default: what the last doctor saw.",
            metavar="SEQ:HASH",
        ),
    ] = None,
) -> None:
    """Check this machine and the stack, one line each. Exits 1 if there is a problem."""
    findings = list(examine(Folder(data.absolute()), environment(), port, audit_head))
    for finding in findings:
        typer.echo(f"{finding.verdict:8} {finding.what}: {finding.detail}")
    if any(finding.verdict == "problem" for finding in findings):
        raise typer.Exit(1)
