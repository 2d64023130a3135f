"""iqm-benchmarks: fidelities off a server, and small GHZ, Clifford RB and CLOPS benchmarks."""

import os
from typing import Any

os.environ["MPLBACKEND"] = "agg"

from iqm.benchmarks.entanglement.ghz import GHZBenchmark, GHZConfiguration
from iqm.benchmarks.quantum_volume.clops import CLOPSBenchmark, CLOPSConfiguration
from iqm.benchmarks.randomized_benchmarking.clifford_rb.clifford_rb import (
    CliffordRandomizedBenchmarking,
    CliffordRBConfiguration,
)
from iqm.benchmarks.utils import extract_fidelities_unified
from iqm.qiskit_iqm import IQMProvider

from tools.foreign.clients.told import TOKEN, check, tell


def backend_of(url: str, computer: str) -> object:
    return IQMProvider(url, quantum_computer=computer, token=TOKEN).get_backend()


def values(benchmark: Any) -> dict[str, float]:
    """The observations of a benchmark that was run and analyzed."""
    benchmark.run()
    return {item.name: float(item.value) for item in benchmark.analyze().observations}


def fidelities(url: str) -> list[str]:
    """The metrics that its searches of layouts are fed with; none may be missing."""
    for computer, names in {
        "garnet": {"cz_gate_fidelity": 60, "single_shot_readout_fidelity": 20},
        "deneb": {"double_move_gate_fidelity": 12, "single_shot_readout_fidelity": 6},
    }.items():
        _, metrics = extract_fidelities_unified(backend_of(url, computer))
        for name in ("fidelity_1qb_gates_averaged", "t1_time", "t2_time", *names):
            check(metrics[name], f"{computer} tells no {name}")
        for name, number in names.items():
            check(len(metrics[name]) == number, f"{len(metrics[name])} of {name} on {computer}")
    return ["fidelities of garnet and deneb"]


def ghz(url: str) -> list[str]:
    done = []
    for computer, routine in (("garnet", "tree"), ("deneb", "star")):
        configuration = GHZConfiguration(
            state_generation_routine=routine,
            custom_qubits_array=[[0, 1, 2, 3] if routine == "star" else [0, 1, 3, 4]],
            shots=500,
            rem=routine == "tree",
            mit_shots=200,
        )
        found = values(GHZBenchmark(backend_of(url, computer), configuration))
        fidelity = next(value for name, value in found.items() if "fidelity" in name)
        check(0.6 < fidelity < 1.05, f"GHZ on {computer}: {found}")
        done.append(f"GHZ fidelity {fidelity:.2f} on {computer}")
    return done


def clifford(url: str) -> list[str]:
    configuration = CliffordRBConfiguration(
        qubits_array=[[3], [0, 1]],
        sequence_lengths=[1, 5, 15, 30],
        num_circuit_samples=4,
        shots=200,
    )
    found = values(CliffordRandomizedBenchmarking(backend_of(url, "garnet"), configuration))
    check(all(0.8 < value < 1.01 for value in found.values()), f"Clifford RB: {found}")
    return [f"Clifford RB ({min(found.values()):.3f})"]


def clops(url: str) -> list[str]:
    configuration = CLOPSConfiguration(
        qubits=[0, 1, 3, 4], num_circuits=4, num_updates=2, num_shots=50, clops_h_bool=True
    )
    found = values(CLOPSBenchmark(backend_of(url, "garnet"), configuration))
    check(all(value > 0 for value in found.values()), f"CLOPS: {found}")
    return ["CLOPS, with the jobs' timelines"]


def work(url: str) -> list[str]:
    return [words for part in (fidelities, ghz, clifford, clops) for words in part(url)]


if __name__ == "__main__":
    tell("iqm-benchmarks", work)
