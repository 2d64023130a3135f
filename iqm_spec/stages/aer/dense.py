"""Exact distributions that list a probability for each outcome: up to about 2^26 of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

from iqm_spec.native import Native, Template
from iqm_spec.stages.aer.bits import Bits
from iqm_spec.stages.aer.engine import run_aer
from iqm_spec.stages.aer.sample import draw
from iqm_spec.stages.aer.shape import shape_of_skeleton, unmeasured
from iqm_spec.stages.aer.tasks import Ideal
from iqm_spec.statistics.comparison import perfect_device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter
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
        perfect = perfect_device(self.probabilities[possible], shots)
        found: dict[str, float] = {}
        if complete:
            found.update(zip(self.bits.strings(possible.tolist()), self._at(possible), strict=True))
            return Ideal(found, complete, perfect)
        weights = 1 << np.arange(len(self.bits.clbits))
        for some, table in self.bits.tables(seen):
            found.update(zip(some, self._at(table @ weights), strict=True))
        return Ideal(found, complete, perfect)

    def _at(self, outcomes: NDArray[np.int64]) -> Iterator[float]:
        return map(_tidy, self.probabilities[outcomes].tolist())

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
    circuits: Sequence[Native],
    method: str,
    device: str,
    noise: NoiseModel | None = None,
    names: Sequence[str] = (),
) -> list[Dense]:
    """Exact distributions of circuits whose measurements are final, in one run of Aer.

    Circuits of one skeleton are one circuit for Aer, with many values of its parameters. (That is
    safe because nothing is measured: Aer 0.17 gives wrong counts where a measurement comes before
    a gate with a parameter.) The noise model's readout errors have no part in the distributions
    (`Dense.with_readout_errors`).
    """
    groups: dict[Template, list[int]] = {}
    for i, circuit in enumerate(circuits):
        groups.setdefault(circuit.template, []).append(i)
    built, binds = [], []
    for skeleton, members in groups.items():
        one, parameters = _parametrised(skeleton)
        built.append(one)
        columns = zip(*(circuits[i].angles for i in members), strict=True)
        binds.append(dict(zip(parameters, map(list, columns), strict=True)))
    order = [i for members in groups.values() for i in members]
    named = [names[i] for i in order] if names else ()
    result = run_aer(
        built, method, device, noise=noise, names=named, shots=1, parameter_binds=binds
    )
    found = {i: _dense(circuits[i], result, place) for place, i in enumerate(order)}
    return [found[i] for i in range(len(circuits))]


def _parametrised(skeleton: Template) -> tuple[QuantumCircuit, list[Parameter]]:
    """The gates of a skeleton with a parameter for each angle, and what is to be told of them."""
    from qiskit.circuit import ParameterVector

    from iqm_spec.transpile import to_qiskit

    gates = unmeasured(skeleton.structure)
    angles = list(ParameterVector("angle", 2 * sum(op.name == "r" for op in gates.ops)))
    circuit = to_qiskit(gates, angles)
    if pairs := shape_of_skeleton(skeleton).measured:
        circuit.save_probabilities([qubit for _, qubit in pairs], label="p")
    return circuit, angles


def _dense(circuit: Native, result: Result, place: int) -> Dense:
    pairs = shape_of_skeleton(circuit.template).measured
    bits = Bits(circuit.template.structure.registers, tuple(clbit for clbit, _ in pairs))
    return Dense(bits, _clean(result, place))


def _clean(result: Result, index: int) -> Floats:
    import numpy as np

    values: Floats = np.clip(result.data(index).get("p", [1.0]), 0.0, None)
    values /= values.sum()
    return values


def _tidy(probability: float) -> float:
    """Twelve significant digits: the rest depends on the processor."""
    return float(f"{probability:.12g}") if probability > IMPOSSIBLE else 0.0
