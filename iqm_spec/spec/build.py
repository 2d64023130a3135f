"""A tree without mistakes to a `Spec`: defaults filled in, the top level's values handed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import AerOptions, Block, CircuitSpec, Mode, SourceKind, Spec, StageName
from iqm_spec.spec.analysis import completed_analysis
from iqm_spec.spec.circuit_rules import default_name, source_of
from iqm_spec.spec.experiment_rules import Targets
from iqm_spec.spec.meaning import meaning
from iqm_spec.spec.schema import defaults
from iqm_spec.sweep.parse import parse_blocks

Report = Callable[[Problem], None]


def build(
    tree: Mapping[str, Any],
    targets: Targets,
    report: Report,
    data: Mapping[TreePath, Json] | None = None,
) -> Spec | None:
    """The spec of a pruned `tree`, or None where it has no circuit that could be checked.

    `target` is None in it where it is missing or wrong. Mistakes in sweeps are given to `report`.
    `data` are the identities of the groups of a `zip` that came from data files, by their places.
    """
    given = {"name": "unnamed", **defaults(), **tree}
    target = _target(given.get("target"), ("target",), targets)
    entries = [(i, e) for i, e in enumerate(given.get("circuits", ())) if _usable(e)]
    if not entries:
        return None
    circuits = tuple(_circuit(i, entry, given, target, targets, report) for i, entry in entries)
    sweep = _blocks(given, (), report)
    aer = AerOptions(**{**defaults("aer"), **given["aer"]})
    calibration = given["calibration"].lower()
    mode = targets.mode or Mode(given["mode"])
    return Spec(
        name=given["name"],
        description=given["description"],
        target=target,
        mode=mode,
        stages=tuple(StageName(stage) for stage in given["stages"]),
        seed=given["seed"],
        circuits=circuits,
        sweep=sweep,
        aer=aer,
        calibration=calibration,
        require=given["require"],
        budget={**defaults("budget"), **given["budget"]},
        order=given["order"],
        analysis=completed_analysis(given.get("analysis", {})),
        readout_mitigation=given["readout_mitigation"],
        fail_fast=given["fail_fast"],
        executor={**defaults("executor"), **given["executor"]} if "executor" in given else {},
        architecture=given.get("architecture"),
        meaning=meaning(
            {**given, "mode": mode.value, "target": target, "calibration": calibration},
            aer,
            circuits,
            data or {},
        ),
    )


def _usable(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(source_of(entry))


def _circuit(
    index: int,
    entry: Mapping[str, Any],
    given: Mapping[str, Any],
    target: Json,
    targets: Targets,
    report: Report,
) -> CircuitSpec:
    path: TreePath = ("circuits", index)
    kind = source_of(entry)
    by_name = entry.get("parameters") == "by-name"
    return CircuitSpec(
        index=index,
        name=entry.get("name") or default_name(kind, entry[kind]),
        kind=SourceKind(kind),
        ref=entry[kind],
        args=entry.get("args", {}),
        parameters=None if by_name else entry.get("parameters"),
        by_name=by_name,
        shots=entry.get("shots", given["shots"]),
        repeat=1 if "every" in entry else entry.get("repeat", given["repeat"]),
        every=entry.get("every"),
        priority=entry.get("priority", 0),
        memory=entry.get("memory", given["memory"]),
        layout=entry.get("layout", given.get("layout")),
        transpile=_merged("transpile", given, entry),
        options=_merged("options", given, entry),
        target=_target(entry.get("target"), (*path, "target"), targets) or target,
        sweep=_blocks(entry, path, report),
    )


def _merged(section: str, given: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Json]:
    """Defaults, the top level's fields and the circuit's own, the last winning key by key."""
    return {**defaults(section), **given[section], **entry.get(section, {})}


def _target(text: Json, path: TreePath, targets: Targets) -> Json:
    ref = targets.refs.get(path)
    return ref.alias if ref else text


def _blocks(holder: Mapping[str, Any], path: TreePath, report: Report) -> tuple[Block, ...]:
    if "sweep" not in holder:
        return ()
    return parse_blocks(holder["sweep"], (*path, "sweep"), report)
