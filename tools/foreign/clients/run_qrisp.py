"""Qrisp's IQM backend: a circuit and a quantum variable on garnet, and a job fetched by its id."""

from iqm.qrisp_iqm import IQMBackend
from qrisp import QuantumCircuit, QuantumVariable, cx, h

from tools.foreign.clients.told import TOKEN, check, check_ghz, tell

SHOTS = 4000


def work(url: str) -> list[str]:
    backend = IQMBackend(url, device_instance="garnet", token=TOKEN)
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure(circuit.qubits, circuit.clbits)
    job = backend.run_async(circuit, shots=SHOTS)
    share = check_ghz({str(k): int(v) for k, v in job.result().all_counts[0].items()}, 3, SHOTS)
    again = backend.retrieve_job(str(job.job_id()) if callable(job.job_id) else str(job.job_id))
    check(again.result().all_counts, "a job fetched by its id has no counts")
    variable = QuantumVariable(2)
    h(variable[0])
    cx(variable[0], variable[1])
    shares = variable.get_measurement(backend=backend, shots=SHOTS)
    right = shares.get("00", 0) + shares.get("11", 0)
    check(right > 0.85, f"a Bell pair of a QuantumVariable: {shares}")
    mock = IQMBackend(url, device_instance="garnet:mock", token=TOKEN)
    check(sum(mock.run(circuit, shots=100).values()) == 100, "a mock lost shots")
    return [
        f"GHZ(3) on garnet ({share:.2f} right)",
        "job fetched by id",
        f"Bell pair ({right:.2f})",
    ]


if __name__ == "__main__":
    tell("qrisp", work)
