"""Circuits at every point: sound arguments and parameters, and a machine that can run them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from iqm_spec.check.bindings import check_bindings
from iqm_spec.check.files import CircuitFiles, circuit_path
from iqm_spec.check.reporter import Reporter, has, leaf_using, place
from iqm_spec.circuits import ArgumentProblem, CircuitError, find, raw_circuit
from iqm_spec.diagnostics import Diagnostic, Problem, Span, TreePath, nearest
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.memory import too_large
from iqm_spec.model import (
    BEYOND_CONDITIONS,
    DELAY_IN_SAMPLES,
    WIDE_CONDITION,
    AxisValue,
    CircuitFacts,
    CircuitSpec,
    Feature,
    SourceKind,
    Values,
)
from iqm_spec.sweep.expand import CircuitPoints
from iqm_spec.sweep.template import axes_in
from iqm_spec.targets import Architecture, architecture, features, known

Machines = Mapping[str, Architecture]
GeneratedFacts = dict[tuple[str, str], CircuitFacts]
"""Facts of generated circuits by generator and arguments."""

_PROBE = 0.3
"""What free angles are while it is looked at where gates act, and which."""
_MOST_VERBATIM = 100
"""Circuits, machines and layouts of one spec that are looked at; the rest is told when planned."""


class CircuitChecks:
    """Checks the circuits of one spec; `code` are the modules whose generators may run.

    `known` are facts of generated circuits, which it adds to: no generator runs twice for them.
    """

    def __init__(
        self,
        machines: Machines,
        files: CircuitFiles,
        code: frozenset[str],
        report: Reporter,
        known: GeneratedFacts,
    ) -> None:
        self._known = known
        self._machines = machines
        self._files = files
        self._code = code
        self._report = report
        self._verbatim: set[tuple[object, ...]] = set()

    def check(self, points: CircuitPoints) -> None:
        """Report S402 to S409 and S502 to S504 of one circuit at all its points."""
        circuit = points.circuit
        names = ["ref", "args", "target", "layout", "transpile"]
        names += ["shots"] if circuit.memory else []
        templates = [points.templates[name] for name in names]
        axes = [axis for template in templates for axis in template.axes]
        for values in points.assignments(axes):
            filled = (template.fill(dict(values)) for template in templates)
            ref, args, target, layout, transpile, *shots = filled
            facts = self._facts(circuit, str(ref), cast("Mapping[str, Json]", args), values)
            if facts is None:
                continue
            if not facts.measured:
                self._say(circuit, "ref", "S403", f"`{ref}` measures nothing", values)
            for number in shots:
                self._check_memory(circuit, facts, cast("int", number), values)
            self._check_physical(circuit, facts, layout, cast("Mapping[str, Json]", transpile))
            machine = self._machines.get(str(target))
            if machine is None:
                continue
            self._fits(circuit, str(ref), facts, machine, layout, values)
            sent_as_written = cast("Mapping[str, Json]", transpile).get("verbatim") is True
            if sent_as_written and (facts.physical or layout is not None):
                self._check_verbatim(circuit, str(ref), args, machine, layout, values)
        if circuit.kind is not SourceKind.GENERATOR and circuit.parameters:
            check_bindings(points, self._files, self._report)

    def _check_memory(
        self, circuit: CircuitSpec, facts: CircuitFacts, shots: int, values: Values
    ) -> None:
        """Report S205 where the shots of a point are more than are kept."""
        if wrong := too_large(shots, facts.num_clbits):
            text = f"circuit `{circuit.name}` has too many bits for `memory`: {wrong}"
            hint = "ask for fewer shots, or for several records by `repeat`"
            self._say(circuit, "shots", "S205", text, values, hint)

    # --- facts -----------------------------------------------------------------------------------

    def _facts(
        self, circuit: CircuitSpec, ref: str, args: Mapping[str, Json], values: Values
    ) -> CircuitFacts | None:
        if circuit.kind is SourceKind.GENERATOR:
            return self._generated(circuit, ref, args, values)
        facts = self._files.facts(circuit, ref)
        if facts is not None:
            self._check_parameters(circuit, ref, facts)
        return facts

    def _generated(
        self, circuit: CircuitSpec, ref: str, args: Mapping[str, Json], values: Values
    ) -> CircuitFacts | None:
        try:
            generator = find(ref, self._code)
            key = ref, repr(args)
            facts = self._known.get(key) or generator.facts_or_problems(args)
            if isinstance(facts, CircuitFacts):
                if generator.shape is None:  # its circuit was built to know them
                    self._known[key] = facts
                self._require_bound(circuit, ref, facts)
                return facts
        except CircuitError as error:
            field = "ref" if error.code in ("S405", "S409") else "args"
            self._say(circuit, field, error.code, error.message, values, error.hint)
            return None
        where = place(self._report.source, circuit, "args")
        known = {parameter.name for parameter in generator.parameters}
        for item in _without_renamed(facts, args):
            argument = item.argument
            path = where if argument is None else (*where, argument)
            blamed = circuit.args if argument is None else circuit.args.get(argument)
            text = f"generator `{ref}`: {item.message}{_at(values, axes_in(blamed))}"
            self._report(Problem(path, "S406", text, item.hint, on_key=argument not in known))
        return None

    def _require_bound(self, circuit: CircuitSpec, ref: str, facts: CircuitFacts) -> None:
        if facts.inputs:
            told = ", ".join(f"`{name}`" for name in facts.inputs)
            text = f"generator `{ref}` leaves {told} of its circuit open"
            hint = "let the generator take the value as an argument and bind it"
            self._say(circuit, "ref", "S407", text, (), hint)

    def _check_parameters(self, circuit: CircuitSpec, ref: str, facts: CircuitFacts) -> None:
        given = circuit.parameters or {}
        suggested = ""
        where = place(self._report.source, circuit, "parameters")
        for name in given:
            if name not in facts.inputs:
                hint = nearest(name, facts.inputs) or _inputs(facts)
                suggested += hint
                text = f"`{ref}` has no input `{name}`"
                self._report(Problem((*where, name), "S407", text, hint, on_key=True))
        # a value that the schema has refused is bound all the same
        open_ = [n for n in facts.inputs if n not in given and not self._written(where, n)]
        missing = [name for name in open_ if name not in re.findall(r"\w+", suggested)]
        if missing:
            told = ", ".join(f"`{name}`" for name in missing)
            hint = "bind it under `parameters`, or write `parameters: by-name`"
            self._report(Problem(where, "S407", f"`{ref}` leaves its input {told} open", hint))

    def _written(self, where: TreePath, name: str) -> bool:
        return has(self._report.source.tree, (*where, name))

    # --- machine ---------------------------------------------------------------------------------

    def _fits(
        self,
        circuit: CircuitSpec,
        ref: str,
        facts: CircuitFacts,
        machine: Architecture,
        layout: Json,
        values: Values,
    ) -> None:
        room = len(machine.components) if facts.physical else machine.num_qubits
        if facts.num_qubits > room:
            text = (
                f"circuit `{circuit.name}` has {facts.num_qubits} qubits,"
                f" {machine.alias} has {machine.num_qubits}"
            )
            field = "args" if circuit.kind is SourceKind.GENERATOR else "ref"
            self._say(circuit, field, "S502", text, values)
        if layout is not None and not facts.physical:
            self._check_layout(circuit, facts, machine, cast("Sequence[str]", layout), values)
        can = features(machine)
        lacking: dict[str, list[Feature]] = {}
        for feature in facts.features:
            if feature.kind in BEYOND_CONDITIONS and "if_else" not in can:
                continue  # the `if` itself is told
            if feature.kind not in can:
                lacking.setdefault(feature.kind, []).append(feature)
        for alike in lacking.values():
            self._lacking(circuit, ref, alike[0], len(alike), machine)

    def _check_verbatim(
        self,
        circuit: CircuitSpec,
        ref: str,
        args: Json,
        machine: Architecture,
        layout: Json,
        values: Values,
    ) -> None:
        """S508 where the machine cannot play what is written; angles are no matter."""
        case = (circuit.index, ref, repr(args), machine.alias, repr(layout))
        if case in self._verbatim or len(self._verbatim) >= _MOST_VERBATIM:
            return
        self._verbatim.add(case)
        from iqm_spec.transpile.verbatim import verbatim

        data = None if circuit.kind is SourceKind.GENERATOR else self._files.read(circuit, ref)
        try:
            raw = raw_circuit(circuit.kind, ref, data, cast("Mapping[str, Json]", args), self._code)
            bound = raw.assign_parameters(dict.fromkeys(raw.parameters, _PROBE))
            bound.name = circuit.name
            verbatim(bound, machine, None if layout is None else tuple(cast("list[str]", layout)))
        except CircuitError:
            return  # it is told elsewhere
        except Refused as refused:
            self._say(circuit, "ref", "S508", refused.message, values, refused.hint)

    def _check_physical(
        self, circuit: CircuitSpec, facts: CircuitFacts, layout: Json, transpile: Mapping[str, Json]
    ) -> None:
        """A circuit on the machine's own qubits has no layout; one that is verbatim has either."""
        if facts.physical and layout is not None:
            text = f"circuit `{circuit.name}` names the machine's own qubits (`$0`) itself"
            hint = "remove the layout, or declare qubits in the file: `qubit[2] q;`"
            self._say(circuit, "layout", "S504", text, (), hint)
        if transpile.get("verbatim") is True and layout is None and not facts.physical:
            text = f"circuit `{circuit.name}` is sent verbatim, and nothing says on which qubits"
            hint = "give it a `layout`, or name the machine's qubits in OpenQASM 3: `$0`, `$1`"
            self._say(circuit, "transpile", "S504", text, (), hint)

    def _check_layout(
        self,
        circuit: CircuitSpec,
        facts: CircuitFacts,
        machine: Architecture,
        layout: Sequence[str],
        values: Values,
    ) -> None:
        strangers = [name for name in layout if name not in machine.qubits]
        axes = (*axes_in(circuit.layout), *axes_in(circuit.args))
        if strangers:
            hint = nearest(strangers[0], machine.qubits) or (
                f"its qubits are {machine.qubits[0]} to {machine.qubits[-1]}"
            )
            text = f"{machine.alias} has no qubit `{strangers[0]}`{_at(values, axes)}"
            where = place(self._report.source, circuit, "layout")
            if isinstance(circuit.layout, list | tuple):
                where = (*where, layout.index(strangers[0]))
            self._report(Problem(where, "S503", text, hint))
        elif len(layout) != facts.num_qubits:
            named = f"{len(layout)} qubit{'s' if len(layout) != 1 else ''}"
            text = f"the layout names {named}, circuit `{circuit.name}` has {facts.num_qubits}"
            where = place(self._report.source, circuit, "layout")
            self._report(Problem(where, "S504", text + _at(values, axes)))
        elif len(set(layout)) != len(layout) and axes_in(circuit.layout):
            self._say(circuit, "layout", "S504", "the layout names a qubit twice", values)

    def _lacking(
        self,
        circuit: CircuitSpec,
        ref: str,
        feature: Feature,
        times: int,
        machine: Architecture,
    ) -> None:
        """Report the first of several alike."""
        beyond = feature.kind in BEYOND_CONDITIONS
        what = f"a {feature.kind}" if beyond else f"`{feature.kind}`"
        text = f"{what} cannot run on {machine.alias}"
        if times > 1:
            text += f" (it occurs {times:,} times, here first)"
        hint = _hint(circuit, feature)
        if feature.line is None or circuit.kind not in (SourceKind.QASM, SourceKind.STIM):
            self._say(circuit, "ref", "S404", text, (), hint)
            return
        file = circuit_path(self._report, ref)
        span = Span(feature.line, 1, 2)
        self._report.add(Diagnostic(file, span, "S404", text, hint))

    def _say(
        self,
        circuit: CircuitSpec,
        field: str,
        code: str,
        text: str,
        values: Values,
        hint: str = "",
    ) -> None:
        """Report at a circuit's field, at the placeholder where a swept value is to blame."""
        where = place(self._report.source, circuit, field)
        value: Any = getattr(circuit, field)
        for axis, _ in values:
            inner = leaf_using(value, axis, where)
            if inner != where:
                where = inner
                break
        self._report(Problem(where, code, text + _at(values, axes_in(value)), hint))


def _hint(circuit: CircuitSpec, feature: Feature) -> str:
    """What to do about an instruction that a machine lacks."""
    if feature.kind == WIDE_CONDITION:
        return "put fewer bits that have been measured into the register, or ask single bits"
    if feature.kind in BEYOND_CONDITIONS:
        return "gates on one qubit can be put under a condition; measure and reset without one"
    if feature.kind != DELAY_IN_SAMPLES:
        able = [alias for alias in known() if feature.kind in features(architecture(alias))]
        if able:
            return f"{' and '.join(able)} can; or rewrite the circuit"
        return "no machine that is built in has it; rewrite the circuit without it"
    if circuit.kind is SourceKind.QPY:
        return "QPY of Qiskit 2.1 forgets the unit of a delay: write the circuit as OpenQASM 3"
    return "how long a sample takes is not known: write the delay in s, ms, us or ns"


def _at(values: Values, axes: Sequence[str]) -> str:
    """Where on the sweep a mistake is, told by the axes that it depends on."""
    told = ", ".join(f"{axis} = {_told(value)}" for axis, value in values if axis in axes)
    return f" (at {told})" if told else ""


def _told(value: AxisValue) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _without_renamed(
    problems: Sequence[ArgumentProblem], args: Mapping[str, Json]
) -> list[ArgumentProblem]:
    """`problems` less the missing arguments that a misspelt one was meant to be."""
    hints = " ".join(item.hint for item in problems if item.argument in args)
    suggested = re.findall(r"\w+", hints)
    return [
        item
        for item in problems
        if item.argument is None or item.argument in args or item.argument not in suggested
    ]


def _inputs(facts: CircuitFacts) -> str:
    return f"its inputs are {', '.join(facts.inputs)}" if facts.inputs else "it has no inputs"
