"""Calibration sets: every form of observation, what is missing, what moved, what a folder keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from iqm_spec.calibration.calibration_set import CalibrationSet, Figure
from iqm_spec.calibration.compare import compare
from iqm_spec.calibration.stored import (
    keep_as_newest,
    keep_calibration_set,
    newest_calibration_set,
    stored_calibration_set,
)
from iqm_spec.store import Store
from iqm_spec.targets import architecture_from_json

LISTED = {
    "calibration_set_id": "8f0b7c1e-0000-4000-8000-000000000001",
    "qubits": ["QB1", "QB2"],
    "computational_resonators": [],
    "gates": {
        "prx": {
            "implementations": {"drag": {"loci": [["QB1"], ["QB2"]]}},
            "default_implementation": "drag",
        },
        "measure": {"implementations": {"constant": {"loci": [["QB1"], ["QB2"]]}}},
        "cz": {
            "implementations": {
                "slepian": {"loci": [["QB1", "QB2"]]},
                "tgss": {"loci": [["QB1", "QB2"]]},
            },
            "default_implementation": "slepian",
            "override_default_implementation": {"QB1,QB2": "tgss"},
        },
    },
}

Item = tuple[str, Any] | tuple[str, Any, dict[str, Any]]


def metrics(*items: Item) -> dict[str, Any]:
    return {
        "end_timestamp": "2026-11-02T03:04:05+00:00",
        "observations": [
            {"dut_field": item[0], "value": item[1], **(item[2] if len(item) > 2 else {})}
            for item in items
        ],
    }


def a_set(*items: Item, listed: Any = LISTED) -> CalibrationSet:
    machine = architecture_from_json(listed, "garnet")
    return CalibrationSet(
        "garnet", str(listed["calibration_set_id"]), machine, metrics(*items), None, listed
    )


@pytest.mark.parametrize(
    ("item", "place", "quantity"),
    [
        (("characterization.model.QB1.t1_time", 3e-5), "QB1", "t1"),
        (("characterization.model.QB1.t2_time", 1e-5), "QB1", "t2"),
        (("characterization.model.QB1.t2_echo_time", 2e-5), "QB1", "t2_echo"),
        (("metrics.rb.prx.drag.QB1.fidelity:par=d2", 0.99), "QB1", "prx_fidelity"),
        (("metrics.rb.prx.drag.QB1.fidelity", 0.99), "QB1", "prx_fidelity"),
        (("metrics.ssro.measure.constant.QB2.error_0_to_1", 0.02), "QB2", "readout_error_0"),
        (("metrics.ssro.measure.constant.QB2.error_1_to_0", 0.03), "QB2", "readout_error_1"),
        (("metrics.ssro.measure.constant.QB2.fidelity", 0.97), "QB2", "readout_fidelity"),
    ],
)
def test_figures_of_qubits(item: Item, place: str, quantity: str) -> None:
    assert a_set(item).qubits[place] == {quantity: Figure(item[1])}


@pytest.mark.parametrize("locus", ["QB1__QB2", "QB2__QB1"])
def test_figures_of_couplings(locus: str) -> None:
    found = a_set((f"metrics.irb.cz.tgss.{locus}.fidelity", 0.98, {"uncertainty": 0.001}))
    assert found.couplings == {("QB1", "QB2"): {"cz_fidelity": Figure(0.98, 0.001)}}


def test_the_implementation_that_circuits_use_counts() -> None:
    items: list[Item] = [
        ("metrics.irb.cz.slepian.QB1__QB2.fidelity", 0.91),
        ("metrics.irb.cz.tgss.QB1__QB2.fidelity", 0.99),
    ]
    assert a_set(*items).couplings["QB1", "QB2"]["cz_fidelity"].value == 0.99
    cz = LISTED["gates"]["cz"]  # type: ignore[index]
    plain = {**LISTED, "gates": {**LISTED["gates"], "cz": {**cz}}}  # type: ignore[dict-item]
    del plain["gates"]["cz"]["override_default_implementation"]  # type: ignore[index]
    assert a_set(*items, listed=plain).couplings["QB1", "QB2"]["cz_fidelity"].value == 0.91


def test_what_is_missing_and_what_is_invalid() -> None:
    found = a_set(
        ("characterization.model.QB1.t1_time", 3e-5),
        ("characterization.model.QB2.t1_time", 3e-5, {"invalid": True}),
        ("metrics.rb.prx.drag.QB1.fidelity", float("nan")),
        ("metrics.rb.prx.drag.QB2.fidelity", None),
        ("metrics.rb.prx.drag.QB2.fidelity", 0.99),
        ("somewhere.else", 1.0),
    )
    assert found.invalid == ("t1 of QB2", "prx_fidelity of QB1", "prx_fidelity of QB2")
    assert "t1 of QB1" not in found.missing
    assert {"t1 of QB2", "prx_fidelity of QB1", "cz_fidelity of QB1-QB2"} <= set(found.missing)
    assert "t2_echo of QB1" not in found.missing, "few servers give it"
    assert found.qubits["QB2"]["prx_fidelity"].value == 0.99


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"end_timestamp": "2026-11-02T03:04:05Z"}, "2026-11-02T03:04:05+00:00"),
        (
            {"end_timestamp": None, "created_timestamp": "2026-11-02T03:04:05"},
            "2026-11-02T03:04:05+00:00",
        ),
        ({"end_timestamp": "yesterday"}, None),
        ([], None),
    ],
)
def test_when_it_was_measured(data: Any, expected: str | None) -> None:
    when = evolve(a_set(), metrics=data).calibrated_at
    assert (when and when.isoformat()) == expected


def test_what_moved() -> None:
    before = a_set(
        ("characterization.model.QB1.t1_time", 3e-5, {"uncertainty": 1e-6}),
        ("characterization.model.QB2.t1_time", 3e-5, {"uncertainty": 1e-6}),
        ("metrics.irb.cz.tgss.QB1__QB2.fidelity", 0.99, {"uncertainty": 0.001}),
        ("metrics.rb.prx.drag.QB1.fidelity", 0.999),
    )
    after = a_set(
        ("characterization.model.QB1.t1_time", 3.1e-5, {"uncertainty": 1e-6}),
        ("characterization.model.QB2.t1_time", 3e-5, {"uncertainty": 1e-6}),
        ("metrics.irb.cz.tgss.QB2__QB1.fidelity", 0.97, {"uncertainty": 0.001}),
        ("metrics.rb.prx.drag.QB1.fidelity", 0.998),
    )
    found = compare(before, after)
    assert found.num_compared == 4
    cz, prx, t1 = found.changes
    assert (cz.place, cz.quantity, cz.is_significant) == ("QB1-QB2", "cz_fidelity", True)
    assert cz.factor == pytest.approx(3)
    assert cz.standard_errors == pytest.approx(0.02 / 2**0.5 / 0.001)
    assert (prx.quantity, prx.standard_errors, prx.is_significant) == ("prx_fidelity", None, True)
    assert (t1.place, t1.is_significant) == ("QB1", False)
    assert not compare(after, after).changes


def test_a_folder_keeps_sets_and_knows_the_newest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = a_set(("characterization.model.QB1.t1_time", 3e-5)), a_set()
    second = evolve(second, id="8f0b7c1e-0000-4000-8000-000000000002")
    assert newest_calibration_set(store, "here", "garnet") is None
    keep_as_newest(store, "here", first)
    keep_calibration_set(store, "here", second)
    newest = newest_calibration_set(store, "here", "garnet")
    assert newest is not None
    assert (newest.id, newest.qubits, newest.couplings) == (first.id, first.qubits, first.couplings)
    again = stored_calibration_set(store, "here", "garnet", second.id)
    assert again is not None
    assert again.id == second.id
    assert stored_calibration_set(store, "elsewhere", "garnet", second.id) is None
    keep_as_newest(store, "here", second)
    keep_as_newest(store, "here", first)  # a server may go back
    newest = newest_calibration_set(store, "here", "garnet")
    assert newest is not None
    assert newest.id == first.id
