"""A generator: its parameters, the check of its arguments, and the circuits that they make."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import Factory, field, frozen

from iqm_spec.circuits.problems import CircuitError
from iqm_spec.diagnostics import nearest, number_meant
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


Kind = Literal[
    "int", "float", "bool", "text", "bits", "ints", "floats", "texts", "edges", "any"
]  # fmt: skip

Args = Mapping[str, Any]
"""A generator's complete arguments: a value of its kind for every parameter."""


class _Required(Enum):
    REQUIRED = "required"

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required.REQUIRED
"""Default of a parameter that has no default."""

LARGEST_SEED: Final = 2**53 - 1
"""The largest integer that JSON numbers hold exactly."""

MOST_GATES = 2_000_000
"""Gates of one generated circuit, as `Generator.size` estimates them."""


@frozen
class Parameter:
    """One parameter of a generator. `None` is an allowed value only where it is the default.

    `minimum` and `maximum` bound numbers, in lists every element; `longest` bounds the length of
    text and lists. `bits` is text of 0 and 1 as Qiskit prints it: its last character is qubit 0.
    `floats` takes one number or a list; `texts` one text or a list; `edges` a list of pairs.
    `free`: the numbers occur in angles only, so that Qiskit parameters can replace them.
    """

    name: str
    kind: Kind
    doc: str
    default: Json | Literal[_Required.REQUIRED] = REQUIRED
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    longest: int = field(default=1024)
    free: bool = False


@frozen
class ArgumentProblem:
    """A mistake in the arguments; `argument` is None where it concerns several of them."""

    argument: str | None
    message: str
    hint: str = ""


@frozen
class Generator:
    """A family of circuits. `version` increases whenever the circuit of some arguments changes.

    Attributes:
        circuit: Builds the measured circuit from complete arguments.
        shape: The circuit's facts without qiskit; where None, facts come from the built circuit.
        size: An upper bound on the number of gates.
        rules: Mistakes that lie between arguments, each of which is valid by itself.
        example: Arguments for the documentation.
        source: Enters the circuit's identity besides name and version: the digest of a user's own
            code, or the version of an installed package.
    """

    name: str
    version: str
    summary: str
    parameters: tuple[Parameter, ...]
    circuit: Callable[[Args], QuantumCircuit]
    shape: Callable[[Args], CircuitFacts] | None = None
    size: Callable[[Args], int] | None = None
    rules: Callable[[Args], Iterable[ArgumentProblem]] | None = None
    example: Mapping[str, Json] = Factory(dict)
    source: str | None = None

    def check(self, args: Mapping[str, Json]) -> list[ArgumentProblem]:
        """Every mistake in `args`; those between arguments only where each is valid by itself."""
        return self._examine(args)[1]

    def _examine(self, args: Mapping[str, Json]) -> tuple[Args, list[ArgumentProblem]]:
        complete, problems = examine_arguments(self.parameters, args)
        if problems:
            return complete, problems
        if self.rules is not None:
            problems += self.rules(complete)
        if not problems and self.size is not None and self.size(complete) > MOST_GATES:
            text = f"the circuit would have about {self.size(complete):,} gates"
            problems.append(ArgumentProblem(None, text, f"at most {MOST_GATES:,} are built"))
        return complete, problems

    def complete(self, args: Mapping[str, Json]) -> dict[str, Json]:
        """Valid `args` with defaults filled in, as they enter the circuit's identity."""
        return complete_arguments(self.parameters, args)

    def facts(self, args: Mapping[str, Json]) -> CircuitFacts:
        """Facts of the circuit of `args`; raises `CircuitError` where they are invalid."""
        return self._facts(self._require_valid(args))

    def facts_or_problems(self, args: Mapping[str, Json]) -> CircuitFacts | list[ArgumentProblem]:
        """Facts of the circuit of `args`, or every mistake in them: `check` and `facts` in one."""
        complete, problems = self._examine(args)
        return problems or self._facts(complete)

    def _facts(self, complete: Args) -> CircuitFacts:
        if self.shape is not None:
            return self.shape(complete)
        from iqm_spec.circuits.facts import facts_of

        return facts_of(self.circuit(complete))

    def build(self, args: Mapping[str, Json]) -> QuantumCircuit:
        """The measured circuit of `args`; raises `CircuitError` where they are invalid."""
        return self.circuit(self._require_valid(args))

    def _require_valid(self, args: Mapping[str, Json]) -> Args:
        complete, problems = self._examine(args)
        if problems:
            text = "; ".join(problem.message for problem in problems)
            raise CircuitError("S406", f"generator `{self.name}`: {text}", hint=problems[0].hint)
        return complete


def all_measured(qubits: int) -> CircuitFacts:
    """Facts of a circuit of so many qubits that measures all of them into `c`."""
    return CircuitFacts(num_qubits=qubits, num_clbits=qubits, measured=qubits)


def num_qubits(doc: str, *, minimum: int = 1, maximum: int = 1024) -> Parameter:
    """The parameter `num_qubits`, which nearly every generator has."""
    return Parameter("num_qubits", "int", doc, minimum=minimum, maximum=maximum)


def seed(doc: str = "Seed of the random choices; it belongs to the circuit.") -> Parameter:
    """The seed of a random generator, 0 by default."""
    return Parameter("seed", "int", doc, default=0, minimum=0, maximum=LARGEST_SEED)


def examine_arguments(
    parameters: Sequence[Parameter], args: Mapping[str, Json]
) -> tuple[dict[str, Any], list[ArgumentProblem]]:
    """Complete arguments, and every mistake in a single argument.

    An argument with a mistake is absent from the first.
    """
    complete: dict[str, Any] = {}
    problems: list[ArgumentProblem] = []
    num_known = 0
    for parameter in parameters:
        name = parameter.name
        if name not in args:
            if parameter.default is REQUIRED:
                text = f"the argument `{name}` is missing"
                problems.append(ArgumentProblem(name, text, parameter.doc))
            else:
                complete[name] = _read(parameter, parameter.default)
            continue
        num_known += 1
        try:
            complete[name] = _read(parameter, args[name])
        except _InvalidValue as error:
            hint = error.hint or parameter.doc
            problems.append(ArgumentProblem(name, f"`{name}` {error}", hint))
    if num_known < len(args):
        known = [parameter.name for parameter in parameters]
        unknown = []
        for name in args:
            if name not in known:
                hint = nearest(name, known) or f"the arguments are {', '.join(known)}"
                unknown.append(ArgumentProblem(name, f"there is no argument `{name}`", hint))
        problems = [*unknown, *problems]
    return complete, problems


def complete_arguments(parameters: Sequence[Parameter], args: Mapping[str, Json]) -> dict[str, Any]:
    """Valid `args` with defaults filled in, each value in the standard form of its kind."""
    return {
        parameter.name: _read(parameter, args.get(parameter.name, parameter.default))
        for parameter in parameters
    }


class _InvalidValue(ValueError):
    """A value that its parameter does not take; the text follows the parameter's name."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _read(parameter: Parameter, value: Any) -> Any:
    if value is None and parameter.default is None:
        return None
    return _READERS[parameter.kind](parameter, value)


def _read_int(parameter: Parameter, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _InvalidValue(f"must be a whole number, got {_shorten(value)}")
    _check_bounds(parameter, value)
    return value


def _read_float(parameter: Parameter, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        meant = number_meant(value) if isinstance(value, str) else ""
        raise _InvalidValue(f"must be a number, got {_shorten(value)}{meant and f' ({meant})'}")
    if abs(value) > 1e300 or not math.isfinite(value):
        raise _InvalidValue("must be a finite number")
    _check_bounds(parameter, value)
    return float(value)


def _check_bounds(parameter: Parameter, value: float) -> None:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise _InvalidValue(f"must be {_bounds(low, high)}, got {_shorten(value)}")


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"from {low} to {high}"


def _read_bool(parameter: Parameter, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _InvalidValue(f"must be true or false, got {_shorten(value)}")
    return value


def _read_text(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        hint = f'write it in quotes: "{value}"' if isinstance(value, int | float) else ""
        raise _InvalidValue(f"must be text, got {_shorten(value)}", hint)
    if parameter.choices and value not in parameter.choices:
        hint = nearest(value, parameter.choices)
        raise _InvalidValue(
            f"must be one of {', '.join(parameter.choices)}, got {_shorten(value)}", hint
        )
    _check_length(parameter, value, "characters")
    return value


def _read_bits(parameter: Parameter, value: Any) -> str:
    text = _read_text(parameter, value)
    if not text or set(text) - {"0", "1"}:
        raise _InvalidValue(f"must consist of 0 and 1, got {_shorten(value)}")
    return text


def _read_texts(parameter: Parameter, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        value = [value]
    return tuple(_read_text(parameter, item) for item in _read_list(parameter, value))


def _read_ints(parameter: Parameter, value: Any) -> tuple[int, ...]:
    return tuple(_read_int(parameter, item) for item in _read_list(parameter, value))


def _read_floats(parameter: Parameter, value: Any) -> float | tuple[float, ...]:
    if not isinstance(value, list | tuple):
        return _read_float(parameter, value)
    return tuple(_read_float(parameter, item) for item in _read_list(parameter, value))


def _read_edges(parameter: Parameter, value: Any) -> tuple[tuple[int, int], ...]:
    edges = []
    for pair in _read_list(parameter, value):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise _InvalidValue(
                f"must be a list of pairs, got {_shorten(pair)} in it", "like [[0, 1]]"
            )
        edges.append((_read_int(parameter, pair[0]), _read_int(parameter, pair[1])))
    return tuple(edges)


def _read_list(parameter: Parameter, value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise _InvalidValue(f"must be a list, got {_shorten(value)}")
    _check_length(parameter, value, "entries")
    return value


def _check_length(parameter: Parameter, value: Sequence[Any], what: str) -> None:
    if len(value) > parameter.longest:
        raise _InvalidValue(f"has {len(value)} {what}, more than {parameter.longest}")


def _read_any(parameter: Parameter, value: Any) -> Any:
    return value


def _shorten(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'the text "{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_READERS: Mapping[str, Callable[[Parameter, Any], Any]] = {
    "int": _read_int,
    "float": _read_float,
    "bool": _read_bool,
    "text": _read_text,
    "bits": _read_bits,
    "ints": _read_ints,
    "floats": _read_floats,
    "texts": _read_texts,
    "edges": _read_edges,
    "any": _read_any,
}
