"""The bits of every shot of one point, in order: packed for a record, and unpacked within limits.

A classical bit is a column of one bit per shot (the first shot is the lowest bit of the first
byte); the columns stand one after the other, bit 0 first, compressed by zlib and written in base64.
Columns rather than rows, as a bit that hardly ever changes then takes next to nothing.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]
    """Shots x classical bits, 0 or 1."""


MOST_SHOTS = 10_000_000
MOST_BITS = 1 << 28
"""Shots, and shots times classical bits, of one point: 32 MiB packed, 256 MiB unpacked."""

_LEVEL = 9


def too_large(shots: int, width: int) -> str:
    """Why the shots of a point are too many to be kept; empty if they are not."""
    if shots > MOST_SHOTS:
        return f"{shots:,} shots are more than {MOST_SHOTS:,}"
    if shots * width > MOST_BITS:
        return f"{shots:,} shots of {width:,} bits are more than {MOST_BITS:,} bits"
    return ""


def pack(columns: Iterable[Bits], shots: int) -> dict[str, Any]:
    """The fields of a record: `columns` hold the outcomes of one classical bit each, by shot.

    ValueError if they are too large, or not all of that length.
    """
    import numpy as np

    compressor = zlib.compressobj(_LEVEL)
    pieces: list[bytes] = []
    width = 0
    for column in columns:
        width += 1
        if wrong := too_large(shots, width):
            raise ValueError(wrong)
        if len(column) != shots:
            raise ValueError(f"bit {width - 1} has {len(column)} shots instead of {shots}")
        pieces.append(compressor.compress(np.packbits(column, bitorder="little").tobytes()))
    pieces.append(compressor.flush())
    text = base64.b64encode(b"".join(pieces)).decode()
    return {"shots": shots, "width": width, "bits": text}


def unpack(shots: int, width: int, bits: str) -> Bits:
    """The shots that `pack` packed: a row per shot, column i for classical bit i.

    ValueError if `bits` hold anything else than `shots` and `width` say. Decompression stops at
    that size, whatever a file claims.
    """
    import numpy as np

    if wrong := too_large(shots, width):
        raise ValueError(wrong)
    each = -(-shots // 8)
    data = _decompressed(bits, each * width)
    table = np.frombuffer(data, dtype=np.uint8).reshape(width, each)
    rows = np.empty((shots, width), dtype=np.uint8)
    for column, packed in enumerate(table):
        flat = np.unpackbits(packed, bitorder="little")
        if flat[shots:].any():
            raise ValueError("bits are set behind the last shot")
        rows[:, column] = flat[:shots]
    return rows


def _decompressed(text: str, size: int) -> bytes:
    """`size` bytes of base64 and zlib; ValueError if there are more or fewer."""
    try:
        packed = base64.b64decode(text, validate=True)
        decompressor = zlib.decompressobj()
        data = decompressor.decompress(packed, size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"the bits are not zlib in base64: {error}") from error
    if len(data) != size or not decompressor.eof or decompressor.unused_data:
        raise ValueError("the bits are more or fewer than the shots")
    return data


def counted(bits: Bits) -> dict[str, int]:
    """Counts of the shots by bitstrings without spaces, the highest bit first."""
    import numpy as np

    shots, width = bits.shape
    if not width or not shots:
        return {"": shots} if shots else {}
    text = np.ascontiguousarray(bits[:, ::-1] + np.uint8(ord("0"))).view(f"S{width}").ravel()
    distinct, number = np.unique(text, return_counts=True)
    return dict(zip(distinct.astype(f"U{width}").tolist(), number.tolist(), strict=True))


def agrees(bits: Bits, counts: Mapping[str, int]) -> bool:
    """Whether the shots give `counts`, spaces between registers aside."""
    return counted(bits) == without_spaces(counts)


def without_spaces(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts with no spaces between registers, of what was seen."""
    total: dict[str, int] = {}
    for outcome, number in counts.items():
        if number:
            plain = outcome.replace(" ", "")
            total[plain] = total.get(plain, 0) + number
    return total


def in_random_order(counts: Mapping[str, int], seed: int) -> dict[str, Any]:
    """The packed shots of counts in a random order, which depends on `seed` alone.

    Independent shots of one distribution are equally likely in every order. The order is that of
    the ranks of raw numbers of PCG64, which numpy promises never to change.
    """
    import numpy as np

    outcomes = sorted(counts)
    shots = sum(counts.values())
    width = len(outcomes[0].replace(" ", "")) if outcomes else 0
    if wrong := too_large(shots, width):
        raise ValueError(wrong)
    numbers = np.fromiter((counts[text] for text in outcomes), dtype=np.int64, count=len(outcomes))
    order = np.argsort(np.random.PCG64(seed).random_raw(shots), kind="stable")
    rows = np.repeat(np.arange(len(outcomes), dtype=np.int32), numbers)[order]
    data = "".join(text.replace(" ", "") for text in outcomes).encode()
    table = np.frombuffer(data, dtype=np.uint8).reshape(len(outcomes), width) - np.uint8(ord("0"))
    return pack((table[rows, width - 1 - bit] for bit in range(width)), shots)
