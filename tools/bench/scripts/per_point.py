"""What a user writes without this tool: build, `transpile_to_IQM`, run, point by point.

per_point.py ansatz|star|ideal POINTS, or per_point.py mixed FOLDER POINTS. Prints its own seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

START = time.perf_counter()

import numpy as np  # noqa: E402
from iqm.qiskit_iqm import transpile_to_IQM  # noqa: E402
from iqm.qiskit_iqm.fake_backends.fake_deneb import IQMFakeDeneb  # noqa: E402
from iqm.qiskit_iqm.fake_backends.fake_garnet import IQMFakeGarnet  # noqa: E402
from qiskit import qasm2  # noqa: E402
from qiskit.circuit.library import n_local  # noqa: E402
from qiskit_aer import AerSimulator  # noqa: E402

kind, points = sys.argv[1], int(sys.argv[-1])
backend = IQMFakeDeneb() if kind == "star" else IQMFakeGarnet()
simulator = AerSimulator() if kind == "ideal" else backend
ready = time.perf_counter()
for number in range(points):
    if kind == "mixed":
        path = Path(sys.argv[2]) / f"random{number}.qasm"
        circuit = qasm2.load(path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    else:
        angle = np.linspace(0.1, 3.0, points)[number]
        circuit = n_local(5, "ry", "cz", "linear", reps=2)
        circuit = circuit.assign_parameters([angle] * circuit.num_parameters)
        circuit.measure_all()
    native = transpile_to_IQM(circuit, backend)
    counts = simulator.run(native, shots=1000).result().get_counts()
    assert sum(counts.values()) == 1000
done = time.perf_counter()
print(json.dumps({"imports": ready - START, "work": done - ready, "points": points}))
