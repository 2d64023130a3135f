"""Aer's own limit: circuits already transpiled, in one run, with the whole noise model.

bare_aer.py noisy|ideal QUBITS POINTS. Prints the seconds of the run and of reading its counts.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from iqm.qiskit_iqm import transpile_to_IQM
from iqm.qiskit_iqm.fake_backends.fake_garnet import IQMFakeGarnet
from qiskit.circuit.library import n_local
from qiskit_aer import AerSimulator

kind, qubits, points = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
backend = IQMFakeGarnet()
circuits = []
for angle in np.linspace(0.1, 3.0, points):
    ansatz = n_local(qubits, "ry", "cz", "linear", reps=2)
    ansatz = ansatz.assign_parameters([angle] * ansatz.num_parameters)
    ansatz.measure_all()
    circuits.append(transpile_to_IQM(ansatz, backend))
simulator = AerSimulator(
    noise_model=backend.noise_model if kind == "noisy" else None, max_parallel_threads=1
)
start = time.perf_counter()
result = simulator.run(circuits, shots=1000, seed_simulator=1).result()
counts = [result.get_counts(i) for i in range(points)]
done = time.perf_counter()
assert all(sum(one.values()) == 1000 for one in counts)
print(json.dumps({"work": done - start, "points": points}))
