"""Stored JSON has types: what does not fit is reported with its place, and nothing is converted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.canonical import canonical
from iqm_spec.errors import StoreCorrupt
from iqm_spec.store import Store, verify
from iqm_spec.store.events import EVENTS, Estimate, EstimateRange, JobIntent, RunEnded
from iqm_spec.store.objects import FORMATS, Environment, StoredText
from iqm_spec.store.records import (
    HEADERS,
    RECORDS,
    AnalysesHeader,
    DerivedRecord,
    MeasuredRecord,
    PlanRecord,
    SimulatedRecord,
    TemplateRecord,
)
from iqm_spec.store.structure import MisfitError, structure, to_json

ARCHIVES = Path(__file__).parents[2] / "experiments" / "archives"
DIGEST = "ab" * 32

POINT = {
    "key": "00000000",
    "point": "a",
    "circuit": "ghz",
    "values": [["n", 3], ["theta", 0.5], ["layout", ["QB1", "QB2"]], ["on", True]],
    "repeat": 0,
    "shots": 10,
    "target": "garnet",
    "options": {"heralding": "none"},
    "ask": DIGEST,
    "native": DIGEST,
    "summary": {"qubits": 2, "depth": 3, "gates": {"cz": 1}},
}
TEMPLATE = {
    "key": DIGEST,
    "circuit": {
        "format": "iqm-spec/circuit/1",
        "components": ["QB1"],
        "registers": [["c", 1]],
        "ops": [["r", [0]], ["measure", [0], [], [0]]],
    },
}


def stored() -> Iterator[tuple[type[Any], dict[str, Any]]]:
    """Everything in the committed archives that has a class, with it."""
    for path in sorted([*ARCHIVES.glob("runs/*/*.json"), *ARCHIVES.glob("jobs/*/*.json")]):
        event = json.loads(path.read_bytes())
        yield EVENTS[path.parts[-3], event["kind"]], event["fields"]
    for path in sorted(ARCHIVES.glob("objects/*/*.json")):
        value = json.loads(path.read_bytes())
        if value.get("format") in FORMATS:
            yield FORMATS[value.pop("format")], value
    for path in sorted(ARCHIVES.glob("objects/*/*.jsonl")):
        header, *lines = map(json.loads, path.read_bytes().splitlines())
        kind = header.pop("format").split("/")[1]
        if kind in HEADERS:
            yield HEADERS[kind], header
        yield from ((RECORDS[kind], line) for line in lines)


def test_everything_stored_comes_back_byte_for_byte() -> None:
    seen = set()
    for of, value in stored():
        if of is not TemplateRecord:  # written by `NativeCircuit.to_json`
            assert canonical(to_json(structure(value, of))) == canonical(value)
            seen.add(of)
    assert len(seen) >= 20


@pytest.mark.parametrize(
    ("of", "value", "path"),
    [
        (PlanRecord, {**POINT, "shots": 10.0}, "shots"),
        (PlanRecord, {**POINT, "shots": True}, "shots"),
        (PlanRecord, {**POINT, "shots": -1}, "shots"),
        (PlanRecord, {**POINT, "ask": DIGEST.upper()}, "ask"),
        (PlanRecord, {**POINT, "ask": DIGEST + "\n"}, "ask"),
        (PlanRecord, {**POINT, "values": [["n"]]}, "values[0]"),
        (PlanRecord, {**POINT, "values": [["n", {}]]}, "values[0][1]"),
        (PlanRecord, {**POINT, "summary": {"qubits": 1, "depth": "x"}}, "summary.depth"),
        (PlanRecord, {key: POINT[key] for key in POINT if key != "target"}, "target"),
        (PlanRecord, [], ""),
        (TemplateRecord, {**TEMPLATE, "circuit": {}}, "circuit.format"),
        (Environment, {"versions": {}, "platform": {"machine": "x"}}, "platform.system"),
        (AnalysesHeader, {"plan": DIGEST, "analysis": {"distances": 3}}, "analysis"),
        (RunEnded, {"stages": [{"stage": "aer"}]}, "stages[0].status"),
        (JobIntent, {"attempt": "first"}, "attempt"),
    ],
)  # fmt: skip
def test_a_misfit_has_a_place(of: type[Any], value: Any, path: str) -> None:
    with pytest.raises(MisfitError) as error:
        structure(value, of)
    assert error.value.path == path


@pytest.mark.parametrize("op", [["r"], ["r", [-1]], ["r", [0], [], [], []], ["r", [0], ["x"]]])
def test_instructions_are_checked(op: list[Any]) -> None:
    circuit = {**TEMPLATE["circuit"], "ops": [op]}  # type: ignore[dict-item]
    with pytest.raises(MisfitError, match="ops"):
        structure({**TEMPLATE, "circuit": circuit}, TemplateRecord)


@pytest.mark.parametrize("counts", [{"00 1": 3, "11 0": 0}, {}, {"": 4}])
def test_counts_are_bitstrings_of_one_length(counts: dict[str, int]) -> None:
    record = structure({"key": "k", "counts": counts, "shots_returned": 3}, SimulatedRecord)
    assert record.counts is counts


@pytest.mark.parametrize(
    "counts",
    [{"0": 1, "00": 1}, {"2": 1}, {"0": -1}, {"0": 1.0}, {"0": True}, {"0": "1"}, [], None],
)
def test_what_counts_are_not(counts: Any) -> None:
    with pytest.raises(MisfitError) as error:
        structure({"key": "k", "counts": counts, "shots_returned": 3}, MeasuredRecord)
    assert error.value.path == "counts"


def test_numbers_keep_their_type() -> None:
    point = structure({**POINT, "priority": 1}, PlanRecord)
    assert repr(point.priority) == "1"
    assert repr(structure({**POINT, "priority": 1.0}, PlanRecord).priority) == "1.0"
    assert repr(dict(point.values)) == (
        "{'n': 3, 'theta': 0.5, 'layout': ('QB1', 'QB2'), 'on': True}"
    )
    derived = {"key": "k", "ideal": {"0": 1, "1": 0.0}, "comparison": None}
    assert repr(structure(derived, DerivedRecord).ideal) == "{'0': 1, '1': 0.0}"


def test_a_range_rises() -> None:
    with pytest.raises(MisfitError, match="not a range"):
        structure({"credits": {"low": 2, "expected": 1, "high": 3}}, Estimate)
    assert EstimateRange(1, 1, 1).high == 1


def test_fields_of_a_version_to_come_are_ignored() -> None:
    assert structure({"text": "x", "more": [1]}, StoredText) == StoredText("x")


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"key": "k", "counts": {"0": "many"}, "shots_returned": 1}, "`counts` has counts that"),
        ({"key": "k", "counts": {"0": 1}}, "`shots_returned` is missing"),
        ({"key": "k", "counts": None, "shots_returned": 1}, "`counts` is no JSON object"),
    ],
)
def test_a_record_of_another_shape_is_reported_wherever_it_is_read(
    record: dict[str, Any], what: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    pack = store.put_pack("aer-records", {}, [record])
    with pytest.raises(StoreCorrupt, match=what):
        store.find("aer-records", ["k"])
    with pytest.raises(StoreCorrupt, match=what):
        list(store.read_pack(pack).records)
    (problem,) = verify(store).problems
    assert problem.code == "shape"
    assert problem.message.startswith(f"line 2: {what}")


def test_records_of_an_unknown_kind_are_plain_json(tmp_path: Path) -> None:
    store = Store(tmp_path)
    pack = store.put_pack("of-a-version-to-come", {"n": 1}, [{"key": "k", "more": 2}])
    assert store.find("of-a-version-to-come", ["k"])["k"].record == {"key": "k", "more": 2}
    assert store.read_pack(pack).header == {"n": 1}
    store.job("a" * 64).append("of-a-version-to-come", {"shots": "many"})
    (event,) = store.job("a" * 64).events()
    assert (event.data, event.fields) == (None, {"shots": "many"})
    assert verify(store).ok


def test_an_event_and_an_object_of_another_shape_are_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.job("a" * 64).append("submitted", {"attempt": "one", "id": "x"})
    with pytest.raises(StoreCorrupt, match=r"-submitted-.*`attempt` is not what it must be"):
        store.job("a" * 64).events()
    inputs = store.put_json({"format": "iqm-spec/inputs/1", "architectures": [], "profiles": {}})
    with pytest.raises(StoreCorrupt, match=rf"{inputs}.*`architectures` is not what it must be"):
        store.get_json(inputs)
    assert {item.code for item in verify(store).problems} == {"shape"}


def test_another_kind_or_format_than_expected_is_corrupt(tmp_path: Path) -> None:
    store = Store(tmp_path)
    pack = store.put_pack("aer-records", {}, [])
    with pytest.raises(StoreCorrupt, match="is a pack of the kind aer-records, not plan"):
        store.read_pack(pack, "plan")
    text = store.put(StoredText("x"))
    assert store.get(text, StoredText) == StoredText("x")
    with pytest.raises(StoreCorrupt, match="it is no iqm-spec/environment/1"):
        store.get(text, Environment)
