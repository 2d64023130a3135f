"""Circuits at every point: sound arguments and parameters, and a machine that can run them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from iqm_spec.circuits import (
    CircuitError,
    computed_angles_of_file,
    find_generator,
    first_non_finite,
    parameter_value,
    raw_circuit,
)
from iqm_spec.circuits.angles import ANGLE_HINT
from iqm_spec.diagnostics import Diagnostic, Problem, Span, nearest
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
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
from iqm_spec.packed_shots import too_large
from iqm_spec.source.source import path_exists
from iqm_spec.spec.circuit_files import CircuitFiles, shown_circuit_path
from iqm_spec.spec.reporter import Reporter, field_path, path_using_axis
from iqm_spec.spec.sweep_points import CircuitPoints, layout_of
from iqm_spec.spec.template import axes_in
from iqm_spec.targets import Architecture, architecture, features, known_targets

if TYPE_CHECKING:
    from qiskit.circuit import ParameterExpression


GeneratedFacts = dict[tuple[str, str], CircuitFacts]
"""Facts of generated circuits by generator and arguments."""

_PROBE = 0.3
"""Stands for free angles while a verbatim circuit is checked: only its gates and loci matter."""
_MAX_VERBATIM = 100
"""Cases of circuit, machine and layout that are checked; the rest is reported when planned."""


@frozen
class _Case:
    """A circuit at one assignment of the axes that it depends on, its templated fields filled."""

    circuit: CircuitSpec
    values: Values
    ref: str
    args: Mapping[str, Json]
    target: str
    layout: Sequence[str] | None
    transpile: Mapping[str, Json]

    @property
    def verbatim(self) -> bool:
        """Whether the circuit is sent as written."""
        return self.transpile.get("verbatim") is True


class CircuitChecks:
    """Checks the circuits of one spec; `code` are the modules whose generators may run.

    `known` are facts of generated circuits, which it adds to: no generator runs twice for them.
    `is_restricted`: the machines lack what the spec avoids.
    """

    def __init__(
        self,
        machines: Mapping[str, Architecture],
        files: CircuitFiles,
        code: frozenset[str],
        report: Reporter,
        known: GeneratedFacts,
        *,
        is_restricted: bool = False,
    ) -> None:
        self._known = known
        # what messages add where `avoid` or `region` keep circuits out of a part of the machine
        self._within = " within `avoid` and `region`" if is_restricted else ""
        self._machines = machines
        self._files = files
        self._code = code
        self._report = report
        self._verbatim: set[tuple[object, ...]] = set()

    def check(self, points: CircuitPoints) -> None:
        """Report S205, S402 to S409 and S502 to S508 of a circuit at all its points."""
        circuit = points.circuit
        names = ["ref", "args", "target", "layout", "transpile"]
        names += ["shots"] if circuit.memory else []
        templates = [points.templates[name] for name in names]
        axes = [axis for template in templates for axis in template.axes]
        for values in points.assignments(axes):
            filled: list[Any] = [template.fill(dict(values)) for template in templates]
            ref, args, target, given_layout, transpile, *shots = filled
            layout, _ = layout_of(given_layout)
            case = _Case(circuit, values, str(ref), args, str(target), layout, transpile)
            facts = self._facts(case)
            if facts is None:
                continue
            if not facts.measured:
                self._report_at(circuit, "ref", "S403", f"`{ref}` measures nothing", values)
            if shots and (wrong := too_large(shots[0], facts.num_clbits)):
                text = f"circuit `{circuit.name}` has too many bits for `memory`: {wrong}"
                hint = "ask for fewer shots, or for several records by `repeat`"
                self._report_at(circuit, "shots", "S205", text, values, hint)
            self._check_physical(case, facts)
            machine = self._machines.get(case.target)
            if machine is None:
                continue
            self._check_machine(case, facts, machine)
            if case.verbatim and (facts.physical or layout is not None):
                self._check_verbatim(case, machine)
        if circuit.kind is not SourceKind.GENERATOR and circuit.parameters:
            check_bindings(points, self._files, self._report)

    # --- facts -----------------------------------------------------------------------------------

    def _facts(self, case: _Case) -> CircuitFacts | None:
        """Facts of a circuit whose arguments or parameters are sound, else None after a report."""
        if case.circuit.kind is SourceKind.GENERATOR:
            return self._generated(case)
        facts = self._files.facts(case.circuit, case.ref)
        if facts is not None:
            self._check_parameters(case.circuit, case.ref, facts)
        return facts

    def _generated(self, case: _Case) -> CircuitFacts | None:
        circuit, ref, values = case.circuit, case.ref, case.values
        try:
            generator = find_generator(ref, self._code)
            key = ref, repr(case.args)
            facts = self._known.get(key) or generator.facts_or_problems(case.args)
        except CircuitError as error:
            field = "ref" if error.code in ("S405", "S409") else "args"
            self._report_at(circuit, field, error.code, error.message, values, error.hint)
            return None
        if isinstance(facts, CircuitFacts):
            if generator.shape is None:  # its circuit was built to know them
                self._known[key] = facts
            if facts.inputs:
                inputs = ", ".join(f"`{name}`" for name in facts.inputs)
                text = f"generator `{ref}` leaves {inputs} of its circuit open"
                hint = "let the generator take the value as an argument and bind it"
                self._report_at(circuit, "ref", "S407", text, (), hint)
            return facts
        where = field_path(self._report.source, circuit, "args")
        known = {parameter.name for parameter in generator.parameters}
        # a misspelt argument is reported, not the missing one that was meant
        hints = " ".join(item.hint for item in facts if item.argument in case.args)
        renamed = set(re.findall(r"\w+", hints)) - set(case.args)
        for item in facts:
            argument = item.argument
            if argument in renamed:
                continue
            path = where if argument is None else (*where, argument)
            blamed = circuit.args if argument is None else circuit.args.get(argument)
            text = f"generator `{ref}`: {item.message}{_at(values, axes_in(blamed))}"
            self._report(Problem(path, "S406", text, item.hint, on_key=argument not in known))
        return None

    def _check_parameters(self, circuit: CircuitSpec, ref: str, facts: CircuitFacts) -> None:
        parameters = circuit.parameters or {}
        suggested = ""
        where = field_path(self._report.source, circuit, "parameters")
        for name in parameters:
            if name not in facts.inputs:
                known = f"its inputs are {', '.join(facts.inputs)}"
                known = known if facts.inputs else "it has no inputs"
                hint = nearest(name, facts.inputs) or known
                suggested += hint
                text = f"`{ref}` has no input `{name}`"
                self._report(Problem((*where, name), "S407", text, hint, on_key=True))
        tree, words = self._report.source.tree, re.findall(r"\w+", suggested)
        # a value that the schema has refused is bound all the same
        bound = {*parameters, *(n for n in facts.inputs if path_exists(tree, (*where, n)))}
        missing = [name for name in facts.inputs if name not in bound | set(words)]
        if missing:
            listed = ", ".join(f"`{name}`" for name in missing)
            hint = "bind it under `parameters`, or write `parameters: by-name`"
            self._report(Problem(where, "S407", f"`{ref}` leaves its input {listed} open", hint))

    # --- machine ---------------------------------------------------------------------------------

    def _check_machine(self, case: _Case, facts: CircuitFacts, machine: Architecture) -> None:
        """Report S404 and S502 to S504 where the machine cannot run the circuit."""
        circuit = case.circuit
        room = len(machine.components) if facts.physical else machine.num_qubits
        if facts.num_qubits > room:
            text = (
                f"circuit `{circuit.name}` has {facts.num_qubits} qubits,"
                f" {machine.alias} has {machine.num_qubits}{self._within}"
            )
            field = "args" if circuit.kind is SourceKind.GENERATOR else "ref"
            self._report_at(circuit, field, "S502", text, case.values)
        if case.layout is not None and not facts.physical:
            self._check_layout(case, case.layout, facts, machine)
        can = features(machine)
        lacking: dict[str, list[Feature]] = {}
        for feature in facts.features:
            if feature.kind in BEYOND_CONDITIONS and "if_else" not in can:
                continue  # the `if` itself is reported
            if feature.kind not in can:
                lacking.setdefault(feature.kind, []).append(feature)
        for alike in lacking.values():
            self._report_lacking(case, alike[0], len(alike), machine)

    def _check_verbatim(self, case: _Case, machine: Architecture) -> None:
        """Report S508 where the machine cannot play what is written, whatever the angles are."""
        circuit, ref, layout = case.circuit, case.ref, case.layout
        key = (circuit.index, ref, repr(case.args), machine.alias, repr(layout))
        if key in self._verbatim or len(self._verbatim) >= _MAX_VERBATIM:
            return
        self._verbatim.add(key)
        from iqm_spec.transpile.verbatim import verbatim

        data = None if circuit.kind is SourceKind.GENERATOR else self._files.read(circuit, ref)
        try:
            raw = raw_circuit(circuit.kind, ref, data, case.args, self._code)
            bound = raw.assign_parameters(dict.fromkeys(raw.parameters, _PROBE))
            bound.name = circuit.name
            verbatim(bound, machine, None if layout is None else tuple(layout))
        except CircuitError:
            return  # it is reported elsewhere
        except Refused as refused:
            self._report_at(circuit, "ref", "S508", refused.message, case.values, refused.hint)

    def _check_physical(self, case: _Case, facts: CircuitFacts) -> None:
        """A circuit on the machine's own qubits has no layout; one that is verbatim has either."""
        circuit = case.circuit
        if facts.physical and case.layout is not None:
            text = f"circuit `{circuit.name}` names the machine's own qubits (`$0`) itself"
            hint = "remove the layout, or declare qubits in the file: `qubit[2] q;`"
            self._report_at(circuit, "layout", "S504", text, (), hint)
        if case.verbatim and case.layout is None and not facts.physical:
            text = f"circuit `{circuit.name}` is sent verbatim, and nothing says on which qubits"
            hint = "give it a `layout`, or name the machine's qubits in OpenQASM 3: `$0`, `$1`"
            self._report_at(circuit, "transpile", "S504", text, (), hint)

    def _check_layout(
        self, case: _Case, layout: Sequence[str], facts: CircuitFacts, machine: Architecture
    ) -> None:
        circuit, values = case.circuit, case.values
        unknown = [name for name in layout if name not in machine.qubits]
        axes = (*axes_in(circuit.layout), *axes_in(circuit.args))
        if unknown:
            hint = nearest(unknown[0], machine.qubits) or (
                f"its qubits are {machine.qubits[0]} to {machine.qubits[-1]}"
            )
            text = f"{machine.alias} has no qubit `{unknown[0]}`{self._within}{_at(values, axes)}"
            where = field_path(self._report.source, circuit, "layout")
            if isinstance(circuit.layout, list | tuple):
                where = (*where, layout.index(unknown[0]))
            self._report(Problem(where, "S503", text, hint))
        elif len(layout) != facts.num_qubits:
            named = f"{len(layout)} qubit{'s' if len(layout) != 1 else ''}"
            text = f"the layout names {named}, circuit `{circuit.name}` has {facts.num_qubits}"
            where = field_path(self._report.source, circuit, "layout")
            self._report(Problem(where, "S504", text + _at(values, axes)))
        elif len(set(layout)) != len(layout) and axes_in(circuit.layout):
            self._report_at(circuit, "layout", "S504", "the layout names a qubit twice", values)

    def _report_lacking(
        self, case: _Case, feature: Feature, times: int, machine: Architecture
    ) -> None:
        """Report S404 for the first of `times` instructions of a kind that the machine lacks."""
        circuit = case.circuit
        beyond = feature.kind in BEYOND_CONDITIONS
        what = f"a {feature.kind}" if beyond else f"`{feature.kind}`"
        text = f"{what} cannot run on {machine.alias}"
        if times > 1:
            text += f" (it occurs {times:,} times, here first)"
        hint = _hint_for_lacking(circuit, feature)
        if feature.line is None or circuit.kind not in (SourceKind.QASM, SourceKind.STIM):
            self._report_at(circuit, "ref", "S404", text, (), hint)
            return
        file = shown_circuit_path(self._report, case.ref)
        span = Span(feature.line, 1, 2)
        self._report.add(Diagnostic(file, span, "S404", text, hint))

    def _report_at(
        self,
        circuit: CircuitSpec,
        field: str,
        code: str,
        text: str,
        values: Values,
        hint: str = "",
    ) -> None:
        """Report at a circuit's field, at the placeholder where a swept value is to blame."""
        where = field_path(self._report.source, circuit, field)
        value: Any = getattr(circuit, field)
        for axis, _ in values:
            inner = path_using_axis(value, axis, where)
            if inner != where:
                where = inner
                break
        self._report(Problem(where, code, text + _at(values, axes_in(value)), hint))


def _hint_for_lacking(circuit: CircuitSpec, feature: Feature) -> str:
    """What to do about an instruction that a machine lacks."""
    if feature.kind == WIDE_CONDITION:
        return "put fewer bits that have been measured into the register, or test single bits"
    if feature.kind in BEYOND_CONDITIONS:
        return "gates on one qubit can be put under a condition; measure and reset without one"
    if feature.kind != DELAY_IN_SAMPLES:
        able = [alias for alias in known_targets() if feature.kind in features(architecture(alias))]
        if able:
            return f"{' and '.join(able)} can; or rewrite the circuit"
        return "no machine that is built in has it; rewrite the circuit without it"
    if circuit.kind is SourceKind.QPY:
        return "QPY of Qiskit 2.1 forgets the unit of a delay: write the circuit as OpenQASM 3"
    return "how long a sample takes is not known: write the delay in s, ms, us or ns"


def _at(values: Values, axes: Sequence[str]) -> str:
    """Where on the sweep a mistake is: the values of the axes that it depends on."""
    point = ", ".join(f"{axis} = {_described(value)}" for axis, value in values if axis in axes)
    return f" (at {point})" if point else ""


def _described(value: AxisValue) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


# --- values of parameters ------------------------------------------------------------------------


def check_bindings(points: CircuitPoints, files: CircuitFiles, report: Reporter) -> None:
    """Report S407 where a parameter's value is no number, or leads to no finite angle."""
    circuit = points.circuit
    angles: dict[str, tuple[ParameterExpression, ...]] = {}
    ref_of, parameters_of = points.templates["ref"], points.templates["parameters"]
    for values in points.assignments((*ref_of.axes, *parameters_of.axes)):
        ref = str(ref_of.fill(dict(values)))
        facts = files.facts(circuit, ref)
        parameters = cast("Mapping[str, Json]", parameters_of.fill(dict(values)))
        if facts is None or set(parameters) != set(facts.inputs):
            continue  # reported already
        if ref not in angles:
            angles[ref] = computed_angles_of_file(circuit.kind, ref, files.contents[ref])
        problem = _binding_problem(circuit, ref, angles[ref], parameters, values, report)
        if problem is not None:
            report(problem)


def _binding_problem(
    circuit: CircuitSpec,
    ref: str,
    angles: tuple[ParameterExpression, ...],
    parameters: Mapping[str, Json],
    values: Values,
    report: Reporter,
) -> Problem | None:
    where = field_path(report.source, circuit, "parameters")
    bound: dict[str, float] = {}
    for name, value in parameters.items():
        try:
            bound[name] = parameter_value(name, value)
        except CircuitError as error:
            return Problem((*where, name), error.code, error.message, error.hint)
    angle = first_non_finite(angles, bound)
    if not angle:
        return None
    bindings = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    named = "an angle" if "inf" in angle else f"the angle `{angle}`"
    text = f"{named} of `{ref}` is not finite (at {bindings})"
    templates = dict(circuit.parameters or {})
    swept = (path_using_axis(templates, axis, where) for axis, _ in values)
    inner = next((path for path in swept if path != where), where)
    return Problem(inner, "S407", text, ANGLE_HINT)
