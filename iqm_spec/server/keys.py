"""How measurements are named: Qiskit's classical bits in IQM's measurement keys."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.model import NativeCircuit


def measurement_keys(registers: Sequence[tuple[str, int]]) -> list[str]:
    """By classical bit: `{register}_{its size}_{its index}_{bit in it}`, as qiskit-iqm writes."""
    return [
        f"{name}_{size}_{index}_{bit}"
        for index, (name, size) in enumerate(registers)
        for bit in range(size)
    ]


def measured_keys(circuit: NativeCircuit) -> dict[str, int]:
    """Key of each measurement of a circuit to its classical bit, in the order of the circuit."""
    keys = measurement_keys(circuit.registers)
    bits = [op.clbits[0] for op in circuit.ops if op.name == "measure"]
    return {keys[bit]: bit for bit in bits}
