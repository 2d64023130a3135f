"""Remembers packs whose form was found sound: what has that sha256 need not be parsed again.

A file of 32-byte digests in the cache folder, read whole and appended to.
"""

from __future__ import annotations

import os
from pathlib import Path

from attrs import define, field

from iqm_spec.cache import cache_folder
from iqm_spec.version import __version__

_SIZE = 32
CHECKS = 2
"""Raised when more is checked, so that nothing is taken for sound that never was looked at."""

_LARGEST = 1 << 24
"""Bytes of the file beyond which it is begun anew: half a million packs."""


@define
class Forms:
    """The digests of packs that some `verify` of this version found in form."""

    _path: Path | None
    _known: set[bytes] = field(factory=set)
    _found: list[bytes] = field(factory=list)

    def __contains__(self, digest: str) -> bool:
        return bytes.fromhex(digest) in self._known

    def add(self, digest: str) -> None:
        """Notes a pack that is in form."""
        self._found.append(bytes.fromhex(digest))

    def save(self) -> None:
        """Keeps what was added for the next process; a disk that is full is no matter."""
        if self._path is None or not self._found:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._known else os.O_TRUNC)
            handle = os.open(self._path, flags, 0o600)
            try:
                os.write(handle, b"".join(self._found))
            finally:
                os.close(handle)
        except OSError:
            return


def remembered_forms() -> Forms:
    """What this machine knows; nothing where the file is missing, cut short or grown too large."""
    folder = cache_folder()
    if folder is None:
        return Forms(None)
    path = folder / "forms" / f"{__version__}-{CHECKS}"
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError:
        return Forms(path)
    if len(data) > _LARGEST or len(data) % _SIZE:
        return Forms(path)
    return Forms(path, {data[at : at + _SIZE] for at in range(0, len(data), _SIZE)})
