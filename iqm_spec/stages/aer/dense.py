"""Exact distributions that list a probability for each outcome: up to about 2^26 of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

from iqm_spec.analysis.perfect import perfect_device
from iqm_spec.model import NativeCircuit
from iqm_spec.stages.aer.bits import Bits
from iqm_spec.stages.aer.engine import run_aer
from iqm_spec.stages.aer.sample import draw
from iqm_spec.stages.aer.shape import shape_of, unmeasured
from iqm_spec.stages.aer.tasks import Ideal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit.result import Result
    from qiskit_aer.noise import NoiseModel

    Floats = NDArray[np.float64]

MOST_OUTCOMES = 4096
"""Ideal probabilities are kept whole up to so many possible outcomes."""
IMPOSSIBLE = 1e-15
"""Ideal probabilities up to here are taken for 0."""


@frozen(eq=False)
class Dense:
    """The probability of each outcome of the bits that are measured."""

    bits: Bits
    probabilities: Floats = field(repr=False)

    def sample(self, shots: int, seed: int) -> dict[str, int]:
        """Counts of `shots` draws."""
        drawn = draw(self.probabilities, shots, seed)
        return dict(zip(self.bits.strings(drawn), drawn.values(), strict=True))

    def ideal(self, seen: Collection[str], shots: int) -> Ideal:
        """The distribution as ideal probabilities: whole if it is small, else of what was seen."""
        import numpy as np

        possible = np.flatnonzero(self.probabilities > IMPOSSIBLE)
        complete = possible.size <= MOST_OUTCOMES
        wanted = possible.tolist() if complete else sorted(map(self.bits.outcome, seen))
        values = [_tidy(float(self.probabilities[i])) for i in wanted]
        return Ideal(
            probabilities=dict(zip(self.bits.strings(wanted), values, strict=True)),
            complete=complete,
            perfect=perfect_device(self.probabilities[possible], shots),
        )

    def with_readout_errors(self, errors: Sequence[tuple[float, float]]) -> Dense:
        """As read out: bit j flips from 0 with `errors[j][0]`, from 1 with `errors[j][1]`."""
        import numpy as np

        read = self.probabilities
        for j, (p10, p01) in enumerate(errors):
            pairs = read.reshape(-1, 2, 2**j)
            zero, one = pairs[:, 0], pairs[:, 1]
            read = np.stack([(1 - p10) * zero + p01 * one, p10 * zero + (1 - p01) * one], axis=1)
        return Dense(self.bits, read.reshape(-1))


def distributions(
    circuits: Sequence[NativeCircuit],
    method: str,
    device: str,
    noise: NoiseModel | None = None,
    names: Sequence[str] = (),
) -> list[Dense]:
    """Exact distributions of circuits whose measurements are final, in one run of Aer.

    The noise model's readout errors have no part in them (`Dense.with_readout_errors`).
    """
    from iqm_spec.transpile import to_qiskit

    measured = [shape_of(circuit).measured for circuit in circuits]
    built = []
    for circuit, pairs in zip(circuits, measured, strict=True):
        one = to_qiskit(unmeasured(circuit))
        if pairs:
            one.save_probabilities([qubit for _, qubit in pairs], label="p")
        built.append(one)
    result = run_aer(built, method, device, noise=noise, names=names, shots=1)
    return [
        Dense(Bits(circuit.registers, tuple(clbit for clbit, _ in pairs)), _clean(result, i))
        for i, (circuit, pairs) in enumerate(zip(circuits, measured, strict=True))
    ]


def _clean(result: Result, index: int) -> Floats:
    import numpy as np

    values: Floats = np.clip(result.data(index).get("p", [1.0]), 0.0, None)
    values /= values.sum()
    return values


def _tidy(probability: float) -> float:
    """Twelve significant digits: the rest depends on the processor."""
    return float(f"{probability:.12g}") if probability > IMPOSSIBLE else 0.0
