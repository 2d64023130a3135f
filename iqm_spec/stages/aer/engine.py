"""The one place that calls Aer: one thread, checked results, failures in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.errors import JobFailed, Refused

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
        wrong = [i for i, one in enumerate(result.results) if not one.success]
        status = result.results[wrong[0]].status if wrong else result.status
        raise _failed([names[i] for i in wrong if i < len(names)] or names, str(status))
    return result


def require_device(device: str) -> None:
    """Refused where this Aer cannot use `device`; there is no silent fall back to the CPU."""
    from qiskit_aer import AerSimulator

    if device not in AerSimulator().available_devices():
        raise Refused(
            f"`aer.device: {device}` is asked for, and the installed Aer can use the CPU only",
            hint="install qiskit-aer-gpu in an environment of its own, or take `device: CPU`",
            code="refused.aer",
        )


def _failed(names: Sequence[str], why: str) -> JobFailed:
    which = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return JobFailed(
        f"Aer failed to simulate {which or 'a circuit'}: {why.strip() or 'no reason given'}",
        hint="another `aer.method` may do, or fewer qubits",
    )
