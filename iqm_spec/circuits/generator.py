"""A generator: builds the circuits of one family from arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from attrs import Factory, frozen

from iqm_spec.circuits import arguments
from iqm_spec.circuits.arguments import Args, ArgumentProblem, Parameter
from iqm_spec.circuits.errors import CircuitError
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MOST_GATES = 2_000_000
"""Gates of one generated circuit, as `Generator.size` estimates them."""


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
        complete, problems = arguments.examine(self.parameters, args)
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
        return arguments.complete(self.parameters, args)

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
