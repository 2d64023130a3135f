"""Files that appear whole or not at all: write in tmp/, fsync, then rename or link into place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.store.disk import Disk, translated
from iqm_spec.store.layout import STARTING_FILES, TMP

if TYPE_CHECKING:
    from hashlib import _Hash

_BUFFER = 1 << 20


@define
class TempFile:
    """A file being written in tmp/; knows the size and the sha256 of what it was given."""

    path: Path
    _root: Path
    _disk: Disk
    _descriptor: int
    size: int = 0
    renamed: bool = False
    _hash: _Hash = field(factory=hashlib.sha256)
    _pending: bytearray = field(factory=bytearray)

    def write(self, data: bytes) -> None:
        """Appends; bytes reach the disk in large pieces."""
        self._hash.update(data)
        self.size += len(data)
        self._pending += data
        if len(self._pending) >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Hands everything to the operating system."""
        with translated(self._root):
            self._disk.write(self._descriptor, bytes(self._pending))
        self._pending.clear()

    def sync(self) -> None:
        """Everything is on the disk afterwards."""
        self.flush()
        with translated(self._root):
            self._disk.sync(self._descriptor)

    @property
    def digest(self) -> str:
        """Sha256 of what was written so far."""
        return self._hash.hexdigest()


@frozen
class Folder:
    """A results folder and the disk it is written through. Reading needs nothing to exist."""

    root: Path
    disk: Disk

    @contextmanager
    def temp(self) -> Iterator[TempFile]:
        """A new file in tmp/, removed at the end; a crash leaves it there, where it is harmless."""
        self._start()
        with self._temp() as temp:
            yield temp

    @contextmanager
    def _temp(self) -> Iterator[TempFile]:
        path = self.root / TMP / os.urandom(8).hex()
        with translated(self.root):
            descriptor = self.disk.create(path)
        temp = TempFile(path, self.root, self.disk, descriptor)
        try:
            yield temp
        finally:
            os.close(descriptor)
            if not temp.renamed:
                with suppress(OSError):
                    self.disk.remove(path)

    def place(self, temp: TempFile, target: Path, *, exclusive: bool = False) -> bool:
        """Gives a temporary file its name, durably; False where it is taken and `exclusive`."""
        temp.sync()
        self._make_dirs(target.parent)
        with translated(self.root):
            if not exclusive:
                self.disk.replace(temp.path, target)
                temp.renamed = True
            elif not self._link(temp.path, target):
                return False
            self.disk.sync_dir(target.parent)
        return True

    def write(self, target: Path, data: bytes, *, exclusive: bool = False) -> bool:
        """Writes a whole file. False where `exclusive` and the name is taken."""
        with self.temp() as temp:
            temp.write(data)
            return self.place(temp, target, exclusive=exclusive)

    def settle(self, folder: Path) -> None:
        """The names that are in `folder` now survive a loss of power."""
        with translated(self.root):
            self.disk.sync_dir(folder)

    def _link(self, source: Path, target: Path) -> bool:
        try:
            self.disk.link(source, target)
        except FileExistsError:
            return False
        return True

    def _start(self) -> None:
        """Makes the folder with tmp/ and the files that tell people and git what it is."""
        if not self.root.is_dir():
            with translated(self.root):
                self.root.parent.mkdir(parents=True, exist_ok=True)
                self.disk.make_dir(self.root)
                self.disk.sync_dir(self.root.parent)
        self._make_dirs(self.root / TMP)
        for name, text in STARTING_FILES.items():
            if not os.path.lexists(self.root / name):
                with self._temp() as temp:
                    temp.write(text.encode())
                    self.place(temp, self.root / name, exclusive=True)

    def _make_dirs(self, folder: Path) -> None:
        """Makes `folder` below the root, each level durably; refuses links that lead elsewhere."""
        here = self.root
        for part in folder.relative_to(self.root).parts:
            parent, here = here, here / part
            if here.is_dir():
                continue
            with translated(self.root):
                self.disk.make_dir(here)
                self.disk.sync_dir(parent)
        if folder.resolve() != self.root.resolve() / folder.relative_to(self.root):
            raise StoreCorrupt(
                f"{folder} is a symbolic link that leads elsewhere",
                hint="a results folder holds no links: replace it by a real folder",
            )
