"""Rules between fields: targets with modes and stages, orders, options that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import Mode, StageName
from iqm_spec.spec.targets import TargetError, TargetRef, parse_target
from iqm_spec.spec.words import quoted

_STAGES = tuple(stage.value for stage in StageName)
_SAMPLED = "move_gate_validation"


@frozen
class Targets:
    """The targets of a spec that could be read, by where they stand, and the mode they imply."""

    refs: Mapping[TreePath, TargetRef]
    mode: Mode | None


def read_targets(tree: Mapping[str, Any]) -> tuple[Targets, list[Problem]]:
    """Every literal target of `tree` as it is meant, and those that cannot be."""
    refs: dict[TreePath, TargetRef] = {}
    problems: list[Problem] = []
    for path, text in _target_texts(tree):
        try:
            refs[path] = parse_target(text)
        except TargetError as error:
            problems.append(Problem(path, "S505", f"`target`: {error.message}", error.hint))
    top = refs.get(("target",))
    mode = tree.get("mode") or (top.mode if top else None)
    targets = Targets(refs, Mode(mode) if mode in tuple(Mode) else None)
    return targets, problems


def experiment_problems(tree: Mapping[str, Any], targets: Targets) -> Iterator[Problem]:
    """What fields of `tree` say against each other."""
    for path, ref in targets.refs.items():
        yield from _target_problems(path, ref, tree, targets.mode)
    yield from _stage_order(tree.get("stages"))
    yield from _requirement_problems(tree)
    yield from _method_problems(tree)
    for path, holder in _holders(tree):
        yield from _layout_problems(holder.get("layout"), (*path, "layout"))
        yield from _frame_problems(holder.get("options"), (*path, "options"))


def _target_texts(tree: Mapping[str, Any]) -> Iterator[tuple[TreePath, str]]:
    for path, holder in _holders(tree):
        text = holder.get("target")
        if isinstance(text, str) and text and "${" not in text:
            yield (*path, "target"), text


def _holders(tree: Mapping[str, Any]) -> Iterator[tuple[TreePath, Mapping[str, Any]]]:
    """The spec itself and its circuits: both hold targets, layouts and options."""
    yield (), tree
    circuits = tree.get("circuits")
    for index, entry in enumerate(circuits if isinstance(circuits, list) else ()):
        if isinstance(entry, dict):
            yield ("circuits", index), entry


def _target_problems(
    path: TreePath, ref: TargetRef, tree: Mapping[str, Any], mode: Mode | None
) -> Iterator[Problem]:
    if ref.mode is Mode.TIMESLOT and mode is not Mode.TIMESLOT:
        if tree.get("mode"):
            message = f"`:timeslot` means `mode: timeslot`, but `mode` is {mode}"
        else:
            message = "one mode holds for the whole spec, and this circuit's target names another"
        hint = "write `mode: timeslot` at the top, and the target without `:timeslot`"
        yield Problem(path, "S505", message, hint)
    stages = tree.get("stages")
    if ref.mock and isinstance(stages, list) and StageName.HARDWARE.value in stages:
        message = "a `:mock` target has no hardware, but `stages` names it"
        hint = f"write `target: {ref.alias}`; the mock stage uses its mock by itself"
        yield Problem(path, "S505", message, hint)


def _stage_order(stages: Json) -> Iterator[Problem]:
    if not isinstance(stages, list) or not all(stage in _STAGES for stage in stages):
        return
    ordered = sorted(set(stages), key=_STAGES.index)
    if len(ordered) == len(stages) and ordered != stages:
        hint = f"write [{', '.join(ordered)}]"
        yield Problem(("stages",), "S204", "`stages` run in the order aer, mock, hardware", hint)


def _requirement_problems(tree: Mapping[str, Any]) -> Iterator[Problem]:
    """A requirement of a stage that is never reached is not kept; a mock's waiver is hardware's."""
    stages, require = _stages(tree), tree.get("require")
    if not stages or not isinstance(require, dict):
        return
    needed = {"aer": {"aer"}, "mock": {"mock", "hardware"}}
    for stage in (stage for stage in require if stage in needed):
        if not needed[stage] & stages:
            message = f"`require` names the stage {stage}, which `stages` lacks"
            hint = f"add `{stage}` to `stages`, or remove the requirement"
            yield Problem(("require", stage), "S206", message, hint, on_key=True)


def _method_problems(tree: Mapping[str, Any]) -> Iterator[Problem]:
    """What no circuit can be simulated by, whatever it holds."""
    aer = tree.get("aer")
    if not isinstance(aer, dict) or StageName.AER.value not in _stages(tree):
        return
    if aer.get("method") == "stabilizer" and aer.get("noise", "device") != "ideal":
        message = "the stabilizer method cannot simulate noise: relaxation is not a Pauli error"
        hint = "add `noise: ideal`, or leave `method` out to have one chosen"
        yield Problem(("aer", "method"), "S206", message, hint)


def _stages(tree: Mapping[str, Any]) -> set[str]:
    """The stages of the spec; none where something is wrong with them."""
    stages = tree.get("stages", [StageName.AER.value])
    sound = isinstance(stages, list) and all(stage in _STAGES for stage in stages)
    return set(stages) if sound else set()


def _layout_problems(layout: Json, path: TreePath) -> Iterator[Problem]:
    if not isinstance(layout, list):
        return
    seen: dict[str, int] = {}
    for index, name in enumerate(layout):
        if isinstance(name, str) and "${" not in name and seen.setdefault(name, index) != index:
            message = f"{quoted(name)} stands for qubits {seen[name]} and {index} of the circuit"
            yield Problem((*path, index), "S504", message, "each component takes one qubit")


def _frame_problems(options: Json, path: TreePath) -> Iterator[Problem]:
    """IQM's own rule (iqm-client, CircuitCompilationOptions)."""
    if not isinstance(options, dict) or options.get(_SAMPLED) != "none":
        return
    if options.get("move_gate_frame_tracking", "full") == "full":
        message = "without MOVE gate validation the server cannot track frames fully"
        hint = "add `move_gate_frame_tracking: none` or `no_detuning_correction`"
        yield Problem((*path, _SAMPLED), "S206", message, hint)
