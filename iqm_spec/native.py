"""Native circuits as a template and angles: points of a sweep share the template."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from iqm_spec.canonical import canonical, sha256
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op

Angles = tuple[float, ...]
"""theta and phi of each `r` in turn, in the order of a template's instructions; radians."""


@frozen
class CircuitSummary:
    """A native circuit in numbers: qubits, depth, and how often each native gate occurs.

    `written`: gates on several qubits and on one that the circuit had before it was transpiled,
    where that left little of them. A resonator that a qubit is moved to is no qubit.
    """

    qubits: int
    depth: int
    gates: Mapping[str, int]
    written: tuple[int, int] | None = None


@frozen(slots=False, eq=False)
class Template:
    """A native circuit without the angles of its `r`.

    `structure` is the circuit with `r` that have no parameters. Templates compare and hash by
    digest, so that they are cheap dictionary keys.
    """

    structure: NativeCircuit

    @classmethod
    def of(cls, circuit: NativeCircuit) -> tuple[Template, Angles]:
        """The template of a circuit, and its angles."""
        angles = tuple(angle for op in circuit.ops if op.name == "r" for angle in op.params)
        ops = tuple(evolve(op, params=()) if op.name == "r" else op for op in circuit.ops)
        return cls(evolve(circuit, ops=ops)), angles

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Template:
        """The template that `to_json` wrote."""
        return cls(NativeCircuit.from_json(data))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and (self is other or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_json(self) -> dict[str, Json]:
        """The JSON of a circuit whose `r` have no angles."""
        return self.structure.to_json()

    def with_angles(self, angles: Angles) -> NativeCircuit:
        """The circuit with these angles; ValueError where their number is wrong."""
        if len(angles) != 2 * self.num_rotations:
            raise ValueError(f"expected {2 * self.num_rotations} angles, got {len(angles)}")
        remaining = iter(angles)
        ops = [
            Op("r", op.qubits, (next(remaining), next(remaining))) if op.name == "r" else op
            for op in self.structure.ops
        ]
        return evolve(self.structure, ops=tuple(ops))

    def digest_of(self, angles: Angles) -> str:
        """Digest of the circuit with these angles, thirty times faster than by building it."""
        texts = self._texts
        parts = [texts[0]]
        for angle, text in zip(angles, texts[1:], strict=True):
            parts += (canonical(angle), text)
        return sha256(b"".join(parts))

    @cached_property
    def digest(self) -> str:
        """Sha256 of the canonical JSON."""
        return self.structure.digest

    @cached_property
    def summary(self) -> CircuitSummary:
        """The circuit in numbers."""
        circuit = self.structure
        resonators = {op.qubits[1] for op in circuit.ops if op.name == "move"}
        qubits = len(circuit.components) - len(resonators)
        return CircuitSummary(qubits, circuit.depth(), circuit.counts())

    @cached_property
    def num_rotations(self) -> int:
        """Number of `r`, each of which takes two angles."""
        return sum(op.name == "r" for op in self.structure.ops)

    @cached_property
    def _texts(self) -> list[bytes]:
        """Canonical JSON of a circuit with angles, cut at the angles."""
        names = {name for name, _ in self.structure.registers} | set(self.structure.components)
        mark = "@"
        while mark in names:
            mark += "@"
        data = self.to_json()
        ops: Any = data["ops"]
        filled = [[*op, [mark, mark]] if op[0] == "r" else op for op in ops]
        return canonical({**data, "ops": filled}).split(canonical(mark))


@frozen
class Native:
    """A transpiled circuit as the results folder stores it: a template and angles.

    `written` counts the gates on several qubits and on one qubit before transpilation; it is kept
    where transpilation removed most of them.
    """

    template: Template
    angles: Angles = field(repr=False)
    written: tuple[int, int] | None = field(default=None, eq=False)

    @classmethod
    def of(cls, circuit: NativeCircuit) -> Native:
        """`circuit` as template and angles."""
        return cls(*Template.of(circuit))

    @property
    def digest(self) -> str:
        """Digest of the circuit."""
        return self.template.digest_of(self.angles)

    @property
    def summary(self) -> CircuitSummary:
        """The template's, with `written` where that is kept."""
        summary = self.template.summary
        return summary if self.written is None else evolve(summary, written=self.written)

    def circuit(self) -> NativeCircuit:
        """The circuit with its angles."""
        return self.template.with_angles(self.angles)
