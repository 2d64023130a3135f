"""A tree without mistakes to a `Spec`: defaults filled in, values of the top level handed down.

`prune` takes the bad parts out of a tree first, so that the rest of a wrong spec is checked in the
same run. `spec_meaning` is the JSON that the digest of a spec is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict

from iqm_spec.diagnostics import TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import (
    AerOptions,
    Block,
    CircuitSpec,
    LayoutChoice,
    Mode,
    SourceKind,
    Spec,
    StageName,
)
from iqm_spec.spec.field_rules import default_name, source_of
from iqm_spec.spec.schema import SECTIONS, Fields, analyses_with_defaults, field_defaults
from iqm_spec.spec.sweep_blocks import ReportProblem, parse_blocks
from iqm_spec.spec.targets import SpecTargets


def build_spec(
    tree: Fields,
    targets: SpecTargets,
    report: ReportProblem,
    data: Mapping[TreePath, Json] | None = None,
) -> Spec | None:
    """The spec of a pruned `tree`, or None where it has no circuit that could be checked.

    `target` is None in it where it is missing or wrong. Mistakes in sweeps are given to `report`.
    `data` are the identities of the groups of a `zip` that came from data files, by their places.
    """
    fields = {"name": "unnamed", **field_defaults(), **tree}
    target = _target(fields.get("target"), ("target",), targets)
    entries = [(i, e) for i, e in enumerate(fields.get("circuits", ())) if e and source_of(e)]
    if not entries:
        return None
    circuits = tuple(_circuit(i, entry, fields, target, targets, report) for i, entry in entries)
    sweep = _blocks(fields, (), report)
    aer = AerOptions(**{**field_defaults("aer"), **fields["aer"]})
    calibration = fields["calibration"].lower()
    mode = targets.mode or Mode(fields["mode"])
    return Spec(
        name=fields["name"],
        description=fields["description"],
        target=target,
        mode=mode,
        stages=tuple(StageName(stage) for stage in fields["stages"]),
        seed=fields["seed"],
        circuits=circuits,
        sweep=sweep,
        aer=aer,
        calibration=calibration,
        require=fields["require"],
        budget={**field_defaults("budget"), **fields["budget"]},
        order=fields["order"],
        analysis=analyses_with_defaults(fields.get("analysis", {})),
        readout_mitigation=fields["readout_mitigation"],
        fail_fast=fields["fail_fast"],
        executor={**field_defaults("executor"), **fields["executor"]}
        if "executor" in fields
        else {},
        architecture=fields.get("architecture"),
        avoid=tuple(fields.get("avoid", ())),
        region=tuple(fields.get("region", ())),
        meaning=spec_meaning(
            {**fields, "mode": mode.value, "target": target, "calibration": calibration},
            aer,
            circuits,
            data or {},
        ),
    )


def _circuit(
    index: int,
    entry: Fields,
    defaults: Fields,
    target: Json,
    targets: SpecTargets,
    report: ReportProblem,
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
        shots=entry.get("shots", defaults["shots"]),
        repeat=1 if "every" in entry else entry.get("repeat", defaults["repeat"]),
        every=entry.get("every"),
        priority=entry.get("priority", 0),
        memory=entry.get("memory", defaults["memory"]),
        layout=entry.get("layout", defaults.get("layout")),
        transpile=_merged("transpile", defaults, entry),
        options=_merged("options", defaults, entry),
        target=_target(entry.get("target"), (*path, "target"), targets) or target,
        sweep=_blocks(entry, path, report),
    )


def _merged(section: str, defaults: Fields, entry: Fields) -> dict[str, Json]:
    """Defaults, the top level's fields and the circuit's own, the last winning key by key."""
    return {**field_defaults(section), **defaults[section], **entry.get(section, {})}


def _target(text: Json, path: TreePath, targets: SpecTargets) -> Json:
    ref = targets.refs.get(path)
    return ref.alias if ref else text


def _blocks(holder: Fields, path: TreePath, report: ReportProblem) -> tuple[Block, ...]:
    if "sweep" not in holder:
        return ()
    return parse_blocks(holder["sweep"], (*path, "sweep"), report)


# --- the meaning of a spec -----------------------------------------------------------------------

_MEANING_FIELDS = ("name", "target", "mode", "stages", "seed", "calibration", "require", "order")
_CIRCUIT_MEANING_FIELDS = (
    "name",
    "args",
    "shots",
    "repeat",
    "layout",
    "transpile",
    "options",
    "target",
)


def spec_meaning(
    given: Fields,
    aer: AerOptions,
    circuits: Sequence[CircuitSpec],
    data: Mapping[TreePath, Json],
) -> dict[str, Json]:
    """The meaning of a spec whose fields, with every default, are `given`: what its digest is of.

    Left out are `description`, `analysis`, `budget`, `fail_fast` and `executor`, which change no
    result.
    A group of a `zip` that came from a data file stands as `data` has it: by the file's sha256.
    """
    entries = given["circuits"]
    return {
        "iqm_spec": 1,
        **{name: given[name] for name in _MEANING_FIELDS},
        "architecture": given.get("architecture"),
        "aer": {name: value for name, value in asdict(aer).items() if value is not None},
        "sweep": _sweep_meaning(given, ("sweep",), data),
        **({"readout_mitigation": True} if given.get("readout_mitigation") else {}),
        **{name: sorted(given[name]) for name in ("avoid", "region") if given.get(name)},
        "circuits": [_circuit_meaning(entry, entries[entry.index], data) for entry in circuits],
    }


def _circuit_meaning(
    circuit: CircuitSpec, entry: Fields, data: Mapping[TreePath, Json]
) -> dict[str, Json]:
    return {
        circuit.kind.value: circuit.ref,
        **{name: getattr(circuit, name) for name in _CIRCUIT_MEANING_FIELDS},
        "layout": None if circuit.layout == LayoutChoice.BEST else circuit.layout,
        "parameters": "by-name" if circuit.by_name else circuit.parameters,
        "sweep": _sweep_meaning(entry, (*circuit.path, "sweep"), data),
        **({} if circuit.every is None else {"every": circuit.every}),
        **({"priority": circuit.priority} if circuit.priority else {}),
        **({"memory": True} if circuit.memory else {}),
    }


def _sweep_meaning(holder: Fields, path: TreePath, data: Mapping[TreePath, Json]) -> list[Json]:
    """Blocks, less the priority that they would have without a word of it."""
    return [
        {
            name: [data.get((*path, i, "zip", g), group) for g, group in enumerate(value)]
            if name == "zip"
            else value
            for name, value in block.items()
            if name != "priority" or value
        }
        for i, block in enumerate(holder.get("sweep", ()))
    ]


# --- bad parts -----------------------------------------------------------------------------------


def prune(tree: Mapping[str, Json], bad: Iterable[TreePath]) -> dict[str, Any]:
    """A copy of `tree` without the fields that hold the `bad` paths.

    Values of a sweep go one by one; entries of `circuits` become None, so that the others keep
    their places.
    """
    pruned = dict(tree)
    for path in sorted({_field_of(path) for path in bad if path}, key=_backwards, reverse=True):
        _remove(pruned, path)
    return pruned


def _field_of(path: TreePath) -> TreePath:
    """The field to leave out for a mistake at `path`."""
    if path[0] == "circuits" and len(path) > 2:
        return path[:2] + _field_of(path[2:])
    if path[0] in ("circuits", "sweep"):
        return path
    return path[: 2 if path[0] in SECTIONS else 1]


def _backwards(path: TreePath) -> tuple[tuple[bool, int, str], ...]:
    """Sorts list positions as numbers, so that later items go before earlier ones."""
    return tuple(
        (isinstance(step, int), step if isinstance(step, int) else 0, str(step)) for step in path
    )


def _remove(tree: dict[str, Any], path: TreePath) -> None:
    """Take `path` out of `tree`, copying the containers on the way."""
    container: Any = tree
    for step in path[:-1]:
        try:
            child = container[step]
        except (KeyError, IndexError, TypeError):
            return
        if not isinstance(child, dict | list):
            return
        container[step] = child.copy()
        container = container[step]
    last = path[-1]
    if isinstance(container, list) and isinstance(last, int) and last < len(container):
        if path[0] == "circuits" and len(path) == 2:
            container[last] = None
        else:
            del container[last]
    elif isinstance(container, dict):
        container.pop(str(last), None)
