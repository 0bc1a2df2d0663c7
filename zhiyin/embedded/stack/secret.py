"""The key under which the vault and the tokens are: made once for an embedded stack."""

import secrets
from collections.abc import Mapping

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder, write_private


def secret_key(folder: Folder, environ: Mapping[str, str]) -> str:
    """`ZHIYIN_SECRET_KEY`, or the one kept in the folder, made there the first time. Refuses
    another key than the data was made with, and to make one up for somebody's own PostgreSQL."""
    given = environ.get("ZHIYIN_SECRET_KEY")
    if folder.secret.exists():
        kept = folder.secret.read_text().strip()
        if given and given != kept:
            raise EmbeddedError(
                f"ZHIYIN_SECRET_KEY is not the key that {folder.root} was made with: unset it"
            )
        return kept
    if given:
        return given
    if environ.get("ZHIYIN_POSTGRES"):
        raise EmbeddedError(
            "ZHIYIN_POSTGRES names your own server, so ZHIYIN_SECRET_KEY must be set: "
            "what is sealed under a key that gets lost cannot be read again"
        )
    made = secrets.token_urlsafe(32)
    write_private(folder.secret, made.encode())
    return made
