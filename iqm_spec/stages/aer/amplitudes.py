"""Ideal probabilities of single outcomes, for circuits too wide to list them all."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.native import Native
from iqm_spec.stages.aer.bits import Bits
from iqm_spec.stages.aer.dense import IMPOSSIBLE
from iqm_spec.stages.aer.engine import run_aer
from iqm_spec.stages.aer.method import BOND_LIMIT
from iqm_spec.stages.aer.shape import Shape, in_line, shape_of, unmeasured
from iqm_spec.stages.aer.shots import product_options, sampled_counts
from iqm_spec.stages.aer.tasks import AerTask, Ideal, Setup
from iqm_spec.statistics.comparison import Perfect, compare

if TYPE_CHECKING:
    from qiskit.result import Result

MOST_QUBITS = 62
"""Aer numbers amplitudes by 64-bit integers."""
_SEED = 0


@frozen
class Amplitudes:
    """An ideal circuit, every component of which is measured, by its amplitudes."""

    circuit: Native
    method: str
    device: str
    name: str

    def ideal(self, seen: Collection[str], shots: int) -> Ideal | str:
        """Probabilities of what was seen, or why they cannot be had.

        What a perfect device shows is taken from one simulated perfect experiment (seed 0), with
        the error of that as its spread.
        """
        task = AerTask(self.name, self.circuit, shots, _SEED)
        perfect = sampled_counts(task, Setup(device=self.device), self.method)
        known = self._probabilities(sorted({*seen, *perfect}))
        if isinstance(known, str):
            return known
        shown = compare(perfect, known, False)
        one_experiment = Perfect(
            shown.hellinger_fidelity,
            shown.hellinger_fidelity_error,
            shown.total_variation_distance,
            shown.total_variation_distance_error,
        )
        return Ideal({bits: known[bits] for bits in seen}, False, one_experiment)

    def _probabilities(self, outcomes: Sequence[str]) -> dict[str, float] | str:
        from iqm_spec.transpile import to_qiskit

        shape = shape_of(self.circuit)
        circuit = self.circuit.circuit()
        bits = Bits(circuit.registers, tuple(clbit for clbit, _ in shape.measured))
        built = to_qiskit(unmeasured(circuit))
        built.save_amplitudes([_state(bits.outcome(one), shape) for one in outcomes], label="a")
        options = product_options(self.circuit, self.method)
        if options:
            options["mps_log_data"] = True
        result = run_aer([built], self.method, self.device, names=[self.name], shots=1, **options)
        if _is_cut_off(result):
            return f"too entangled: a matrix product state needs bonds beyond {BOND_LIMIT}"
        squares = [abs(amplitude) ** 2 for amplitude in result.data(0)["a"].tolist()]
        least = IMPOSSIBLE * 2.0**-shape.width
        known = (float(f"{square:.10g}") if square > least else 0.0 for square in squares)
        return dict(zip(outcomes, known, strict=True))


def amplitudes(circuit: Native, method: str, device: str, name: str) -> Amplitudes | str:
    """The circuit as `Amplitudes`, or why its ideal probabilities cannot be had."""
    shape = shape_of(circuit)
    if shape.width > MOST_QUBITS:
        return f"ideal amplitudes of {shape.width} qubits are beyond Aer's {MOST_QUBITS}"
    if {qubit for _, qubit in shape.measured} != set(range(shape.width)):
        return f"only some of {shape.width} entangled qubits are measured: too many to sum over"
    return Amplitudes(in_line(circuit), method, device, name)


def _state(outcome: int, shape: Shape) -> int:
    """The basis state whose component of bit j has the value of bit j of `outcome`."""
    return sum((outcome >> j & 1) << qubit for j, (_, qubit) in enumerate(shape.measured))


def _is_cut_off(result: Result) -> bool:
    """Whether a bond reached the limit, by Aer's log of bond dimensions after each gate."""
    log = result.results[0].metadata.get("MPS_log_data", "")
    return any(
        max(map(int, bonds.split())) >= BOND_LIMIT for bonds in re.findall(r"BD=\[([\d ]+)\]", log)
    )
