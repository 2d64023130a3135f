"""Shots of a run as files for other programs: NumPy's .npz, or lists of bitstrings."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json
from iqm_spec.stages.rows import Row
from iqm_spec.stages.shots import shots_of
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.memory import Bits

MOST_TEXTS = 5_000_000
"""Shots that are written as texts: more take gigabytes."""


def write_npz(store: Store, rows: Sequence[Row], file: BinaryIO) -> int:
    """Writes `index` (JSON text) and one array of shots x classical bits per row that has shots.

    One array is in memory at a time. Gives the number of arrays.
    """
    import numpy as np

    index: list[Json] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            bits = shots_of(store, row)
            if bits is None:
                continue
            name = f"shots_{len(index)}"
            _write_array(archive, name, bits)
            index.append({"array": name, **_named(row)})
        _write_array(archive, "index", np.array(json.dumps(index)))
    return len(index)


def _write_array(archive: zipfile.ZipFile, name: str, array: Bits) -> None:
    from numpy.lib import format as npy

    entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that equal shots are equal bytes
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as member:
        npy.write_array(member, array, allow_pickle=False)


def _named(row: Row) -> dict[str, Json]:
    told = row.to_json()
    names = ("point", "stage", "emulated", "circuit", "values", "target", "calibration_set_id")
    registers: list[Json] = [len(part) for part in next(iter(row.counts), "").split(" ")[::-1]]
    return {
        **{name: told[name] for name in names},
        "repeat": row.point.repeat + 1,
        "shots": told["shots_returned"],
        "registers": registers,
    }


def bitstrings(store: Store, row: Row) -> list[str] | None:
    """A row's shots as Qiskit prints them, in order; None where they are not kept.

    UsageError for more than are sensible as texts.
    """
    if row.record is not None and row.record.shots_returned > MOST_TEXTS:
        raise UsageError(
            f"point {row.point.id} has more than {MOST_TEXTS:,} shots, too many for texts",
            hint="write arrays instead: `--memory -o FILE.npz`",
        )
    bits = shots_of(store, row)
    return None if bits is None else list(_texts(bits, next(iter(row.counts), "")))


def _texts(bits: Bits, example: str) -> Iterator[str]:
    """Each shot with the spaces that `example` has between its registers."""
    widths = [len(part) for part in example.split(" ")]
    ends = [sum(widths[: number + 1]) for number in range(len(widths))]
    for shot in bits[:, ::-1]:
        text = (shot + 48).tobytes().decode()
        cuts = zip([0, *ends], ends, strict=False)
        yield text if len(widths) == 1 else " ".join(text[a:b] for a, b in cuts)
