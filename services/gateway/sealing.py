"""Sealing of single values: AES-256-GCM under a data key of their own, wrapped by a master key."""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12
_KEY_BITS: Final = 256


class Sealed(NamedTuple):
    """`master` is the version of the master key that wrapped the data key."""

    master: int
    wrapped: bytes
    sealed: bytes


class Broken(Exception):
    """What was sealed cannot be opened: wrong key, or it was tampered with."""


class Sealer:
    """Losing or deleting `wrapped` makes a value unreadable for good."""

    def __init__(self, masters: Mapping[int, bytes]) -> None:
        """Seals under the oldest master key until told otherwise, opens with all of them."""
        self._masters = {version: AESGCM(key) for version, key in masters.items()}
        self._current = min(masters)

    @property
    def versions(self) -> frozenset[int]:
        """The master keys at hand."""
        return frozenset(self._masters)

    def use(self, version: int) -> None:
        """Seal under this master key from now on. Raises KeyError if it is not at hand."""
        self._masters[version]
        self._current = version

    def seal(self, value: str, bound_to: str) -> Sealed:
        """`bound_to` must be given again to open it, so values cannot be swapped around."""
        key = AESGCM.generate_key(_KEY_BITS)
        wrapped = _encrypt(self._masters[self._current], key, bound_to)
        return Sealed(self._current, wrapped, _encrypt(AESGCM(key), value.encode(), bound_to))

    def rewrap(self, sealed: Sealed, bound_to: str) -> Sealed:
        """The same value, its data key wrapped by the master key in use. Raises Broken."""
        key = self._data_key(sealed, bound_to)
        wrapped = _encrypt(self._masters[self._current], key, bound_to)
        return Sealed(self._current, wrapped, sealed.sealed)

    def open(self, sealed: Sealed, bound_to: str) -> str:
        """Raises Broken."""
        key = self._data_key(sealed, bound_to)
        return _decrypt(AESGCM(key), sealed.sealed, bound_to).decode()

    def _data_key(self, sealed: Sealed, bound_to: str) -> bytes:
        master = self._masters.get(sealed.master)
        if master is None:
            raise Broken(f"master key {sealed.master} is not at hand")
        return _decrypt(master, sealed.wrapped, bound_to)


def place_of(namespace: str, token: str) -> str:
    """What a value in the vault is bound to."""
    return f"{namespace}\0{token}"


def _encrypt(cipher: AESGCM, data: bytes, bound_to: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, data, bound_to.encode())


def _decrypt(cipher: AESGCM, data: bytes, bound_to: str) -> bytes:
    try:
        return cipher.decrypt(data[:_NONCE], data[_NONCE:], bound_to.encode())
    except InvalidTag as error:
        raise Broken("the value was not sealed with this key, or not for this place") from error
