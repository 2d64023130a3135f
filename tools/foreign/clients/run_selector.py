"""iqm-qubit-selector: the best layouts of a circuit by the server's quality metrics."""

from iqm.qiskit_iqm import IQMProvider
from iqm.qubit_selector.qiskit_utils import CircuitType, get_circuit
from iqm.qubit_selector.qubit_selector import CostEvaluator, CostFunction, ReadoutMode

from tools.foreign.clients.told import TOKEN, check, tell

QUBITS = 4


def best(url: str, computer: str, readout: ReadoutMode) -> tuple[list[int], float]:
    """The best layout and its cost."""
    evaluator = CostEvaluator(
        IQMProvider(url, quantum_computer=computer, token=TOKEN).get_backend(),
        get_circuit(CircuitType.GHZ, QUBITS),
        cost_function=CostFunction.GATE_COST_CZ,
        readoutmode=readout,
        num_trials=60,
    )
    layouts, costs = evaluator.get_top_layouts(3)
    check(len(layouts) == 3, f"{len(layouts)} layouts of {computer}")
    check(all(len(set(layout)) == QUBITS for layout in layouts), f"layouts {layouts}")
    check(costs == sorted(costs) and 0 < costs[0] < 0.9, f"costs {costs} on {computer}")
    return layouts[0], costs[0]


def work(url: str) -> list[str]:
    done = []
    for computer in ("garnet", "emerald"):
        _, gates = best(url, computer, ReadoutMode.NONE)
        for readout in (ReadoutMode.FIDELITY, ReadoutMode.QNDNESS):
            layout, cost = best(url, computer, readout)
            check(cost > gates, f"readout ({readout.value}) costs nothing on {computer}")
            done.append(f"{computer} by gates and {readout.value}: {layout} (cost {cost:.3f})")
    return done


if __name__ == "__main__":
    tell("iqm-qubit-selector", work)
