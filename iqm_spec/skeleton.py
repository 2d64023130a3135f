"""Native circuits less their angles: what all points of a sweep can share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from iqm_spec.canonical import canonical, sha256
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op

Angles = tuple[float, ...]
"""(theta, phi) of each `r` in the order of a skeleton's instructions, in radians."""


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

    def to_json(self) -> dict[str, Json]:
        """As a plan holds it."""
        told: dict[str, Json] = {
            "qubits": self.qubits,
            "depth": self.depth,
            "gates": dict(self.gates),
        }
        return told if self.written is None else {**told, "written": list(self.written)}


@frozen(slots=False, eq=False)
class Skeleton:
    """A native circuit whose `r` have no angles yet; everything else is as in `bare`.

    Equal by digest, which makes it a quick key.
    """

    bare: NativeCircuit

    @classmethod
    def of(cls, circuit: NativeCircuit) -> tuple[Skeleton, Angles]:
        """The skeleton of a circuit, and its angles."""
        angles = tuple(angle for op in circuit.ops if op.name == "r" for angle in op.params)
        ops = tuple(evolve(op, params=()) if op.name == "r" else op for op in circuit.ops)
        return cls(evolve(circuit, ops=ops)), angles

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Skeleton:
        """The skeleton that `to_json` wrote."""
        return cls(NativeCircuit.from_json(data))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Skeleton) and (self is other or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_json(self) -> dict[str, Json]:
        """As a circuit's JSON, each `r` without angles."""
        return self.bare.to_json()

    def fill(self, angles: Angles) -> NativeCircuit:
        """The circuit with these angles."""
        if len(angles) != 2 * self.turns:
            raise ValueError(f"{2 * self.turns} angles are wanted, got {len(angles)}")
        left = iter(angles)
        ops = [
            Op("r", op.qubits, (next(left), next(left))) if op.name == "r" else op
            for op in self.bare.ops
        ]
        return evolve(self.bare, ops=tuple(ops))

    def digest_of(self, angles: Angles) -> str:
        """Digest of the filled circuit: some thirty times faster than to make it and ask it."""
        texts = self._texts
        parts = [texts[0]]
        for angle, text in zip(angles, texts[1:], strict=True):
            parts += (canonical(angle), text)
        return sha256(b"".join(parts))

    @cached_property
    def digest(self) -> str:
        """Sha256 of the canonical JSON."""
        return self.bare.digest

    @cached_property
    def summary(self) -> CircuitSummary:
        """The circuit in numbers."""
        bare = self.bare
        resonators = {op.qubits[1] for op in bare.ops if op.name == "move"}
        qubits = len(bare.components) - len(resonators)
        return CircuitSummary(qubits, bare.depth(), bare.counts())

    @cached_property
    def turns(self) -> int:
        """Number of `r`, each of which takes two angles."""
        return sum(op.name == "r" for op in self.bare.ops)

    @cached_property
    def _texts(self) -> list[bytes]:
        """Canonical JSON of a filled circuit, cut where its angles stand."""
        names = {name for name, _ in self.bare.registers} | set(self.bare.components)
        mark = "@"
        while mark in names:
            mark += "@"
        data = self.to_json()
        ops: Any = data["ops"]
        filled = [[*op, [mark, mark]] if op[0] == "r" else op for op in ops]
        return canonical({**data, "ops": filled}).split(canonical(mark))


@frozen
class Native:
    """A transpiled circuit as a folder keeps it: a skeleton and its angles.

    `written` are the numbers of gates on several qubits and on one that the circuit had before,
    kept where transpiling left little of them.
    """

    skeleton: Skeleton
    angles: Angles = field(repr=False)
    written: tuple[int, int] | None = field(default=None, eq=False)

    @classmethod
    def of(cls, circuit: NativeCircuit) -> Native:
        """`circuit` taken apart."""
        return cls(*Skeleton.of(circuit))

    @property
    def digest(self) -> str:
        """Digest of the circuit."""
        return self.skeleton.digest_of(self.angles)

    @property
    def summary(self) -> CircuitSummary:
        """Its skeleton's, with `written` where that is kept."""
        told = self.skeleton.summary
        return told if self.written is None else evolve(told, written=self.written)

    def circuit(self) -> NativeCircuit:
        """The whole circuit."""
        return self.skeleton.fill(self.angles)
