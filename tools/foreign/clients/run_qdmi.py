"""iqm-qdmi: IQM's device library behind QDMI, used from Qiskit."""

from iqm.qdmi.qiskit import IQMBackend
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp

from tools.foreign.clients.told import TOKEN, check, check_ghz, tell

SHOTS = 2000


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for target in range(1, qubits):
        circuit.cx(target - 1, target)
    return circuit


def work(url: str) -> list[str]:
    backend = IQMBackend(base_url=url, token=TOKEN, qc_alias="garnet")
    for name in ("r", "cz", "measure"):
        errors = [item.error for item in backend.target[name].values() if item is not None]
        check(errors and None not in errors, f"errors of {name}: {errors[:2]}")
    measured = ghz(3)
    measured.measure_all()
    native = transpile(measured, backend, optimization_level=2, seed_transpiler=1)
    counts = backend.run(native, shots=SHOTS).result().get_counts()
    share = check_ghz(counts, 3, SHOTS)
    sampled = backend.sampler(default_shots=SHOTS).run([native]).result()[0]
    check_ghz(sampled.data.meas.get_counts(), 3, SHOTS)
    pair = transpile(ghz(2), backend, optimization_level=2, seed_transpiler=1)
    observable = SparsePauliOp("XX").apply_layout(pair.layout)
    value = float(
        backend.estimator(default_precision=0.03).run([(pair, observable)]).result()[0].data.evs
    )
    check(value > 0.75, f"<XX> of a Bell pair is {value:.2f}")
    return [f"GHZ(3) on garnet ({share:.2f} right)", "sampler", f"estimator (<XX> = {value:.2f})"]


if __name__ == "__main__":
    tell("iqm-qdmi", work)
