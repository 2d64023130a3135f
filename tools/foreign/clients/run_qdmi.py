"""iqm-qdmi: IQM's device library behind QDMI, used from Qiskit."""

import json
import os
import tempfile

from iqm.qdmi.qiskit import IQMBackend
from mqt.core.qdmi import ProgramFormat
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


BELL = {
    "name": "bell",
    "instructions": [
        {"name": "prx", "locus": ["QB1"], "args": {"angle_t": 0.25, "phase_t": 0.25}},
        {"name": "prx", "locus": ["QB2"], "args": {"angle_t": 0.25, "phase_t": 0.25}},
        {"name": "cz", "locus": ["QB1", "QB2"], "args": {}},
        {"name": "prx", "locus": ["QB2"], "args": {"angle_t": 0.25, "phase_t": 0.75}},
        {"name": "measure", "locus": ["QB1"], "args": {"key": "meas_2_0_0"}},
        {"name": "measure", "locus": ["QB2"], "args": {"key": "meas_2_0_1"}},
    ],
    "metadata": {},
}
"""A circuit of IQM's JSON with angles in turns, as IQM's own integration tests send it."""


def sent_as_it_is(backend: IQMBackend) -> list[str]:
    """IQM's JSON, and what is said of a job that cannot be."""
    program = json.dumps(BELL)
    job = backend.device.submit_job(program, ProgramFormat.IQM_JSON, SHOTS)
    job.wait()
    share = check_ghz(job.get_counts(), 2, SHOTS)
    with tempfile.TemporaryFile() as log:
        stderr = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            backend.device.submit_job(
                json.dumps({**BELL, "instructions": 5}), ProgramFormat.IQM_JSON, SHOTS
            )
            refused = False
        except Exception:  # noqa: BLE001 - the library's own kinds of error differ by version
            refused = True
        finally:
            os.dup2(stderr, 2)
        log.seek(0)
        words = log.read().decode()
    check(refused, "a circuit without instructions was taken")
    check("Job payload is not valid" in words, f"refused with other words: {words[-400:]}")
    return [f"IQM JSON in turns ({share:.2f} right)", "refusal in the words of IQM's tests"]


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
    done = [f"GHZ(3) on garnet ({share:.2f} right)", "sampler", f"estimator (<XX> = {value:.2f})"]
    return [*done, *sent_as_it_is(backend)]


if __name__ == "__main__":
    tell("iqm-qdmi", work)
