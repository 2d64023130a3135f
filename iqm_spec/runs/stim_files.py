"""The Stim files of a run's circuits, from its folder: with them shots become detectors."""

from __future__ import annotations

from collections.abc import Collection

from iqm_spec.circuits.problems import InvalidCircuitFile
from iqm_spec.circuits.stim import decode_stim, read_steps
from iqm_spec.engine.respec import respec
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import UsageError
from iqm_spec.model import SourceKind
from iqm_spec.plan.differences import point_name
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.store import Store


def stim_texts(store: Store, saved: SavedRun, wanted: Collection[PlannedPoint]) -> dict[str, str]:
    """The Stim text of points by their ids; those of other circuits are left out.

    Only of files that were what was run: the key of the circuit, computed anew, is the plan's.
    UsageError where the package `stim` is not installed.
    """
    again = respec(store, saved)
    left = {point_name(point): point for point in wanted}
    kept: dict[bytes, str] = {}
    found: dict[str, str] = {}
    for point in again.points() if again else ():
        planned = left.pop(point_name(point), None)
        if planned is None or again is None:
            continue
        source = again.source_of(point)
        if (
            source is None
            or source[0] is not SourceKind.STIM
            or again.circuit_key(point) != planned.circuit_key
        ):
            continue
        data = source[2]
        if data not in kept:
            kept[data] = _text(data)
        if kept[data]:
            found[planned.id] = kept[data]
    return found


def _text(data: bytes) -> str:
    """The file as text, its size looked at; empty where it is none that is read here."""
    try:
        read_steps(data)
        return decode_stim(data)
    except InvalidCircuitFile:
        return ""


def require_text(store: Store, saved: SavedRun, point: PlannedPoint) -> str:
    """The Stim text of one point; UsageError where its circuit is no Stim file."""
    text = stim_texts(store, saved, [point]).get(point.id)
    if text is None:
        raise UsageError(
            f"the circuit {point.name} has no detectors",
            hint="only circuits of Stim files have: `stim: FILE` in the spec",
        )
    return text
