"""Prices and time models: the best source that there is, and every assumption told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iqm_spec.cost.estimate import JobToPrice
from iqm_spec.cost.job_shape import uniform_job
from iqm_spec.stages.server.tariff import CostOptions, PriceSources, tariff_of, timings_of
from iqm_spec.store import Store
from tests.journals import append

REALM = "https://resonance.iqm.tech"


def measured(store: Store, number: int, **changes: Any) -> None:
    """A job of the folder that was completed."""
    journal = store.job(f"{number:064x}")
    journal.claim("claimed", 1)
    shape = uniform_job(3, 10, number + 1, 100)
    intent: dict[str, Any] = {
        "realm": REALM,
        "at": f"2026-11-{number + 1:02d}T12:00:00Z",
        "shape": shape.to_json(),
        "conditions": "plain",
        "estimate": {"price_per_second": 0.4 + number / 100, "price_from": "server"},
    }
    append(journal, "intent", **{**intent, **changes})
    append(journal, "submitted", id="x")
    seconds = 0.5 + 0.05 * shape.circuits
    append(journal, "completed", id="x", qpu_seconds=seconds)


@pytest.mark.parametrize(
    ("sources", "known", "price", "kind"),
    [
        (PriceSources(0.7, 0.5, {"garnet": 0.2}), 1, 0.7, "given"),
        (PriceSources(None, 0.5, {"garnet": 0.2}), 1, 0.5, "spec"),
        (PriceSources(0.0, 0.5, {"garnet": 0.2}), 1, 0.0, "given"),
        (PriceSources(None, None, {"garnet": 0.2}), 1, 0.2, "server"),
        (PriceSources(None, None, {"emerald": 0.2}), 2, 0.41, "kept"),
        (PriceSources(), 0, 0.3, "published"),
    ],
)
def test_the_price_comes_from_the_best_source(
    tmp_path: Path, sources: PriceSources, known: int, price: float, kind: str
) -> None:
    store = Store(tmp_path)
    for number in range(known):
        measured(store, number)
    tariff = tariff_of(["garnet"], REALM, store, CostOptions(), sources)
    found = tariff.prices["garnet"]
    assert (found.per_second, found.kind) == (pytest.approx(price), kind)
    assert bool(found.date) == (kind in ("kept", "published", "server"))
    cost = tariff.cost(JobToPrice("garnet", uniform_job(3, 10, 2, 100)))
    assert cost.credits.high == pytest.approx(price * cost.seconds.high)
    assert cost.price_from == kind


def test_a_price_of_another_server_or_machine_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    measured(store, 0, realm="emulator")
    measured(store, 1, computer="emerald")
    measured(store, 2, estimate={"price_per_second": 9.0, "price_from": "given"})
    tariff = tariff_of(["garnet"], REALM, store, CostOptions(), PriceSources())
    assert tariff.prices["garnet"].kind == "published"


def test_from_five_jobs_on_the_folder_speaks(tmp_path: Path) -> None:
    store = Store(tmp_path)
    job = JobToPrice("garnet", uniform_job(3, 10, 5, 100))
    bases = []
    for number in range(6):
        measured(store, number)
        tariff = tariff_of(["garnet"], REALM, store, CostOptions(), PriceSources())
        bases.append(tariff.cost(job).basis)
    assert bases == ["published"] * 4 + ["measured"] * 2
    assert tariff.cost(job).seconds.expected == pytest.approx(0.75, rel=0.1)
    assert any("fitted to 6 jobs" in one.value for one in tariff.assumptions)
    other = tariff_of(["emerald"], REALM, store, CostOptions(), PriceSources())
    assert other.cost(JobToPrice("emerald", job.shape)).basis == "published"


def test_measured_jobs_are_apart_by_machine_server_and_conditions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    measured(store, 0)
    measured(store, 1, computer="emerald")
    measured(store, 2, realm="emulator", emulated=True)
    measured(store, 3, conditions="heralding")
    measured(store, 4, stage="mock")
    found = {(one.computer, one.server_id, one.conditions): one for one in timings_of(store)}
    assert set(found) == {
        ("garnet", REALM, "plain"),
        ("emerald", REALM, "plain"),
        ("garnet", "emulator", "plain"),
        ("garnet", REALM, "heralding"),
    }
    assert all(len(one.timings) == 1 for one in found.values())
    assert [one.computer for one in timings_of(store, computer="emerald")] == ["emerald"]


def test_machines_of_which_the_same_is_assumed_share_a_line(tmp_path: Path) -> None:
    machines = ["garnet", "sirius"]
    tariff = tariff_of(machines, None, Store(tmp_path), CostOptions(), PriceSources())
    names = [one.name for one in tariff.assumptions]
    assert names == [
        "price per second of garnet, sirius",
        "time model of garnet",
        "time model of sirius",
    ]
