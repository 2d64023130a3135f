"""Quantum volume: how often heavy outputs come, and whether that is often enough.

A. Cross et al., "Validating quantum computers using randomized model circuits", Phys. Rev. A 100,
032328 (2019): an outcome is heavy where its ideal probability is above the median of all 2^n. The
volume 2^n is reached where, over at least 100 random circuits, the share of heavy outputs is above
2/3 by two standard deviations sqrt(h (1 - h) / circuits), which bounds what circuits scatter by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt

from attrs import frozen

from iqm_spec.analysis.groups import (
    Group,
    Options,
    complete_ideal_of,
    group_result,
    group_rows,
    mixed_widths,
    qubits_of,
    row_per_circuit,
    rows_of_circuits,
)
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.readout_mitigation import Readout
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row

NAME = "quantum_volume"

THRESHOLD = 2 / 3

LEAST_CIRCUITS = 100

DEVIATIONS = 2.0
"""Standard deviations by which the share of heavy outputs must be above the threshold."""


@frozen
class HeavyOutput:
    """Mean share of heavy outputs over `circuits`, its bound on the error, and the verdict."""

    probability: float
    error: float
    circuits: int

    @property
    def above(self) -> bool:
        """Whether the mean is above 2/3 by two standard deviations."""
        return self.probability - DEVIATIONS * self.error > THRESHOLD

    @property
    def reached(self) -> bool:
        """Whether the volume counts as reached: above, with circuits enough."""
        return self.above and self.circuits >= LEAST_CIRCUITS


def heavy_outputs(probabilities: Mapping[str, float], qubits: int) -> frozenset[str]:
    """Outcomes whose probability is above the median of all 2^n; those not named have 0."""
    named = sorted(probabilities.values())
    zeros = 2**qubits - len(named)
    halves = [place - zeros for place in ((2**qubits - 1) // 2, 2**qubits // 2)]
    middle = sum(named[place] if place >= 0 else 0.0 for place in halves) / 2
    return frozenset(bits for bits, p in probabilities.items() if p > middle)


def heavy_share(counts: Mapping[str, int], heavy: frozenset[str]) -> float:
    """The share of shots that gave a heavy output."""
    return sum(n for bits, n in counts.items() if bits in heavy) / sum(counts.values())


def heavy_output(shares: Sequence[float]) -> HeavyOutput:
    """The mean over circuits; ValueError for none."""
    if not shares:
        raise ValueError("there are no circuits")
    mean = sum(shares) / len(shares)
    return HeavyOutput(mean, sqrt(mean * (1 - mean) / len(shares)), len(shares))


def quantum_volume(rows: Iterable[Row], options: Options, _: Readout) -> Iterator[Analysed]:
    """One result per width and stage."""
    over = options["over"]
    for group in group_rows(rows_of_circuits(rows, options["circuits"]), *over):
        yield _result(group, tuple(over))


def _result(group: Group, over: tuple[str, ...]) -> Analysed:
    if mixed := mixed_widths(group):
        return group_result(NAME, group, [], *over, notes=[mixed])
    qubits = qubits_of(group[0])
    shares, notes, flat = [], [], 0
    circuits = row_per_circuit(group)
    for row in circuits:
        ideal = complete_ideal_of(row)
        if ideal is not None:
            heavy = heavy_outputs(ideal, qubits)
            flat += not heavy
            shares.append(heavy_share(row.counts, heavy))
    if flat:
        notes.append(f"{count(flat, 'circuit')} without a heavy output: all are equally likely")
    if len(shares) < len(circuits):
        left_out = len(circuits) - len(shares)
        notes.append(
            f"{count(left_out, 'circuit')} left out: ideal distributions of all outcomes are not "
            "stored"
        )
    if not shares:
        return group_result(NAME, group, [], *over, notes=notes)
    outcome = heavy_output(shares)
    if outcome.circuits < LEAST_CIRCUITS:
        notes.append(
            f"{count(outcome.circuits, 'circuit')} averaged, the criterion asks for "
            f"{LEAST_CIRCUITS}; axes that draw other circuits are named by `over`"
        )
    low = outcome.probability - DEVIATIONS * outcome.error
    high = outcome.probability + DEVIATIONS * outcome.error
    bounds = max(0.0, low), min(1.0, high)
    merits = [Merit("heavy_output_probability", outcome.probability, outcome.error, *bounds)]
    if outcome.reached:
        merits.append(Merit(NAME, float(2**qubits)))
    details = {
        "qubits": qubits,
        "circuits": outcome.circuits,
        "threshold": THRESHOLD,
        "above_by_two_sigma": outcome.above,
        "reached": outcome.reached,
    }
    return group_result(NAME, group, merits, *over, notes=notes, details=details)
