"""What jobs count for: measured, reserved, unknown, failed, cancelled; and what a budget allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iqm_spec.errors import Refused
from iqm_spec.stages.server.attempts import attempts
from iqm_spec.stages.server.budget import (
    BudgetGuard,
    Counting,
    Limits,
    entries,
    experiment_of,
    of_experiment,
    spent,
)
from iqm_spec.store import Store
from tests.journals import append, job_event

ESTIMATE = {
    "qpu_seconds": {"low": 1.0, "expected": 2.0, "high": 4.0},
    "credits": {"low": 0.5, "expected": 1.0, "high": 2.0},
    "price_per_second": 0.5,
    "price_from": "server",
    "basis": "published",
}
INTENT = {
    "run": "ghz-pairs-20261123-120000-1a2b3c4d",
    "plan": "0" * 64,
    "stage": "hardware",
    "realm": "emulator",
    "emulated": True,
    "computer": "garnet",
    "queue": "pay-as-you-go",
    "shots": 100,
    "parts": [["k1", 0], ["k2", 0]],
    "estimate": ESTIMATE,
    "at": "2026-11-23T12:00:00Z",
}

LIFE: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "intended": [],
    "unknown": [("unknown", {"why": "no answer"})],
    "submitted": [("submitted", {"id": "a"})],
    "completed": [("submitted", {"id": "a"}), ("completed", {"id": "a", "qpu_seconds": 3.0})],
    "untimed": [("submitted", {"id": "a"}), ("completed", {"id": "a", "qpu_seconds": None})],
    "twice": [
        ("submitted", {"id": "a"}),
        ("adopted", {"id": "b"}),
        ("completed", {"id": "a", "qpu_seconds": 3.0}),
    ],
    "both": [
        ("submitted", {"id": "a"}),
        ("adopted", {"id": "b"}),
        ("completed", {"id": "a", "qpu_seconds": 3.0}),
        ("completed", {"id": "b", "qpu_seconds": 2.0}),
    ],
    "failed": [("submitted", {"id": "a"}), ("failed", {"status": "failed", "qpu_seconds": 1.0})],
    "failed and released": [
        ("submitted", {"id": "a"}),
        ("failed", {"status": "failed", "qpu_seconds": 1.0}),
        ("released", {}),
    ],
    "never ran": [("submitted", {"id": "a"}), ("failed", {"status": "failed"})],
    "cancelled": [("submitted", {"id": "a"}), ("failed", {"status": "cancelled"})],
    "rejected": [("rejected", {"status": 403})],
    "released": [("unknown", {}), ("released", {})],
}


def write(store: Store, key: str, life: str, **changes: Any) -> None:
    journal = store.job(key)
    journal.claim("claimed", 1)
    append(journal, "intent", **{**INTENT, **changes})
    for kind, fields in LIFE[life]:
        append(journal, kind, **fields)


def read(life: str, **changes: Any) -> Any:
    events = [job_event(1, "claimed"), job_event(2, "intent", **{**INTENT, **changes})]
    events += [job_event(3 + i, kind, **fields) for i, (kind, fields) in enumerate(LIFE[life])]
    return attempts("j", events)


@pytest.mark.parametrize(
    ("life", "rules", "phase", "credits_"),
    [
        ("intended", {}, "unknown", 2.0),
        ("unknown", {}, "unknown", 2.0),
        ("submitted", {}, "reserved", 2.0),
        ("completed", {}, "measured", 1.5),
        ("untimed", {}, "measured", 2.0),
        ("twice", {}, "measured", 3.5),  # the second one is still to be measured
        ("both", {}, "measured", 2.5),
        ("failed", {}, "failed", 0.5),
        ("failed", {"failed": "upper"}, "failed", 2.0),
        ("failed", {"failed": "nothing"}, "failed", 0.0),
        ("never ran", {}, "failed", 0.0),
        ("never ran", {"failed": "upper"}, "failed", 2.0),
        ("cancelled", {"failed": "upper"}, "cancelled", 0.0),
        ("cancelled", {"cancelled": "upper"}, "cancelled", 2.0),
    ],
)
def test_what_a_job_counts_for(
    life: str, rules: dict[str, str], phase: str, credits_: float
) -> None:
    (entry,) = entries(read(life), Counting(**rules))
    assert (entry.phase, entry.credits) == (phase, pytest.approx(credits_))
    assert (entry.experiment, entry.month, entry.executions) == ("ghz-pairs", "2026-11", 200)


@pytest.mark.parametrize(("rule", "credits_"), [("measured", 0.5), ("upper", 2.0)])
def test_what_a_failed_job_cost_stays_when_it_is_released(rule: str, credits_: float) -> None:
    (entry,) = entries(read("failed and released"), Counting(failed=rule))
    assert (entry.phase, entry.credits) == ("failed", credits_)


@pytest.mark.parametrize("life", ["rejected", "released"])
def test_what_was_never_at_a_server_costs_nothing(life: str) -> None:
    assert entries(read(life), Counting()) == []


def test_mocks_cost_nothing() -> None:
    assert entries(read("completed", stage="mock"), Counting()) == []


def test_a_name_may_hold_hyphens() -> None:
    assert experiment_of("a-b-20261123-120000-ff") == "a-b"


def test_spent_and_open_credits_are_told_apart() -> None:
    found = entries([*read("completed"), *read("submitted"), *read("unknown")], Counting())
    assert spent(found) == (pytest.approx(1.5), pytest.approx(4.0))
    assert of_experiment(found, "ghz-pairs", "https://resonance.iqm.tech") == []
    assert len(of_experiment(found, "ghz-pairs", "emulator")) == 3


@pytest.mark.parametrize(
    ("budget", "most", "upper", "refused"),
    [
        (None, None, 1e9, ""),
        (5.5, None, 2.0, ""),
        (5.4, None, 2.0, "beside 1.5 credits spent and up to 2 credits reserved"),
        (100.0, 1.9, 2.0, "--max-credits 1.9"),
        (100.0, 3.9, 2.0, "--max-credits 3.9"),
        (100.0, 4.0, 2.0, ""),
        (0.0, None, 0.1, "the budget of 0 credits"),
    ],
)
def test_a_purse(
    tmp_path: Path, budget: float | None, most: float | None, upper: float, refused: str
) -> None:
    store = Store(tmp_path)
    write(store, "1" * 64, "completed")
    write(store, "2" * 64, "submitted")
    write(store, "3" * 64, "submitted", realm="https://resonance.iqm.tech")
    write(store, "4" * 64, "submitted", run="other-20261123-120000-1a2b3c4d")
    purse = BudgetGuard(store, "ghz-pairs", "emulator", Limits(budget, most))
    if most is not None and most > 2:
        purse.own_attempts.add(("2" * 64, 1))
    if not refused:
        purse.require(upper)
        return
    with pytest.raises(Refused) as error:
        purse.require(upper)
    assert refused in error.value.message
    assert error.value.code == "refused.budget"
