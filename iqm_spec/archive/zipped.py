"""A zip whose bytes depend on what is in it alone: names in order, no times, one way to pack."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_THE_FIRST_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell."""

_MODE = 0o100644 << 16
_FOLDER_MODE = 0o040755 << 16 | 0x10
_UNIX = 3
_PIECE = 1 << 20


def write_zip(target: BinaryIO, entries: Mapping[str, Path | bytes]) -> None:
    """Write entries by their names into a file that can seek, piece by piece.

    The folders at the top have entries too: readers of RO-Crates look for those that are named.
    """
    folders = {f"{name.partition('/')[0]}/" for name in entries if "/" in name}
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted({*entries, *folders}):
            if name in folders:
                archive.writestr(_folder(name), b"")
                continue
            source = entries[name]
            size = len(source) if isinstance(source, bytes) else source.stat().st_size
            info = zipfile.ZipInfo(name, _THE_FIRST_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED if size else zipfile.ZIP_STORED
            info.external_attr = _MODE
            info.create_system = _UNIX
            info.file_size = size
            with archive.open(info, "w") as entry:
                if isinstance(source, bytes):
                    entry.write(source)
                else:
                    with source.open("rb") as file:
                        shutil.copyfileobj(file, entry, _PIECE)


def _folder(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _THE_FIRST_TIME)
    info.external_attr = _FOLDER_MODE
    info.create_system = _UNIX
    return info
