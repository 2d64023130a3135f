"""The only module that calls Aer, and the circuits that its stabilizer method reads.

Aer runs in one thread, results are checked, and failures become errors of this program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.errors import JobFailed, Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.stages.aer.method import quarter_turns

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.result import Result
    from qiskit_aer.noise import NoiseModel


def run_aer(
    circuits: Sequence[QuantumCircuit],
    method: str,
    device: str,
    *,
    noise: NoiseModel | None = None,
    names: Sequence[str] = (),
    **options: Any,
) -> Result:
    """Aer's result for `circuits`; JobFailed names those of `names` that it could not simulate.

    One thread: the order of additions must not depend on the number of cores, and several
    processes share the cores better than several threads.
    """
    from qiskit.exceptions import QiskitError
    from qiskit_aer import AerSimulator

    try:
        simulator = AerSimulator(
            method=method, device=device, noise_model=noise, max_parallel_threads=1
        )
        result = simulator.run(list(circuits), **options).result()
    except (QiskitError, MemoryError, RuntimeError) as error:
        raise _failed(names, str(error)) from error
    if not result.success:
        failed = [i for i, entry in enumerate(result.results) if not entry.success]
        status = result.results[failed[0]].status if failed else result.status
        raise _failed([names[i] for i in failed if i < len(names)] or names, str(status))
    return result


def require_device(device: str) -> None:
    """Refused if the installed Aer cannot use `device`; there is no silent fallback to the CPU."""
    from qiskit_aer import AerSimulator

    if device not in AerSimulator().available_devices():
        raise Refused(
            f"`aer.device: {device}` is asked for, and the installed Aer can use the CPU only",
            hint="install qiskit-aer-gpu in an environment of its own, or take `device: CPU`",
            code="refused.aer",
        )


def _failed(names: Sequence[str], reason: str) -> JobFailed:
    which = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return JobFailed(
        f"Aer failed to simulate {which or 'a circuit'}: {reason.strip() or 'no reason given'}",
        hint="another `aer.method` may do, or fewer qubits",
    )


def clifford_circuit(circuit: NativeCircuit) -> QuantumCircuit:
    """The circuit in named Clifford gates, as Aer's stabilizer method has no `r`.

    Not for use with noise: the noise model is keyed on `r`. ValueError if a gate is not Clifford.
    """
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    bits = [ClassicalRegister(size, name) for name, size in circuit.registers]
    built = QuantumCircuit(QuantumRegister(len(circuit.components), "q"), *bits)
    for op in circuit.ops:
        match op.name:
            case "r":
                _append_turn(built, op)
            case "cc_r":
                with built.if_test((built.clbits[op.clbits[0]], 1)):
                    _append_turn(built, op)
            case "cz":
                built.cz(*op.qubits)
            case "move":
                built.swap(*op.qubits)
            case "measure":
                built.measure(op.qubits, op.clbits)
            case "reset":
                built.reset(op.qubits)
            case "barrier" | "delay":
                pass
            case _:
                raise ValueError(f"{op.name} is not a Clifford gate")
    return built


def _append_turn(built: QuantumCircuit, op: Op) -> None:
    """A half turn is X and S^axis up to a phase; a quarter turn is S^-a, SX, S^a."""
    quarters = quarter_turns(*op.params)
    if quarters is None:
        raise ValueError(f"r{op.params} is not a Clifford gate")
    (turns, axis), (qubit,) = quarters, op.qubits
    if turns == 2:
        built.x(qubit)
        _phase(built, axis, qubit)
    elif turns:
        _phase(built, -axis // 2, qubit)
        built.sx(qubit) if turns == 1 else built.sxdg(qubit)
        _phase(built, axis // 2, qubit)


def _phase(built: QuantumCircuit, quarters: int, qubit: int) -> None:
    match quarters % 4:
        case 1:
            built.s(qubit)
        case 2:
            built.z(qubit)
        case 3:
            built.sdg(qubit)
