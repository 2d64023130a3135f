"""The specs that are measured, written into a folder."""

from __future__ import annotations

from pathlib import Path

HEAD = (
    "iqm_spec: 1\nname: {name}\ntarget: {target}\nstages: [aer]\nshots: 1000\n"
    "aer: {{noise: {noise}}}\n"
)


def ansatz(
    folder: Path, points: int, *, noise: str = "device", target: str = "garnet", qubits: int = 5
) -> Path:
    """A sweep over the angle of a hardware-efficient ansatz."""
    name = f"ansatz-{target}-{noise}-{qubits}-{points}"
    sweep = f"[0.1, 3.0, {points}]"
    args = f'{{num_qubits: {qubits}, reps: 2, angles: "${{angle}}"}}'
    text = HEAD.format(name=name, target=target, noise=noise) + (
        f"circuits:\n  - generator: hardware_efficient\n    args: {args}\n"
        f"sweep:\n  - grid: {{angle: {{linspace: {sweep}}}}}\n"
    )
    return _written(folder / f"{name}.yaml", text)


def mixed(folder: Path, circuits: int, *, noise: str = "device") -> Path:
    """As many different circuits in OpenQASM 2, four random qubits each."""
    from qiskit import qasm2
    from qiskit.circuit.random import random_circuit

    entries = []
    for seed in range(circuits):
        circuit = random_circuit(4, 4, max_operands=2, measure=True, seed=seed)
        _written(folder / f"random{seed}.qasm", qasm2.dumps(circuit))
        entries.append(f"  - qasm: random{seed}.qasm\n")
    name = f"mixed-{noise}-{circuits}"
    text = HEAD.format(name=name, target="garnet", noise=noise) + "circuits:\n" + "".join(entries)
    return _written(folder / f"{name}.yaml", text)


def ghz(folder: Path, qubits: int, shots: int) -> Path:
    """A GHZ state on Emerald with device noise."""
    text = HEAD.format(name="ghz", target="emerald", noise="device").replace(
        "shots: 1000", f"shots: {shots}"
    ) + (f"circuits:\n  - generator: ghz\n    args: {{num_qubits: {qubits}}}\n")
    return _written(folder / "ghz.yaml", text)


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
