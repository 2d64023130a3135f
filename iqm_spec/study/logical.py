"""Logical error rates: shots of Stim circuits, their detectors decoded by matching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from iqm_spec.analysis.decoding import CannotDecode, Decoded, decode
from iqm_spec.analysis.intervals import wilson
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.circuits import CircuitError
from iqm_spec.engine.saved import SavedRun
from iqm_spec.json_types import Json
from iqm_spec.plan.label import count
from iqm_spec.runs.stim_files import stim_texts
from iqm_spec.stages.rows import Row
from iqm_spec.stages.shots import shots_of
from iqm_spec.store import Store
from iqm_spec.study.groups import Group, Options, apart, found, rows_of_circuits

NAME = "logical_error"


def can_decode() -> bool:
    """Whether the packages that decode are installed; they are not imported."""
    return all(find_spec(name) is not None for name in ("pymatching", "stim"))


def logical_error(
    store: Store, saved: SavedRun, rows: Iterable[Row], options: Options
) -> Iterator[Analysed]:
    """One result per point and stage, its repeats decoded together."""
    chosen = rows_of_circuits(rows, options.get("circuits"))
    try:
        texts = stim_texts(store, saved, list({row.point.id: row.point for row in chosen}.values()))
    except CircuitError as error:
        for group in apart(chosen):
            yield found(NAME, group, [], notes=[f"{error.message}; {error.hint}"])
        return
    for group in apart(row for row in chosen if row.point.id in texts):
        yield _decoded(store, group, texts[group[0].point.id], options.get("noise"))


def _decoded(store: Store, group: Group, text: str, noise: float | None) -> Analysed:
    import numpy as np

    shots = [bits for row in group if (bits := shots_of(store, row)) is not None]
    left = len(group) - len(shots)
    notes = [f"{count(left, 'record')} left out: the shots are not kept"] if left else []
    if not shots:
        return found(NAME, group, [], notes=notes)
    try:
        outcome = decode(text, np.concatenate(shots), noise)
    except CannotDecode as error:
        why = f"{error}; {error.hint}" if error.hint else str(error)
        return found(NAME, group, [], notes=[*notes, why])
    return found(NAME, group, _merits(outcome), notes=notes, details=_details(outcome))


def _merits(outcome: Decoded) -> list[Merit]:
    spread = (outcome.undecoded * (1 - outcome.undecoded) / outcome.shots) ** 0.5
    bare = wilson(round(outcome.undecoded * outcome.shots), outcome.shots)
    return [
        Merit("logical_error_rate", outcome.rate, outcome.error, outcome.low, outcome.high),
        Merit("undecoded_error_rate", outcome.undecoded, spread, *bare),
        Merit("detection_fraction", outcome.detection_fraction),
    ]


def _details(outcome: Decoded) -> dict[str, Json]:
    assumed: Json = "the file's" if outcome.noise is None else outcome.noise
    return {"shots": outcome.shots, "errors": outcome.errors, "decoder_noise": assumed}
