"""Qiskit on IQM: transpile, run, fetch, cancel, calibration and metrics, as its guide does."""

from importlib.metadata import version

from iqm.qiskit_iqm import IQMProvider, transpile_to_IQM
from qiskit import QuantumCircuit, transpile

from tools.foreign.clients.told import (
    TOKEN,
    check,
    check_ghz,
    check_random,
    keep_next_job_waiting,
    tell,
)

SHOTS = 4000
MAJOR = int(version("iqm-client").partition(".")[0])


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for target in range(1, qubits):
        circuit.cx(target - 1, target)
    circuit.measure_all()
    return circuit


def provider(url: str, computer: str) -> IQMProvider:
    return IQMProvider(url, quantum_computer=computer, token=TOKEN)


def run_garnet(url: str) -> list[str]:
    backend = provider(url, "garnet").get_backend()
    circuit = transpile(ghz(4), backend, optimization_level=3, seed_transpiler=1)
    job = backend.run(circuit, shots=SHOTS)
    counts = job.result().get_counts()
    share = check_ghz(counts, 4, SHOTS)
    again = backend.retrieve_job(job.job_id())
    check(again.result().get_counts() == counts, "a job fetched by its id has other counts")
    batch = backend.run([circuit, circuit], shots=100).result().get_counts()
    check([sum(item.values()) for item in batch] == [100, 100], "a batch lost shots")
    return [f"GHZ(4) on garnet ({share:.2f} right)", "job fetched by id", "batch of 2"]


def run_mock(url: str) -> list[str]:
    backend = provider(url, "garnet:mock").get_backend()
    circuit = transpile(ghz(3), backend, seed_transpiler=1)
    check_random(backend.run(circuit, shots=SHOTS).result().get_counts(), 3, SHOTS)
    return ["random bits of garnet:mock"]


def run_deneb(url: str) -> list[str]:
    backend = provider(url, "deneb").get_backend()
    circuit = transpile_to_IQM(ghz(3), backend)
    check("move" in circuit.count_ops(), "no MOVE gate on deneb")
    share = check_ghz(backend.run(circuit, shots=SHOTS).result().get_counts(), 3, SHOTS)
    return [f"GHZ(3) with MOVE on deneb ({share:.2f} right)"]


def run_metrics(url: str) -> list[str]:
    backend = provider(url, "garnet").get_backend(use_metrics=True)
    errors = {
        name: [item.error for item in backend.target[name].values()]
        for name in ("cz", "r", "measure")
    }
    for name, found in errors.items():
        check(all(error and 0 < error < 0.2 for error in found), f"errors of {name}: {found[:3]}")
    properties = backend.target.qubit_properties
    check(all(q.t1 and q.t2 and q.t1 < 1e-3 for q in properties), "T1 and T2 of each qubit")
    circuit = transpile(ghz(4), backend, optimization_level=3, seed_transpiler=1)
    check_ghz(backend.run(circuit, shots=SHOTS).result().get_counts(), 4, SHOTS)
    return ["transpiled with use_metrics"]


def cancel(url: str) -> list[str]:
    backend = provider(url, "garnet").get_backend()
    keep_next_job_waiting(url)
    job = backend.run(transpile(ghz(2), backend), shots=10)
    check(job.status().name == "QUEUED", f"a waiting job is {job.status().name}")
    check(job.cancel(), "cancel() returned False")
    check(job.status().name == "CANCELLED", f"a cancelled job is {job.status().name}")
    return ["waiting job cancelled"]


def ask(url: str) -> list[str]:
    """What the client asks a server about itself."""
    client = provider(url, "garnet").get_backend().client
    health = client.get_health() if MAJOR >= 36 else client._iqm_server_client.get_health()
    check(health["healthy"] is True, f"health: {health}")
    check(client.get_static_quantum_architecture().dut_label, "no dut_label")
    check(len(client.get_calibration_set().observations) > 0, "no observations")
    check(len(client.get_quality_metric_set().observations) > 0, "no quality metrics")
    check(client.get_feedback_groups(), "no feedback groups")
    if MAJOR >= 36:
        check(client.get_chip_label(), "no chip label")
        check(len(client.get_chip_topology().qubits) == 20, "the chip's topology has not 20 qubits")
        about = client.get_about()
        check(about["about_station"]["version"], f"about: {about}")
    else:
        server = client._iqm_server_client
        check(server.get_duts()[0].label, "no dut")
        check(isinstance(server.get_about(), dict), "no about")
        check(server.get_about_station()["version"], "no about of the station")
        check(server.get_chip_design_records()[0]["cheddar"]["chip_label"], "no chip label")
    return ["health, about, calibration, metrics, feedback groups, chip"]


def work(url: str) -> list[str]:
    parts = (run_garnet, run_mock, run_deneb, run_metrics, cancel, ask)
    return [words for part in parts for words in part(url)]


if __name__ == "__main__":
    tell("iqm-client", work)
