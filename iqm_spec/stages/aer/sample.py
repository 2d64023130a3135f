"""Draws outcomes by a seed alone.

The numbers are the raw output of PCG64, which numpy promises never to change, so that counts do not
move with numpy's version, and inverting the distribution leaves them where they are when
probabilities move in their last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_AT_ONCE = 1 << 20
_DECIMALS = 12
"""Probabilities are rounded so before anything is drawn: the last bits depend on the processor."""


def draw(probabilities: Floats, shots: int, seed: int) -> dict[int, int]:
    """How often each index is drawn in `shots` draws, by index, ascending."""
    import numpy as np

    cumulative = np.cumsum(np.clip(np.round(probabilities, _DECIMALS), 0, None))
    bits = np.random.PCG64(seed)
    found = np.empty(0, dtype=np.int64)
    number = np.empty(0, dtype=np.int64)
    for start in range(0, shots, _AT_ONCE):
        raw = bits.random_raw(min(_AT_ONCE, shots - start))
        uniform = (raw >> np.uint64(11)) * 2.0**-53
        index = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
        both = np.concatenate([found, np.minimum(index, cumulative.size - 1)])
        weight = np.concatenate([number, np.ones(index.size, dtype=np.int64)])
        found, place = np.unique(both, return_inverse=True)
        number = np.bincount(place, weights=weight).astype(np.int64)
    return dict(zip(found.tolist(), number.tolist(), strict=True))


def draw_bits(columns: int, shots: int, seed: int) -> NDArray[np.uint8]:
    """`shots` rows of `columns` fair bits, 0 or 1."""
    import numpy as np

    words = max(1, -(-columns // 64))
    raw = np.random.PCG64(seed).random_raw(shots * words).astype("<u8").reshape(shots, words)
    return np.unpackbits(raw.view(np.uint8), axis=1, bitorder="little")[:, :columns]
