"""One circuit at one point of the sweep, with its results in one stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import label
from iqm_spec.stages.rows import Row
from iqm_spec.stages.shots import shots_of
from iqm_spec.store import Store
from iqm_spec.store.structure import to_json

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.result import Counts

    from iqm_spec.analysis.logical_error import Decoded, DetectionEvents
    from iqm_spec.packed_shots import Bits
    from iqm_spec.report import Subject


_OUTCOME = re.compile(r"[01]+( [01]+)*")
"""A bitstring as Qiskit prints it, with a space between registers."""


@frozen(repr=False)
class Point:
    """A point of a run in one stage."""

    _row: Row
    _store: Store
    _saved: SavedRun
    _subject: Callable[[], Subject]

    @property
    def id(self) -> str:
        """16 hex digits that identify the point in every run of the spec."""
        return self._row.point.id

    @property
    def circuit_name(self) -> str:
        """The circuit's name in the spec."""
        return self._row.point.name

    @property
    def values(self) -> Mapping[str, Json]:
        """The axes that the circuit uses, with this point's values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self._row.point.values
        }

    @property
    def repeat(self) -> int:
        """The number of the repeat, from 1."""
        return self._row.point.repeat + 1

    @property
    def stage(self) -> str:
        """`aer` or `hardware`."""
        return self._row.stage

    @property
    def emulated(self) -> bool:
        """Whether an emulator took the place of the server."""
        return self._row.emulated

    @property
    def target(self) -> str:
        """The machine's alias."""
        return self._row.point.target

    @property
    def shots(self) -> int:
        """Requested shots."""
        return self._row.point.shots

    @property
    def shots_returned(self) -> int | None:
        """Returned shots; None without counts."""
        return None if self._row.record is None else self._row.record.shots_returned

    @property
    def calibration_set_id(self) -> str | None:
        """The machine's calibration set; None for a simulation."""
        return self._row.calibration_set_id

    @property
    def counts(self) -> Counts:
        """Qiskit's `Counts`; empty if the run did not reach the point.

        Raises StoreCorrupt if an outcome is not a bitstring.
        """
        from qiskit.result import Counts

        if not all(_OUTCOME.fullmatch(bits) for bits in self._row.counts):
            raise StoreCorrupt(
                f"the counts of point {self.id} have outcomes that are not bitstrings",
                hint="`iqm-spec verify` and `iqm-spec reproduce` report all problems",
            )
        return Counts(dict(self._row.counts))

    @property
    def outcomes(self) -> Mapping[str, int]:
        """The counts as a plain mapping, without qiskit."""
        return self._row.counts

    @property
    def memory(self) -> Bits | None:
        """The bits of every shot in order, shots x classical bits of 0 and 1 (`memory: true`).

        Column i is classical bit i, counted through the registers: the character i from the right
        of a bitstring without spaces. None if the shots are not stored. Raises StoreCorrupt if they
        do not match the counts.
        """
        return shots_of(self._store, self._row)

    def detection_events(self) -> DetectionEvents:
        """For a Stim circuit: which detectors fired and which observables flipped in each shot.

        Raises UsageError if the circuit has no detectors, or its shots are not stored.
        """
        from iqm_spec.analysis.logical_error import detection_events

        with self._decoding() as (text, bits):
            return detection_events(text, bits)

    def decode(self, noise: float | None = None) -> Decoded:
        """Decode the shots of a Stim circuit by matching: the logical error rate.

        `noise` is the strength that the decoder assumes (docs/decoding.md). None uses the noise
        channels of the file, or 0.01 if it has none. Raises UsageError like `detection_events`.
        """
        from iqm_spec.analysis.logical_error import decode

        with self._decoding() as (text, bits):
            return decode(text, bits, noise)

    @contextmanager
    def _decoding(self) -> Iterator[tuple[str, Bits]]:
        """The Stim file and the shots; raises UsageError if they cannot be decoded."""
        from iqm_spec.analysis.logical_error import CannotDecode
        from iqm_spec.results.export import require_text

        bits = self.memory
        if bits is None:
            raise UsageError(
                f"the shots of point {self.id} are not stored",
                hint="add `memory: true` to the spec and run it again",
            )
        text = require_text(self._store, self._saved, self._row.point)
        try:
            yield text, bits
        except CannotDecode as error:
            raise UsageError(f"point {self.id}: {error}", hint=error.hint) from error

    @property
    def ideal(self) -> Mapping[str, float] | None:
        """Ideal probabilities: of all outcomes if `ideal_complete`, else of the observed ones."""
        return None if self._row.ideal is None else dict(self._row.ideal)

    @property
    def ideal_complete(self) -> bool:
        """Whether `ideal` has every possible outcome."""
        return bool(self._row.derived and self._row.derived.complete)

    @property
    def comparison(self) -> Mapping[str, Any] | None:
        """Distances to the ideal distribution with their errors (docs/results.md)."""
        comparison = self._row.comparison
        return None if comparison is None else dict(to_json(comparison))

    @property
    def qubits(self) -> int:
        """Qubits of the transpiled circuit."""
        return self._row.point.summary.qubits

    @property
    def depth(self) -> int:
        """Depth of the transpiled circuit, without barriers."""
        return self._row.point.summary.depth

    @property
    def gates(self) -> Mapping[str, int]:
        """How often each native instruction occurs in the transpiled circuit."""
        return dict(self._row.point.summary.gates)

    @property
    def circuit(self) -> QuantumCircuit:
        """The transpiled circuit, with one qubit for each of its components."""
        from iqm_spec.transpile import to_qiskit

        return to_qiskit(self._native)

    @property
    def components(self) -> tuple[str, ...]:
        """Physical names of the qubits (and resonators) of `circuit`, in their order."""
        return self._native.components

    @property
    def _native(self) -> NativeCircuit:
        point = self._row.point
        return circuits_of(self._store, self._saved.plan, [point])[point.circuit_key]

    @property
    def logical_circuit(self) -> QuantumCircuit | None:
        """The circuit before transpiling; None if that needs code of the spec's author."""
        from qiskit import QuantumCircuit

        from iqm_spec.report.logical import logical

        circuit = logical(self._subject(), [self._row.point])[self._row.point.id]
        return circuit if isinstance(circuit, QuantumCircuit) else None

    def __repr__(self) -> str:
        point = self._row.point
        stage = "emulated" if self.emulated else self.stage
        name = label(point.name, point.values, point.repeat)
        return f"<Point {name} ({stage}): {self.shots_returned or 0:,} shots>"
