"""The few file operations that change anything, in one class, so that a test can fail any of them.

Temporary files are handled by their descriptors: nothing is buffered behind a caller's back.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from iqm_spec.errors import JobFailed

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_NO_DIR_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF, errno.EROFS}


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
        """Returns once the names in a folder are on the disk, where the file system can tell."""
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

    def link(self, source: Path, target: Path) -> None:
        """Gives a file a second name; `FileExistsError` where that name is taken, for sure."""
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._copy_new(source, target)

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
        remedy = _REMEDIES.get(error.errno or 0, "mend that")
        what = error.strerror or str(error)
        raise JobFailed(
            f"cannot write in the results folder {root}: {what}",
            hint=f"{remedy} and run again: nothing stored is lost, what is missing is completed",
            code="disk",
        ) from error
