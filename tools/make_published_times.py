"""Makes iqm_spec/cost/data/published.json: laws of QPU time from the public timing tables.

The tables (FiQCI resource-estimator) name the depth of Qiskit's `random_circuit` before it was
transpiled. What takes time is the depth of what runs, so each depth is replaced by that of such
circuits after our transpiling, measured here. Run: `python -m tools.make_published_times`.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
from qiskit.circuit.random import random_circuit

from iqm_spec.cost.job_shape import JobShape, uniform_job
from iqm_spec.cost.time_laws import TERMS, TimeLaw, fit_law, matrix
from iqm_spec.targets.built_in import architecture
from iqm_spec.transpile import transpile_many

DATA = Path(__file__).parent.parent / "iqm_spec" / "cost" / "data"
TABLES = {"aalto-q20": "aaltoq20.csv", "helmi": "helmi.csv", "vtt-q50": "vtt-q50.csv"}
LAW = TimeLaw(("job", "circuit", "execution", "execution depth"))
SEEDS = range(4)
FIQCI = "fit to FiQCI's timing table {} (github.com/FiQCI/resource-estimator, MIT licence)"
VLQ = {
    "job": 0.0,
    "circuit": 0.0,
    "execution": 375e-6,
    "layer": 0.0,
    "least": 0.9,
    "source": "IT4Innovations' consumption guide for VLQ: 350 us and up to 50 us of gates per "
    "shot, 0.9 s per job at least (docs.it4i.cz/en/docs/clusters/vlq/vlq-consumption-guide)",
    "date": "2026-11-22",
}
SISTERS = {"garnet": "aalto-q20", "emerald": "vtt-q50", "sirius": "vlq", "deneb": "helmi"}
MARGIN = 1.25


@cache
def native_depth_per_volume() -> float:
    """Layers of a transpiled random circuit per qubit and layer before, on a square lattice."""
    machine = architecture("garnet")
    ratios = []
    for qubits in (5, 10, 20):
        for depth in (10, 50):
            circuits = [random_circuit(qubits, depth, measure=True, seed=s) for s in SEEDS]
            native = transpile_many(circuits, machine, {}, [None] * len(circuits))
            ratios += [one.depth() / (qubits * depth) for one in native]
    return float(np.mean(ratios))


def native_depth(qubits: int, depth: int) -> float:
    """Circuits of one or two qubits come to a few gates, however deep they were."""
    return {1: 2.0, 2: 8.0}.get(qubits, native_depth_per_volume() * qubits * depth)


def law_of(name: str, table: str) -> dict[str, object]:
    shapes: list[JobShape] = []
    seconds: list[float] = []
    with (DATA / table).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            qubits, depth = int(row["num_qubits"]), int(row["depth"])
            circuits = int(row.get("batches") or row["num_circuits"])
            layers = native_depth(qubits, depth)
            shapes.append(uniform_job(qubits, layers, circuits, int(row["shots"])))
            seconds.append(float(row["qpu_seconds"]))
    terms, measured = matrix(shapes), np.array(seconds)
    fitted = fit_law(LAW, terms, measured)
    errors = np.abs(fitted.seconds(terms) / measured - 1)
    found = dict(zip(TERMS, fitted.coefficients, strict=True))
    middle, worse = np.quantile(errors, [0.5, 0.9])
    print(f"{name}: median error {middle:.1%}, 90th percentile {worse:.1%}")
    return {
        "job": float(f"{found['job']:.4g}"),
        "circuit": float(f"{found['circuit']:.4g}"),
        "execution": float(f"{found['execution']:.4g}"),
        "layer": float(f"{found['execution depth']:.4g}"),
        "least": 0.0,
        "source": FIQCI.format(table),
        "date": "2026-11-22",
    }


def main() -> None:
    laws = {name: law_of(name, table) for name, table in TABLES.items()}
    # Helmi's table has next to no depth in it beyond two qubits: what it says of layers is noise
    laws["helmi"]["layer"] = laws["aalto-q20"]["layer"]
    told = {
        "format": "iqm-spec/published-times/1",
        "made_by": "tools/make_published_times.py",
        "native_depth_per_qubit_and_layer": round(native_depth_per_volume(), 3),
        "units": "seconds: per job, circuit, execution, and layer of an execution",
        "margin": MARGIN,
        "sisters": SISTERS,
        "laws": {**laws, "vlq": VLQ},
    }
    path = DATA / "published.json"
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
