"""A generator: circuits of one family by their arguments."""

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
    """A family of circuits. `version` is raised whenever the circuit of some arguments changes.

    `circuit` builds from complete arguments; `shape` tells its facts without qiskit, where None the
    circuit is built for them; `size` bounds its number of gates from above; `rules` yields mistakes
    between arguments that are sound one by one. `example` holds arguments for the documentation.
    `source` is what tells circuits apart besides name and version: the digest of a user's own code,
    the version of an installed package.
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
        """Every mistake in `args`; those between arguments once each is sound by itself."""
        return self._examine(args)[1]

    def _examine(self, args: Mapping[str, Json]) -> tuple[Args, list[ArgumentProblem]]:
        whole, problems = arguments.examine(self.parameters, args)
        if problems:
            return whole, problems
        if self.rules is not None:
            problems += self.rules(whole)
        if not problems and self.size is not None and self.size(whole) > MOST_GATES:
            text = f"the circuit would have about {self.size(whole):,} gates"
            problems.append(ArgumentProblem(None, text, f"at most {MOST_GATES:,} are built"))
        return whole, problems

    def complete(self, args: Mapping[str, Json]) -> dict[str, Json]:
        """Sound `args` with defaults filled in, as they enter the circuit's identity."""
        return arguments.complete(self.parameters, args)

    def facts(self, args: Mapping[str, Json]) -> CircuitFacts:
        """Facts of the circuit of `args`; raises `CircuitError` where they are wrong."""
        return self._facts(self._sound(args))

    def facts_or_problems(self, args: Mapping[str, Json]) -> CircuitFacts | list[ArgumentProblem]:
        """Facts of the circuit of `args`, or every mistake in them: `check` and `facts` in one."""
        whole, problems = self._examine(args)
        return problems or self._facts(whole)

    def _facts(self, whole: Args) -> CircuitFacts:
        if self.shape is not None:
            return self.shape(whole)
        from iqm_spec.circuits.facts import facts_of

        return facts_of(self.circuit(whole))

    def build(self, args: Mapping[str, Json]) -> QuantumCircuit:
        """The measured circuit of `args`; raises `CircuitError` where they are wrong."""
        return self.circuit(self._sound(args))

    def _sound(self, args: Mapping[str, Json]) -> Args:
        whole, problems = self._examine(args)
        if problems:
            text = "; ".join(problem.message for problem in problems)
            raise CircuitError("S406", f"generator `{self.name}`: {text}", hint=problems[0].hint)
        return whole


def all_measured(qubits: int) -> CircuitFacts:
    """Facts of a circuit that measures all of its qubits into `c`."""
    return CircuitFacts(num_qubits=qubits, num_clbits=qubits, measured=qubits)
