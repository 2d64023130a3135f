"""How well time models predict jobs that they have not seen, as a table in docs/cost-model.md.

Each data set is split at random, 20 times: a model is fitted to one part and asked for the other.
Run: `python -m tools.make_cost_table` prints the table, `--write` puts it in the page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
from attrs import frozen

from iqm_spec.cost.accuracy import Accuracy, accuracy_of_ranges
from iqm_spec.cost.job_shape import JobShape, Timing, uniform_job
from iqm_spec.cost.ranges import Range
from iqm_spec.cost.time_model import fit
from iqm_spec.cost.timing_tables import MACHINES, measured_table
from tools.page import DOCS, show_or_write

PAGE = DOCS / "cost-model.md"
SEEDS = range(20)
SIZES = (None, 20, 10, 5)
"""Jobs that a model is fitted to; None stands for half of them."""

Law = Callable[[JobShape], float]


def _q50(shape: JobShape) -> float:
    cheaper = float(0.98593 ** min(shape.circuits, 19.29))
    return 0.8837 + cheaper * shape.executions * 6.2523e-4


def _q20(shape: JobShape) -> float:
    return shape.executions * (2.9549e-4 + 1.36998e-5 * shape.qubits / shape.circuits)


def _helmi(shape: JobShape) -> float:
    return 2.362 + 0.4328e-3 * shape.executions + 0.179 * shape.qubits / shape.circuits


PUBLISHED: dict[str, Law] = {"Aalto Q20": _q20, "Helmi": _helmi, "VTT Q50": _q50}
"""FiQCI's formulas, fitted by FiQCI to the whole of these tables (documentation.md of its
resource-estimator; Helmi's in an older version)."""


def _plain(shape: JobShape) -> float:
    layers = 2e-8 * shape.shots * shape.volume
    return 0.5 + 0.01 * shape.circuits + 4e-4 * shape.executions + layers


def _job_floor(shape: JobShape) -> float:
    return max(0.9, 3.75e-4 * shape.executions)


def _circuit_floor(shape: JobShape) -> float:
    return shape.circuits * max(0.25, 3e-4 * shape.shots)


def _start_and_floor(shape: JobShape) -> float:
    return 0.3 + shape.circuits * max(0.25, 3e-4 * shape.shots)


def _saturating(shape: JobShape) -> float:
    return 1.0 + 5e-4 * float(0.986 ** min(shape.circuits, 20)) * shape.executions


INVENTED: dict[str, tuple[Law, float]] = {
    "no floor": (_plain, 0.0),
    "a least time per job": (_job_floor, 0.0),
    "a least time per circuit": (_circuit_floor, 0.0),
    "a start-up, and a least time per circuit": (_start_and_floor, 0.0),
    "circuits get cheaper up to 20": (_saturating, 0.0),
    "no floor, 5 % wild rows": (_plain, 0.05),
}
"""Laws of machines that do not exist, and the share of jobs that take 2 to 10 times as long."""

JOBS, NOISE = 120, 0.02
"""Of an invented machine: measured jobs, and their spread."""


@frozen
class Outcome:
    """Accuracies on jobs left out, by seed: of the model and of a published formula."""

    ours: tuple[Accuracy, ...]
    published: tuple[Accuracy, ...] = ()


def invented(law: Law, wild: float, seed: int) -> list[Timing]:
    """Jobs of a made-up machine: sizes of three orders of magnitude, noise, wild rows."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(JOBS):
        qubits, depth = int(rng.integers(1, 21)), int(rng.integers(1, 101))
        circuits, shots = int(100 ** rng.random()), int(100 * 200 ** rng.random())
        shape = uniform_job(qubits, depth, circuits, shots)
        factor = float(rng.uniform(2, 10)) if rng.random() < wild else 1.0
        found.append(Timing(shape, law(shape) * factor * float(np.exp(rng.normal(0, NOISE)))))
    return found


def split(timings: Sequence[Timing], size: int | None, seed: int) -> tuple[list[Timing], ...]:
    """Jobs to fit to, at random, and the others; of an odd number the fit gets the smaller half."""
    order = np.random.default_rng(seed).permutation(len(timings))
    size = len(timings) // 2 if size is None else size
    return [timings[i] for i in order[:size]], [timings[i] for i in order[size:]]


def outcome(
    timings: Callable[[int], Sequence[Timing]],
    size: int | None = None,
    formula: Law | None = None,
    seeds: Sequence[int] = SEEDS,
) -> Outcome:
    """The accuracies over splits of the timings that belong to each seed."""
    ours, published = [], []
    for seed in seeds:
        inside, out = split(timings(seed), size, seed)
        seconds = [one.qpu_seconds for one in out]
        ours.append(accuracy_of_ranges(fit(inside).predict([one.shape for one in out]), seconds))
        if formula is not None:
            published.append(_scored(formula, out))
    return Outcome(tuple(ours), tuple(published))


def _scored(formula: Law, out: Sequence[Timing]) -> Accuracy:
    values = [formula(one.shape) for one in out]
    return accuracy_of_ranges(
        [Range(one, one, one) for one in values], [one.qpu_seconds for one in out]
    )


def of_machine(machine: str, size: int | None = None, seeds: Sequence[int] = SEEDS) -> Outcome:
    """The accuracies for one of the public tables."""
    timings = measured_table(machine).timings
    return outcome(lambda _: timings, size, PUBLISHED[machine], seeds)


def table() -> str:
    """The table in Markdown."""
    head = (
        "| machine | jobs fitted | median error | 90th percentile | coverage | width "
        "| published: median | published: 90th |"
    )
    lines = [head, "|" + "---|" * 8]
    for machine in MACHINES:
        whole = len(measured_table(machine).timings)
        for size in SIZES:
            fitted = str(size) if size else f"half of {whole}"
            lines.append(_row(machine, fitted, of_machine(machine, size)))
    for name, (law, wild) in INVENTED.items():
        for size in (None, 10):
            fitted = str(size) if size else f"half of {JOBS}"
            found = outcome(lambda seed, law=law, wild=wild: invented(law, wild, seed), size)  # type: ignore[misc]
            lines.append(_row(f"invented: {name}", fitted, found))
    seeds = f"Seeds of the splits: {min(SEEDS)} to {max(SEEDS)} (numpy's default_rng)."
    return "\n".join([*lines, "", seeds])


def _row(name: str, fitted: str, found: Outcome) -> str:
    def cell(values: Sequence[float], worst: Callable[[Sequence[float]], float] = max) -> str:
        return f"{np.mean(values):.1%} ({worst(values):.1%})"

    cells = [
        name,
        fitted,
        cell([one.median_error for one in found.ours]),
        cell([one.p90_error for one in found.ours]),
        cell([one.coverage for one in found.ours], min),
        f"{np.mean([one.width for one in found.ours]):.2f}",
        *(
            [
                f"{np.mean([one.median_error for one in found.published]):.1%}",
                f"{np.mean([one.p90_error for one in found.published]):.1%}",
            ]
            if found.published
            else ["", ""]
        ),
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(show_or_write(table, PAGE, __doc__))
