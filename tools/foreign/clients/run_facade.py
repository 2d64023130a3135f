"""Qiskit on IQM's facade backends, which take a server for theirs by its exact architecture."""

import sys

from iqm.qiskit_iqm import IQMProvider, transpile_to_IQM
from qiskit import QuantumCircuit

from tools.foreign.clients.told import TOKEN, check_ghz, tell

SHOTS = 2000


def work(url: str) -> list[str]:
    """Arguments after the address: a computer and a facade backend, as often as wanted."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure_all()
    done = []
    for computer, name in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
        backend = IQMProvider(url, quantum_computer=computer, token=TOKEN).get_backend(name)
        job = backend.run(transpile_to_IQM(circuit, backend), shots=SHOTS)
        share = check_ghz(job.result().get_counts(), 3, SHOTS)
        done.append(f"GHZ(3) on {name} through {computer} ({share:.2f} right)")
    return done


if __name__ == "__main__":
    tell("iqm-client", work)
