"""Heavy-output probability over random circuits, and the quantum volume that it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.volume import (
    DEVIATIONS,
    LEAST_CIRCUITS,
    THRESHOLD,
    heavy_output,
    heavy_outputs,
    heavy_share,
)
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row
from iqm_spec.study.groups import (
    Group,
    Options,
    apart,
    found,
    mixed_widths,
    pooled,
    qubits_of,
    rows_of_circuits,
)
from iqm_spec.study.readout import Readout

NAME = "quantum_volume"


def quantum_volume(rows: Iterable[Row], options: Options, _: Readout) -> Iterator[Analysed]:
    """One result per width and stage."""
    over = options["over"]
    for group in apart(rows_of_circuits(rows, options["circuits"]), *over):
        yield _volume(group, tuple(over))


def _volume(group: Group, over: tuple[str, ...]) -> Analysed:
    if mixed := mixed_widths(group):
        return found(NAME, group, [], *over, notes=[mixed])
    qubits = qubits_of(group[0])
    shares, notes, flat = [], [], 0
    circuits = pooled(group)
    for row in circuits:
        if row.ideal is not None and row.derived and row.derived.complete:
            heavy = heavy_outputs(row.ideal, qubits)
            flat += not heavy
            shares.append(heavy_share(row.counts, heavy))
    if flat:
        notes.append(f"{count(flat, 'circuit')} without a heavy output: all are equally likely")
    if len(shares) < len(circuits):
        left = len(circuits) - len(shares)
        notes.append(
            f"{count(left, 'circuit')} left out: ideal distributions of all outcomes are not stored"
        )
    if not shares:
        return found(NAME, group, [], *over, notes=notes)
    outcome = heavy_output(shares)
    if outcome.circuits < LEAST_CIRCUITS:
        told = count(outcome.circuits, "circuit")
        notes.append(
            f"{told} averaged, the criterion asks for {LEAST_CIRCUITS}; axes that draw other "
            "circuits are named by `over`"
        )
    low = outcome.probability - DEVIATIONS * outcome.error
    high = outcome.probability + DEVIATIONS * outcome.error
    merits = [
        Merit(
            "heavy_output_probability",
            outcome.probability,
            outcome.error,
            max(0.0, low),
            min(1.0, high),
        )
    ]
    if outcome.reached:
        merits.append(Merit(NAME, float(2**qubits)))
    details = {
        "qubits": qubits,
        "circuits": outcome.circuits,
        "threshold": THRESHOLD,
        "above_by_two_sigma": outcome.above,
        "reached": outcome.reached,
    }
    return found(NAME, group, merits, *over, notes=notes, details=details)
