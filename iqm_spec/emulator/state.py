"""The emulator's memory: files in one directory, so that several processes are one server."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from iqm_spec.errors import JobFailed
from iqm_spec.json_types import Json

_FOLDERS = ("jobs", "faults", "queues", "calibration", "locks")
_FILES = ("emulator.json", "ledger.jsonl", "credits.json")


@frozen
class State:
    """Reads and writes the files of one directory. Names are made by the emulator alone."""

    root: Path
    born: float
    """When the directory was made, seconds since 1970: booked slots and windows count from it."""

    def read(self, name: str) -> Any:
        """The JSON of a file, or None where there is none."""
        try:
            return json.loads((self.root / name).read_bytes())
        except FileNotFoundError:
            return None

    def read_bytes(self, name: str) -> bytes | None:
        """The bytes of a file, or None where there is none."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).exists()

    def write(self, name: str, data: Json | bytes) -> None:
        """Put a whole file there at once, on the disk before this returns."""
        content = data if isinstance(data, bytes) else _line(data)
        path = self.root / name
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def create(self, name: str, data: Json) -> bool:
        """Write a new file; False where it exists already."""
        return _create(self.root / name, _line(data))

    def append(self, name: str, data: Mapping[str, Json]) -> None:
        """Add one line, whole even where several processes do so at once."""
        descriptor = os.open(self.root / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, _line(data))
        finally:
            os.close(descriptor)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """All lines that `append` wrote."""
        return [json.loads(line) for line in (self.read_bytes(name) or b"").splitlines()]

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock that no other process and no other thread holds meanwhile."""
        with self.lock_file(name, wait=True):
            yield

    @contextmanager
    def lock_file(self, name: str, *, wait: bool) -> Iterator[bool]:
        """As `lock`; without `wait` gives False at once where the lock is taken."""
        import fcntl

        descriptor = os.open(self.root / "locks" / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)


def open_state(root: Path | None) -> State:
    """The state in `root`, which is made where it is missing; None makes a temporary one.

    `JobFailed` where it cannot be made or is something else than an emulator's.
    """
    folder = Path(tempfile.mkdtemp(prefix="iqm-emulator-")) if root is None else root
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".new-")}
        if strangers := sorted(names - {*_FOLDERS, *_FILES}):
            raise JobFailed(
                f"{folder} holds {strangers[0]}: that is not an emulator's state", code="state"
            )
        for name in _FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        _create(folder / "emulator.json", _line({"format": 1, "born": time.time()}))
        born = json.loads((folder / "emulator.json").read_bytes())["born"]
    except OSError as error:
        raise JobFailed(
            f"cannot keep the emulator's state in {folder}: {error.strerror}", code="state"
        ) from error
    return State(folder, born)


def _create(path: Path, content: bytes) -> bool:
    """Never half a file: written aside, then linked under its name if that is free."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)
    return True


def _line(data: Json | Mapping[str, Json]) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
