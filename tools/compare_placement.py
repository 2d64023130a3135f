"""Which qubits: ours beside the transpiler's, Qiskit with error rates, and iqm-client's metrics.

python -m tools.compare_placement                 # prints the table in Markdown
python -m tools.compare_placement --write         # puts the table into docs/calibration.md

Machines are uneven as the emulator's are (`emulator/deviation.py`): each figure of the built-in
error profile times a log-normal factor, as figures of real machines differ from qubit to qubit.
All placements are rated by the same predicted success, and small circuits by simulation, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iqm_spec.emulator.deviation import Deviation, deviating_profile
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.placement.place import best_placement
from iqm_spec.placement.success import Losses, predicted_success
from iqm_spec.targets import Architecture, ErrorProfile, architecture
from iqm_spec.targets.profile import average_fidelity
from iqm_spec.transpile import transpile, violations
from iqm_spec.transpile.fuse import fuse
from iqm_spec.transpile.pipeline import on_used_components
from iqm_spec.transpile.qiskit_circuits import measures_last, read_ops, registers_of
from iqm_spec.transpile.route import target_of
from tools.compare_transpile import circuits, vendor_backend
from tools.page import DOCS, show_or_write

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

PAGE = DOCS / "calibration.md"
MACHINES = ("garnet", "emerald", "sirius", "deneb")
SPREAD, SEED = 0.5, 7
QISKIT_SEEDS, TRIALS = 20, 20
MOST = f"best, level 3, {TRIALS} trials"
WIDEST_SIMULATED = 8
"""Components up to which a density matrix takes seconds."""


def ways(machine: Architecture, profile: ErrorProfile) -> dict[str, Callable[[Any], NativeCircuit]]:
    """Ways to transpile and place a circuit on a machine, by title."""

    def best(circuit: QuantumCircuit, level: int, trials: int) -> NativeCircuit:
        placed = []
        for seed in range(trials):
            options = {"optimization_level": level, "seed": seed}
            errors = profile if seed % 2 else None
            native = transpile(circuit, machine, options, errors=errors)
            placement = best_placement(native, machine, profile)
            placed.append(native if placement is None else placement.circuit)
        return max(placed, key=lambda native: predicted_success(native, profile))

    listed: dict[str, Callable[[Any], NativeCircuit]] = {
        "transpiler": lambda circuit: transpile(circuit, machine),
        "best": lambda circuit: best(circuit, 2, 1),
        MOST: lambda circuit: best(circuit, 3, TRIALS),
    }
    if not machine.resonators:
        listed[f"Qiskit level 3, {QISKIT_SEEDS} seeds"] = lambda circuit: max(
            (with_errors(circuit, machine, profile, seed) for seed in range(QISKIT_SEEDS)),
            key=lambda native: predicted_success(native, profile),
        )
    backend = vendor_backend(machine, metrics_of(machine, profile))
    listed["iqm-client, use_metrics"] = lambda circuit: vendor(circuit, backend, machine)
    return listed


def with_errors(
    circuit: QuantumCircuit, machine: Architecture, profile: ErrorProfile, seed: int
) -> NativeCircuit:
    """Qiskit's own choice at level 3, with a target that has error rates and durations."""
    from qiskit import transpile as qiskit_transpile

    target = error_aware_target(machine, profile)
    routed = qiskit_transpile(circuit, target=target, optimization_level=3, seed_transpiler=seed)
    registers, places = registers_of(circuit)
    ops = measures_last(fuse(read_ops(routed, places)))
    return on_used_components(ops, machine, registers)


def error_aware_target(machine: Architecture, profile: ErrorProfile) -> Target:
    """The target that we transpile for, with the profile's error rates and durations."""
    from math import exp

    from qiskit.transpiler import InstructionProperties

    target, losses = target_of.__wrapped__(machine), Losses(profile)
    for name, iqm_name in (("r", "prx"), ("cz", "cz"), ("measure", "")):
        for qargs in target[name]:
            names = tuple(machine.qubits[index] for index in qargs)
            loss = losses.gate(iqm_name, names) if iqm_name else losses.readout(names[0])
            duration = profile.durations.get(iqm_name, 0.0) * 1e-9
            properties = InstructionProperties(duration=duration, error=1 - exp(-loss))
            target.update_instruction_properties(name, qargs, properties)
    return target


# --- iqm-client ----------------------------------------------------------------------------------


def metrics_of(machine: Architecture, profile: ErrorProfile) -> Any:
    """The profile as quality metrics of iqm-client."""
    from iqm.station_control.client.qon import ObservationFinder
    from iqm.station_control.interface.models import ObservationBase

    return ObservationFinder(
        ObservationBase(dut_field=name, value=value, unit="")
        for name, value in observed(machine, profile).items()
    )


def observed(machine: Architecture, profile: ErrorProfile) -> Mapping[str, float]:
    """The profile as observations of IQM's servers."""
    values: dict[str, float] = {}
    for name in machine.components:
        values[f"characterization.model.{name}.t1_time"] = profile.t1[name] * 1e-9
        values[f"characterization.model.{name}.t2_time"] = profile.t2[name] * 1e-9
    for gate, errors in profile.depolarizing.items():
        for locus, error in errors.items():
            times = [(profile.t1[name], profile.t2[name]) for name in locus]
            duration, place = profile.durations[gate], f"{gate}.any.{'__'.join(locus)}"
            method = "rb" if gate == "prx" else "irb"
            fidelity = average_fidelity(error, times, duration)
            values[f"metrics.{method}.{place}.fidelity"] = fidelity
            values[f"gates.{place}.duration"] = duration * 1e-9
    for qubit, (up, down) in profile.readout.items():
        place = f"metrics.ssro.measure.any.{qubit}"
        values |= {f"{place}.error_0_to_1": up, f"{place}.error_1_to_0": down}
        values[f"{place}.fidelity"] = 1 - (up + down) / 2
    return values


def vendor(circuit: QuantumCircuit, backend: Any, machine: Architecture) -> NativeCircuit:
    """`transpile_to_IQM` at level 3, as a native circuit."""
    from iqm.qiskit_iqm.iqm_naive_move_pass import transpile_to_IQM

    made = transpile_to_IQM(
        circuit, backend, remove_final_rzs=True, optimization_level=3, seed_transpiler=0
    )
    index = {name: place for place, name in enumerate(machine.components)}
    registers, _ = registers_of(circuit)
    ops = []
    for item in made.data:
        qubits = tuple(
            index[backend.index_to_qubit_name(made.find_bit(qubit).index)] for qubit in item.qubits
        )
        bits = tuple(made.find_bit(bit).index for bit in item.clbits)
        params = tuple(map(float, item.operation.params))
        name = item.operation.name
        ops.append(Op(name, qubits, params if name in ("r", "delay") else (), bits))
    return on_used_components(measures_last(ops), machine, registers)


# --- the tables ----------------------------------------------------------------------------------


def simulated_fidelity(native: NativeCircuit, profile: ErrorProfile) -> float | None:
    """Hellinger fidelity of the exact noisy distribution to the ideal one; None if too wide."""
    from iqm_spec.stages.aer.simulate import simulate
    from iqm_spec.stages.aer.tasks import AerTask, Setup

    if len(native.components) > WIDEST_SIMULATED:
        return None
    task = AerTask("placed", native, 200_000, 1)
    (outcome,) = simulate([task], Setup(evolve(profile, idle=True), "density_matrix"))
    return None if outcome.comparison is None else outcome.comparison.hellinger_fidelity


def rows() -> list[tuple[str, str, dict[str, tuple[float, float | None, float]]]]:
    """Machine, circuit, and by way: predicted success, simulated fidelity and seconds."""
    found = []
    for alias in MACHINES:
        machine, profile = architecture(alias), deviating_profile(alias, Deviation(SPREAD, SEED))
        titles = ways(machine, profile)
        for name, circuit in circuits().items():
            if circuit.num_qubits > machine.num_qubits:
                continue
            figures = {}
            for title, way in titles.items():
                start = perf_counter()
                native = way(circuit)
                seconds = perf_counter() - start
                if problems := violations(native, machine):
                    raise AssertionError(f"{title}: {name} on {alias}: {problems[:2]}")
                success = predicted_success(native, profile)
                figures[title] = success, simulated_fidelity(native, profile), seconds
            found.append((alias, name, figures))
            print(alias, name, {k: round(v[0], 4) for k, v in figures.items()}, file=sys.stderr)
    return found


def table() -> str:
    """Predicted success of each way, simulated fidelity of small circuits, seconds."""
    found = rows()
    titles = list(dict.fromkeys(title for _, _, figures in found for title in figures))
    head = ["machine", "circuit", *titles]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * len(titles)]
    for alias, name, figures in found:
        cells = [_cell(figures.get(title)) for title in titles]
        lines.append("| " + " | ".join([alias, name, *cells]) + " |")
    behind = [
        f"{name} on {alias}"
        for alias, name, figures in found
        if max(value[0] for value in figures.values()) > figures[MOST][0] * (1 + 1e-9)
    ]
    verdict = "nowhere" if not behind else f"in {len(behind)} of {len(found)}: {', '.join(behind)}"
    lines.append(f"\nAnother way has a higher predicted success than `{MOST}`: {verdict}.")
    return "\n".join(lines)


def _cell(figures: tuple[float, float | None, float] | None) -> str:
    """`0.512 (0.561), 0.1 s`: predicted success, simulated fidelity, time."""
    if figures is None:
        return ""
    success, fidelity, seconds = figures
    simulated = "" if fidelity is None else f" ({fidelity:.3f})"
    return f"{success:.3g}{simulated}, {seconds:.2f} s"


if __name__ == "__main__":
    sys.exit(show_or_write(table, PAGE, __doc__))
