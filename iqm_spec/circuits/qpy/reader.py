"""Bytes taken one after the other, never beyond their end."""

from __future__ import annotations

import struct
from typing import Any


class QpyInvalid(Exception):
    """The bytes are no QPY file that this program reads; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Reader:
    """A place in some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._place + size
        if size < 0 or end > len(self._data):
            raise QpyInvalid("the file ends in the middle", "write it again with `qpy.dump`")
        part = self._data[self._place : end]
        self._place = end
        return part

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """The next values, of a `struct` layout."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def text(self, size: int) -> str:
        """The next `size` bytes as UTF-8."""
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise QpyInvalid("a name in the file is not text") from error

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._place
