"""Device noise as an Aer noise model, on the loci that circuits use.

The channels are those of iqm-client's fake backends (`IQMFakeBackend`, 36.0): after each gate
thermal relaxation of its components for the gate's duration, then a depolarizing channel. Aer
converts the whole model on each run, so a model of only what is in use runs several times faster.
Where a profile says so, components also relax while they idle (`placement/schedule.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import evolve

from iqm_spec.errors import JobFailed
from iqm_spec.model import NativeCircuit
from iqm_spec.placement.schedule import with_idles
from iqm_spec.targets.profile import ErrorProfile

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction
    from qiskit_aer.noise import NoiseModel, QuantumError

_IQM_NAME = {"r": "prx", "cz": "cz", "move": "move"}
_NS = 1e9
_QISKIT_NAME = {"cc_r": "r"}


def noise_model(profile: ErrorProfile, circuits: Iterable[NativeCircuit]) -> NoiseModel:
    """Errors of every gate and readout that `circuits`, all on the same components, contain.

    A gate is known by its name in Qiskit, `move` by the label of its unitary. A conditional gate
    errs as an `r` if it is played, and not at all if it is not.
    """
    from qiskit_aer.noise import NoiseModel

    model = NoiseModel(basis_gates=["r", "cz", "unitary"])
    loci = set()
    for circuit in circuits:
        for op in circuit.ops:
            name = _QISKIT_NAME.get(op.name, op.name)
            if name in _IQM_NAME or name == "measure":
                loci.add((name, tuple(circuit.components[q] for q in op.qubits), op.qubits))
    for gate, names, qubits in sorted(loci):
        if gate == "measure":
            p10, p01 = readout_error(profile, names[0])
            model.add_readout_error([[1 - p10, p10], [p01, 1 - p01]], list(qubits))
        else:
            model.add_quantum_error(channel(profile, gate, names), gate, list(qubits))
    return model


def channel(profile: ErrorProfile, gate: str, names: tuple[str, ...]) -> QuantumError:
    """The error after `gate` on the components `names`.

    Of two components each relaxes with the times of the *other* unless the profile has idle times:
    iqm-client builds its fake backends so, and this program reproduces their noise
    (docs/simulation.md).
    """
    from qiskit_aer.noise import depolarizing_error, thermal_relaxation_error

    iqm_name = _IQM_NAME[gate]
    errors = profile.depolarizing.get(iqm_name, {})
    strength = errors.get(names, errors.get(names[::-1]))
    if strength is None:
        raise _missing(f"{iqm_name} on {', '.join(names)}")
    duration = profile.durations[iqm_name]
    # Qiskit's tensor has its second factor on the first component
    ordered = names[::-1] if profile.idle else names
    relaxations = [
        thermal_relaxation_error(profile.t1[name], profile.t2[name], duration) for name in ordered
    ]
    relaxation = relaxations[0]
    for other in relaxations[1:]:
        relaxation = relaxation.tensor(other)
    return relaxation.compose(depolarizing_error(strength, len(names)))


def idling(circuit: NativeCircuit, profile: ErrorProfile | None) -> NativeCircuit:
    """The circuit with a delay wherever a component relaxes: where it idles, or nowhere."""
    if profile is not None and profile.idle:
        return with_idles(circuit, profile.durations)
    return evolve(circuit, ops=tuple(op for op in circuit.ops if op.name != "delay"))


def relaxing(
    built: QuantumCircuit, components: Sequence[str], profile: ErrorProfile | None
) -> QuantumCircuit:
    """A circuit of Qiskit whose delays are relaxation of these components, in place."""
    if profile is None or not profile.idle:
        return built
    for position, item in enumerate(built.data):
        if item.operation.name == "delay":
            (qubit,) = item.qubits
            name = components[built.find_bit(qubit).index]
            duration = float(item.operation.duration) * _NS
            kraus = _relaxation(profile.t1[name], profile.t2[name], duration)
            built.data[position] = item.replace(operation=kraus)
    return built


@lru_cache(maxsize=4096)
def _relaxation(t1: float, t2: float, duration: float) -> Instruction:
    """Thermal relaxation at zero temperature; all in one unit of time."""
    from qiskit.quantum_info import Kraus
    from qiskit_aer.noise import thermal_relaxation_error

    return Kraus(thermal_relaxation_error(t1, t2, duration)).to_instruction()


def readout_error(profile: ErrorProfile, component: str) -> tuple[float, float]:
    """Probabilities of reading 1 from state 0, and 0 from state 1."""
    if component not in profile.readout:
        raise _missing(f"the readout of {component}")
    return profile.readout[component]


def _missing(what: str) -> JobFailed:
    return JobFailed(
        f"the error profile says nothing about {what}",
        hint="add it to the profile, or simulate with `aer: {noise: ideal}`",
    )
