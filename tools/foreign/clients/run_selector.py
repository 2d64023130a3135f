"""iqm-qubit-selector: the best layouts of a circuit by the server's quality metrics."""

from iqm.qiskit_iqm import IQMProvider
from iqm.qubit_selector.qiskit_utils import CircuitType, get_circuit
from iqm.qubit_selector.qubit_selector import CostEvaluator, CostFunction, ReadoutMode
from told import TOKEN, check, tell

QUBITS = 4


def work(url: str) -> list[str]:
    done = []
    for computer in ("garnet", "emerald"):
        backend = IQMProvider(url, quantum_computer=computer, token=TOKEN).get_backend()
        for readout in ReadoutMode:
            evaluator = CostEvaluator(
                backend,
                get_circuit(CircuitType.GHZ, QUBITS),
                cost_function=CostFunction.GATE_COST_CZ,
                readoutmode=readout,
                num_trials=60,
            )
            for name, values in evaluator.cal_data.items():
                print(computer, name, len(values))
            layouts, costs = evaluator.get_top_layouts(3)
            check(len(layouts) == 3, f"{len(layouts)} layouts")
            check(all(len(set(layout)) == QUBITS for layout in layouts), f"layouts {layouts}")
            check(costs == sorted(costs) and 0 < costs[0] < 0.9, f"costs {costs}")
            if readout is not ReadoutMode.NONE:
                check(costs[0] > without, f"readout {readout.value} costs nothing")
            else:
                without = costs[0]
        done.append(f"layout {layouts[0]} of {computer} (cost {costs[0]:.3f})")
    return done


if __name__ == "__main__":
    tell("iqm-qubit-selector", work)
