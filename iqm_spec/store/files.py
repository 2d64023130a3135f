"""Reads and writes files below a results folder.

All changes go through the class `Disk`, so that a test can make each of them fail. Files appear
complete or not at all: they are written in tmp/, synced, then renamed or linked into place.
Temporary files are written by their descriptors, without further buffers.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from attrs import define, field, frozen

from iqm_spec.errors import JobFailed, StoreCorrupt
from iqm_spec.store.layout import STARTING_FILES, TMP

if TYPE_CHECKING:
    from hashlib import _Hash


_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_NO_DIR_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF, errno.EROFS}


def _log_written(path: Path) -> None:
    import logging  # late: commands that only read start without it

    logging.getLogger(__name__).info("wrote %s", path)


@frozen
class Disk:
    """Writes to the file system; every method may raise `OSError`."""

    def make_dir(self, path: Path) -> None:
        """Makes one folder; nothing happens where it exists."""
        try:
            path.mkdir()
        except FileExistsError:
            if not path.is_dir():
                raise

    def create(self, path: Path) -> int:
        """Descriptor of a new, empty file; `FileExistsError` where there is one."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    def write(self, descriptor: int, data: bytes) -> None:
        """Appends all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        """Returns once the file's bytes are on the disk."""
        os.fsync(descriptor)

    def sync_dir(self, path: Path) -> None:
        """Returns once the names in a folder are on the disk, if the file system supports that."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_DIR_SYNC:
                raise
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Renames; a file of the target's name is replaced."""
        source.replace(target)
        _log_written(target)

    def link(self, source: Path, target: Path) -> None:
        """Gives a file a second name; always `FileExistsError` where that name is taken."""
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._copy_new(source, target)
        _log_written(target)

    def _copy_new(self, source: Path, target: Path) -> None:
        """Stands in for `link` on file systems without hard links (exFAT, some network shares)."""
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.write(descriptor, source.read_bytes())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Removes a temporary file."""
        with suppress(FileNotFoundError):
            path.unlink()


_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some of your quota",
    errno.EROFS: "make the file system writable, or choose another folder with --results",
    errno.EACCES: "give yourself the right to write there, or choose another folder with --results",
    errno.EPERM: "give yourself the right to write there, or choose another folder with --results",
}


@contextmanager
def translated(root: Path) -> Iterator[None]:
    """Makes an `OSError` a `JobFailed(code="disk")` that says where and what to do next."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "fix that")
        what = error.strerror or str(error)
        raise JobFailed(
            f"cannot write in the results folder {root}: {what}",
            hint=f"{remedy} and run again: nothing stored is lost, the run continues from there",
            code="disk",
        ) from error


def open_regular(path: Path) -> BinaryIO:
    """A regular file for reading; `OSError` for anything else, a pipe or a device for instance."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def names_in(path: Path) -> list[str]:
    """Names in one of the folder's own folders, none where it is missing; else StoreCorrupt."""
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreCorrupt(
            f"{path} cannot be listed: {error.strerror}",
            hint="it must be a folder; `git checkout` brings a committed one back",
        ) from error


_BUFFER = 1 << 20


@define
class TempFile:
    """A file being written in tmp/, with the size and the sha256 of what was written so far."""

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
        """A new file in tmp/, removed at the end; a crash leaves it there, without harm."""
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
            if exclusive:
                try:
                    self.disk.link(temp.path, target)
                except FileExistsError:
                    return False
            else:
                self.disk.replace(temp.path, target)
                temp.renamed = True
            self.disk.sync_dir(target.parent)
        return True

    def write(self, target: Path, data: bytes, *, exclusive: bool = False) -> bool:
        """Writes a file. False where `exclusive` and the name is taken."""
        with self.temp() as temp:
            temp.write(data)
            return self.place(temp, target, exclusive=exclusive)

    def settle(self, folder: Path) -> None:
        """The names that are in `folder` now survive a loss of power."""
        with translated(self.root):
            self.disk.sync_dir(folder)

    def _start(self) -> None:
        """Makes the folder with tmp/ and the files that explain it to people and git."""
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
        level = self.root
        for part in folder.relative_to(self.root).parts:
            parent, level = level, level / part
            if level.is_dir():
                continue
            with translated(self.root):
                self.disk.make_dir(level)
                self.disk.sync_dir(parent)
        if folder.resolve() != self.root.resolve() / folder.relative_to(self.root):
            raise StoreCorrupt(
                f"{folder} is a symbolic link that leads elsewhere",
                hint="a results folder holds no links: replace it by a real folder",
            )
