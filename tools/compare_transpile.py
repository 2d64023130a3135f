"""Our transpiling beside iqm-client's `transpile_to_IQM`, on a table of circuits and machines.

python -m tools.compare_transpile                 # prints the table in Markdown
python -m tools.compare_transpile --write         # puts it into docs/transpiling.md
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.targets import Architecture, architecture
from iqm_spec.transpile import transpile, violations
from tools.page import DOCS, show_or_write

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

PAGE = DOCS / "transpiling.md"
MACHINES = ("garnet", "emerald", "sirius", "deneb")
LEVEL, SEED, REPEATS = 2, 0, 5


@frozen
class Outcome:
    """Gates, depth and milliseconds of one transpiled circuit."""

    gates: Mapping[str, int]
    depth: int
    ms: float

    def cells(self) -> list[str]:
        counts = [self.gates.get(name, 0) for name in ("r", "cz", "move")]
        return [*map(str, counts), str(self.depth), f"{self.ms:.1f}"]


def circuits() -> dict[str, QuantumCircuit]:
    """The circuits of the table by name, all measured and all from Qiskit's own library."""
    from qiskit.circuit.library import quantum_volume
    from qiskit.circuit.random import random_circuit
    from qiskit.synthesis import synth_qft_full

    made = {f"ghz {n}": _ghz(n) for n in (2, 5, 16, 20)}
    made |= {f"qft {n}": synth_qft_full(n) for n in (4, 6, 10)}
    made |= {f"tfim {n}": _tfim(n, steps=4) for n in (6, 12)}
    made |= {f"hea {n}": _hea(n, layers=3) for n in (6, 14)}
    made |= {f"qaoa {n}": _qaoa(n) for n in (6, 10)}
    made |= {f"qv {n}": quantum_volume(n, seed=7) for n in (5, 6)}
    made |= {f"random {n}": random_circuit(n, 8, max_operands=3, seed=3) for n in (4, 6)}
    for circuit in made.values():
        circuit.measure_all()
    return made


def _ghz(size: int) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(size)
    circuit.h(0)
    for i in range(1, size):
        circuit.cx(i - 1, i)
    return circuit


def _tfim(size: int, steps: int) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(size)
    for _ in range(steps):
        for i in range(size - 1):
            circuit.rzz(0.2, i, i + 1)
        circuit.rx(0.3, range(size))
    return circuit


def _hea(size: int, layers: int) -> QuantumCircuit:
    from numpy.random import default_rng
    from qiskit.circuit.library import efficient_su2

    ansatz = efficient_su2(size, reps=layers, entanglement="linear")
    return ansatz.assign_parameters(default_rng(1).uniform(-3, 3, ansatz.num_parameters))


def _qaoa(size: int) -> QuantumCircuit:
    from qiskit import QuantumCircuit
    from rustworkx import undirected_gnp_random_graph

    circuit = QuantumCircuit(size)
    circuit.h(range(size))
    edges = sorted(undirected_gnp_random_graph(size, 0.5, seed=2).edge_list())
    for gamma, beta in ((0.4, 0.9), (0.7, 0.5)):
        for a, b in edges:
            circuit.rzz(gamma, a, b)
        circuit.rx(2 * beta, range(size))
    return circuit


def vendor_backend(machine: Architecture, metrics: Any = None) -> Any:
    """An iqm-client backend with the architecture of `machine`; it transpiles and runs nothing.

    `metrics` are its quality metrics, as iqm-client's `ObservationFinder`.
    """
    from iqm.qiskit_iqm.iqm_backend import IQMBackendBase
    from iqm.station_control.interface.models import (
        DynamicQuantumArchitecture,
        GateImplementationInfo,
        GateInfo,
    )

    class Backend(IQMBackendBase):  # type: ignore[misc]
        @classmethod
        def _default_options(cls) -> None:
            return None

        def run(self, run_input: Any, **options: Any) -> Any:
            raise NotImplementedError

    gates = {
        name: GateInfo(
            implementations={"any": GateImplementationInfo(loci=loci)},
            default_implementation="any",
            override_default_implementation={},
        )
        for name, loci in machine.gates.items()
    }
    described = DynamicQuantumArchitecture(
        calibration_set_id="00000000-0000-0000-0000-000000000000",
        qubits=list(machine.qubits),
        computational_resonators=list(machine.resonators),
        gates=gates,
    )
    return Backend(described, metrics=metrics)


def vendor(circuit: QuantumCircuit, backend: Any, level: int, seed: int) -> QuantumCircuit:
    """`transpile_to_IQM`, allowed to drop final rotations about z as we do."""
    from iqm.qiskit_iqm.iqm_naive_move_pass import transpile_to_IQM

    return transpile_to_IQM(
        circuit, backend, remove_final_rzs=True, optimization_level=level, seed_transpiler=seed
    )


def compare(circuit: QuantumCircuit, machine: Architecture, backend: Any) -> tuple[Outcome, ...]:
    """Ours and the vendor's outcome; milliseconds are the least of a few runs."""
    options = {"optimization_level": LEVEL, "seed": SEED}
    native, ms = _least(lambda: transpile(circuit, machine, options))
    if problems := violations(native, machine):
        raise AssertionError(problems)
    theirs, their_ms = _least(lambda: vendor(circuit, backend, LEVEL, SEED))
    counts = {name: n for name, n in theirs.count_ops().items() if name != "barrier"}
    return Outcome(native.counts(), native.depth(), ms), Outcome(counts, theirs.depth(), their_ms)


def _least(work: Callable[[], Any]) -> tuple[Any, float]:
    best = float("inf")
    for _ in range(REPEATS):
        start = perf_counter()
        made = work()
        best = min(best, perf_counter() - start)
    return made, best * 1000


def table() -> str:
    """The table in Markdown; in each pair of columns ours comes first."""
    head = ["machine", "circuit", "r", "cz", "move", "depth", "ms"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for alias in MACHINES:
        machine = architecture(alias)
        backend = vendor_backend(machine)
        for name, circuit in circuits().items():
            if circuit.num_qubits <= machine.num_qubits:
                ours, theirs = compare(circuit, machine, backend)
                pairs = zip(ours.cells(), theirs.cells(), strict=True)
                cells = [alias, name, *(f"{a} / {b}" for a, b in pairs)]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(show_or_write(table, PAGE, __doc__))
