"""A disk that fails at a chosen operation, as a full one does, or as a killed process leaves it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from attrs import field, frozen

from iqm_spec.store import Disk


class Killed(BaseException):
    """The process is gone: nothing that catches errors may catch this."""


@frozen
class FaultyDisk(Disk):
    """Does everything until operation `fails_at`, and from then on (or then only) `fault`.

    Nothing waits for the hardware, so that hundreds of sessions take seconds.
    """

    fails_at: int
    fault: Callable[[], BaseException]
    lasting: bool = True
    log: list[tuple[str, str, str]] = field(factory=list)

    def _step(self, name: str, first: object, second: object = "") -> None:
        self.log.append((name, str(first), str(second)))
        now = len(self.log) - 1
        if now == self.fails_at or (self.lasting and now > self.fails_at):
            raise self.fault()

    def make_dir(self, path: Path) -> None:
        self._step("make_dir", path)
        super().make_dir(path)

    def create(self, path: Path) -> int:
        self._step("create", path)
        return super().create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        half = data[: len(data) // 2]
        try:
            self._step("write", descriptor)
        except BaseException:
            super().write(descriptor, half)  # what a full disk or a kill leaves of a write
            raise
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._step("sync", descriptor)

    def sync_dir(self, path: Path) -> None:
        self._step("sync_dir", path)

    def replace(self, source: Path, target: Path) -> None:
        self._step("place", source, target)
        super().replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        self._step("place", source, target)
        super().link(source, target)

    def remove(self, path: Path) -> None:
        self._step("remove", path)
        super().remove(path)


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only() -> OSError:
    return OSError(errno.EROFS, os.strerror(errno.EROFS))
