"""Counts that Aer itself draws: circuits too wide for exact probabilities, or measured midway.

Each circuit has a run of its own with its own seed. (In a batch Aer seeds circuit i with the
batch's seed + 2113 i, which would make counts depend on what else is in the batch.)
"""

from __future__ import annotations

from typing import Any

from iqm_spec.model import NativeCircuit
from iqm_spec.native import Native
from iqm_spec.stages.aer.bits import Bits
from iqm_spec.stages.aer.clifford import clifford_circuit
from iqm_spec.stages.aer.engine import run_aer
from iqm_spec.stages.aer.method import BOND_BITS_EXACT, BOND_LIMIT
from iqm_spec.stages.aer.noise import noise_model
from iqm_spec.stages.aer.shape import in_line, shape_of
from iqm_spec.stages.aer.tasks import AerTask, Setup

TRUNCATION = 1e-16
"""Aer drops Schmidt coefficients while the sum of their squares stays below this."""


def sampled_counts(task: AerTask, setup: Setup, method: str) -> dict[str, int]:
    """Counts of one task, drawn by Aer from the task's seed. Readout errors are in the model."""
    from iqm_spec.transpile import to_qiskit

    native = in_line(task.circuit) if method == "matrix_product_state" else task.circuit
    circuit = native.circuit()
    if not shape_of(native).measured:
        return _nothing_measured(circuit, task.shots)
    noise = noise_model(setup.noise, [circuit]) if setup.noise else None
    built = clifford_circuit(circuit) if method == "stabilizer" else to_qiskit(circuit)
    result = run_aer(
        [built],
        method,
        setup.device,
        noise=noise,
        names=[task.key],
        shots=task.shots,
        seed_simulator=task.seed,
        **product_options(native, method),
    )
    counts: dict[str, int] = result.get_counts(0)
    return dict(sorted(counts.items()))


def _nothing_measured(circuit: NativeCircuit, shots: int) -> dict[str, int]:
    """Counts of a circuit without measurements: every bit is 0."""
    return dict(zip(Bits(circuit.registers, ()).strings([0]), [shots], strict=True))


def product_options(circuit: Native, method: str) -> dict[str, Any]:
    """Aer's options for a matrix product state; nothing for other methods."""
    if method != "matrix_product_state":
        return {}
    options: dict[str, Any] = {
        "matrix_product_state_truncation_threshold": TRUNCATION,
        "mps_omp_threads": 1,
    }
    if shape_of(circuit).bond_bits > BOND_BITS_EXACT:
        options["matrix_product_state_max_bond_dimension"] = BOND_LIMIT
    return options


def notes(circuit: Native, method: str) -> tuple[str, ...]:
    """What is approximate in counts of `circuit` by `method`."""
    if method != "matrix_product_state":
        return ()
    found = [f"matrix product state: truncated at a weight of {TRUNCATION:g}"]
    bits = shape_of(circuit).bond_bits
    if bits > BOND_BITS_EXACT:
        found.append(
            f"approximate: bond dimension limited to {BOND_LIMIT}, up to 2^{bits} may be needed"
        )
    return tuple(found)
