"""Submits measured circuits through iqm-client and waits: submit.py URL CIRCUITS SHOTS QUBITS."""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")
from iqm.qiskit_iqm import IQMProvider, transpile_to_IQM  # noqa: E402
from qiskit import QuantumCircuit  # noqa: E402

url, (circuits, shots, qubits) = sys.argv[1], map(int, sys.argv[2:])
backend = IQMProvider(url, quantum_computer="garnet:mock", token="any").get_backend()
circuit = QuantumCircuit(qubits)
circuit.r(1.0, 0.5, 0)
circuit.measure_all()
job = backend.run([transpile_to_IQM(circuit, backend)] * circuits, shots=shots)
job._job_tracker.wait_for_completion(timeout_secs=600)
print(json.dumps({"job": job.job_id()}))
