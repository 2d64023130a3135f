"""Analyses that a spec declares: the circuits and axes that they name are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iqm_spec.diagnostics import Problem, TreePath, nearest
from iqm_spec.model import SourceKind, Spec
from iqm_spec.source.source import path_exists
from iqm_spec.spec.reporter import Reporter
from iqm_spec.spec.schema import Fields
from iqm_spec.spec.sweep_points import CircuitPoints

_CIRCUIT_FIELDS = ("populations", "parity")
_CIRCUIT_LISTS = ("circuits", "t1", "ramsey", "echo")
_AXIS_FIELDS = ("phase", "against", "basis", "delay")
_AXIS_LISTS = ("over",)


def check_analysis(spec: Spec, circuits: Sequence[CircuitPoints], report: Reporter) -> None:
    """Report S312 for names that stand for nothing, S206 for strings that no shot can tell."""
    for circuit_spec in spec.circuits if spec.readout_mitigation else ():
        if circuit_spec.name in ("readout_zeros", "readout_ones"):
            text = f"`{circuit_spec.name}` is the name of a circuit that `readout_mitigation` adds"
            report(Problem(circuit_spec.path, "S410", text, "give it another `name`"))
    axes = {points.circuit.name: set(points.axes) for points in circuits}
    names = [circuit.name for circuit in spec.circuits]
    for name, options in spec.analysis.items():
        path: TreePath = ("analysis", name)
        known = list(_names(path, options, _CIRCUIT_LISTS, _CIRCUIT_FIELDS))
        if name == "coherence":
            known = _coherence_circuits(path, known, names, report)
        for where, circuit in known:
            if circuit not in names:
                hint = nearest(circuit, names) or f"its circuits are {', '.join(names)}"
                text = f"no circuit is called `{circuit}`"
                if not path_exists(report.source.tree, where):
                    text += f", the one that `{name}` analyses where none is named"
                    hint = f"name one by `{where[2]}`; {hint}"
                _report(report, where, text, hint)
        analysed = [circuit for _, circuit in known] or names
        named = [axes[circuit] for circuit in analysed if circuit in axes]
        for where, axis in _names(path, options, _AXIS_LISTS, _AXIS_FIELDS):
            if len(named) == len(analysed) > 0 and not any(
                axis in used_axes for used_axes in named
            ):
                hint = nearest(axis, sorted(set().union(*named)))
                others = [name for name, used in axes.items() if axis in used]
                if others and not hint:
                    hint = f"the axis is used by {', '.join(others)}: name it under `circuits`"
                text = f"none of its circuits uses an axis `{axis}`"
                if not path_exists(report.source.tree, where):
                    text += f", the one that `{name}` takes where none is named"
                    hint = f"name one by `{where[2]}`; {hint}" if hint else f"set `{where[2]}`"
                _report(report, where, text, hint)
        if name == "logical_error":
            _check_logical(path, options, spec, report)
        if name == "expectation":
            _check_observables(path, options, report)


def _coherence_circuits(
    path: TreePath, known: Sequence[tuple[TreePath, str]], names: Sequence[str], report: Reporter
) -> list[tuple[TreePath, str]]:
    """The circuits that are named, and of those that none names the ones that there are."""
    chosen = [
        (where, circuit)
        for where, circuit in known
        if circuit in names or path_exists(report.source.tree, where)
    ]
    if not chosen:
        text = "`coherence` analyses T1, Ramsey and echo experiments, and it names none"
        hint = f"name circuits by `t1`, `ramsey` or `echo`; its circuits are {', '.join(names)}"
        report(Problem(path, "S312", text, hint))
    return chosen


def _check_logical(path: TreePath, options: Fields, spec: Spec, report: Reporter) -> None:
    """Decoded are shots, kept one by one, of circuits that have detectors."""
    named = options.get("circuits")
    chosen = [
        circuit
        for circuit in spec.circuits
        if (circuit.kind is SourceKind.STIM if named is None else circuit.name in named)
    ]
    if named is None and not chosen:
        text = "`logical_error` decodes circuits of Stim files, and there are none"
        report(Problem(path, "S206", text, "name one by `stim: FILE`"))
    for circuit in chosen:
        where = path if named is None else (*path, "circuits", named.index(circuit.name))
        if circuit.kind is not SourceKind.STIM:
            text = f"`logical_error` needs detectors, and `{circuit.name}` is no Stim file"
            report(Problem(where, "S206", text, "name circuits with `stim: FILE`"))
        elif not circuit.memory:
            text = f"`logical_error` needs every shot of `{circuit.name}`, and only counts are kept"
            report(Problem(where, "S206", text, "add `memory: true`"))


def _report(report: Reporter, where: TreePath, text: str, hint: str) -> None:
    """At the field where it was written, else at the analysis that has it by default."""
    while len(where) > 2 and not path_exists(report.source.tree, where):
        where = where[:-1]
    report(Problem(where, "S312", text, hint))


def _names(
    path: TreePath, options: Fields, lists: Sequence[str], fields: Sequence[str]
) -> Iterator[tuple[TreePath, str]]:
    """Names of `lists` and of single `fields`, with their places."""
    for listed in lists:
        for index, name in enumerate(options.get(listed, ())):
            yield (*path, listed, index), name
    for field in fields:
        if field in options:
            yield (*path, field), options[field]


def _check_observables(path: TreePath, options: Fields, report: Reporter) -> None:
    """Strings of X and Y need a `basis`; names do not end like figures beside an observable."""
    for name, observable in options["observables"].items():
        where = (*path, "observables", name)
        for ending in ("_ideal", "_mitigated"):
            if name.endswith(ending):
                text = f"`{name}` ends like the figure `NAME{ending}` that stands beside a value"
                _report(report, where, text, "give it another name")
        for string in [observable] if isinstance(observable, str) else observable:
            if "basis" not in options and set(string) & {"X", "Y"}:
                text = f"`{string}` needs bits that were turned before they were measured in Z"
                hint = "turn them in the circuit, by an axis that `basis` names (docs/analysis.md)"
                report(Problem(where, "S206", text, hint))
