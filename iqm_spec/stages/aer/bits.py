"""Bitstrings as Qiskit prints them: the last register first, the highest bit of each first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Binary = NDArray[np.uint8]

_AT_ONCE = 1 << 14
"""Bitstrings whose bits are in memory at once."""


@frozen
class Bits:
    """Writes outcomes of some classical bits among all; the others are 0.

    An outcome is an integer whose bit j is the value of classical bit `clbits[j]`.
    """

    registers: tuple[tuple[str, int], ...]
    clbits: tuple[int, ...]

    def strings(self, outcomes: Iterable[int]) -> list[str]:
        """Bitstrings of `outcomes`."""
        width = sum(size for _, size in self.registers)
        straight = self.clbits == tuple(range(len(self.clbits)))
        cuts = self._cuts(width)
        found = []
        for outcome in outcomes:
            value = outcome if straight else self._spread(outcome)
            text = format(value, f"0{width}b") if width else ""
            found.append(" ".join([text[a:b] for a, b in cuts]))
        return found

    def _spread(self, outcome: int) -> int:
        return sum((outcome >> j & 1) << clbit for j, clbit in enumerate(self.clbits))

    def _cuts(self, width: int) -> list[tuple[int, int]]:
        """Where each register stands in the string of all bits, in the order of printing."""
        ends: list[tuple[int, int]] = []
        low = 0
        for _, size in self.registers:
            ends.append((width - low - size, width - low))
            low += size
        return [cut for cut in reversed(ends) if cut[0] < cut[1]]

    def tables(self, bitstrings: Collection[str]) -> Iterator[tuple[list[str], Binary]]:
        """Bitstrings some at a time, and their bits: a row each, a column for each of `clbits`."""
        import numpy as np

        columns = [-1 - clbit for clbit in self.clbits]
        width = sum(size for _, size in self.registers)
        left = iter(bitstrings)
        while some := list(islice(left, _AT_ONCE)):
            plain = "".join(some).replace(" ", "").encode()
            bits = np.frombuffer(plain, dtype=np.uint8).reshape(len(some), width) & np.uint8(1)
            yield some, bits[:, columns]

    def outcome(self, bitstring: str) -> int:
        """The integer of a bitstring that `strings` wrote."""
        value = int(bitstring.replace(" ", "") or "0", 2)
        return sum((value >> clbit & 1) << j for j, clbit in enumerate(self.clbits))


def pack(rows: Sequence[Sequence[int]]) -> list[int]:
    """Integers of rows of bits, the bit of column j having the weight 2^j."""
    return [sum(1 << j for j, bit in enumerate(row) if bit) for row in rows]
