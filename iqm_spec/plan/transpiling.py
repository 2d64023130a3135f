"""Transpiles the circuits that a plan lacks: families of circuits together, others singly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from attrs import define, evolve, field, frozen

from iqm_spec.errors import IqmSpecError, WrongCircuit
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind, SpecPoint
from iqm_spec.native import Native, Template
from iqm_spec.plan.label import count
from iqm_spec.plan.placing import Placer, machine_of, placement_errors
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.targets import ErrorProfile
from iqm_spec.version import __version__

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from iqm_spec.transpile.family import Family


AT_ONCE = 10
"""Circuits that are transpiled one by one between two reports of progress."""

FAMILY_AT_ONCE = 2000
"""Circuits of one family between two reports of progress."""

Progress = tuple[int, int]

KeyedPoints = Sequence[tuple[str, SpecPoint]]
"""Points with their circuit keys; the points of a group share target and options."""


def make_natives(
    checked: CheckedSpec, missing: Mapping[str, SpecPoint], made: dict[str, Native]
) -> Iterator[Progress | Crosschecked]:
    """Puts the circuits of `missing` into `made`, by circuit key; yields (done, total) meanwhile.

    Each is checked against an independent reading of its source first, where there is one; how
    many were checked is yielded last. `WrongCircuit` where they differ.
    """
    from iqm_spec.transpile import violations

    known: dict[str, Template] = {}
    tally = CrosscheckTally(checked)
    placer = Placer(checked)
    yield 0, len(missing)
    # groups of points whose circuits differ in numbers alone
    groups: dict[Any, list[tuple[str, SpecPoint]]] = {}
    for circuit_key, point in missing.items():
        parts = checked.parts(point)
        alike = (point.circuit, point.layout, parts.family_key) if parts else None
        shared = (point.target, point.region, tuple(sorted(point.transpile.items())), alike)
        groups.setdefault(shared, []).append((circuit_key, point))
    for group in groups.values():
        machine = machine_of(checked, group[0][1])
        for natives in _in_parts(checked, group, tally, placer):
            for circuit_key, native in natives:
                digest = native.template.digest
                if digest not in known:
                    known[digest] = native.template
                    # an assertion: what the machine cannot run is a bug of iqm-spec
                    if wrong := violations(native.circuit(), machine):
                        raise AssertionError(
                            f"transpiled for {machine.alias}: {'; '.join(wrong[:3])}"
                        )
                made[circuit_key] = Native(known[digest], native.angles, native.written)
            yield len(made), len(missing)
    yield tally.result()


def _in_parts(
    checked: CheckedSpec, group: KeyedPoints, tally: CrosscheckTally, placer: Placer
) -> Iterator[list[tuple[str, Native]]]:
    families, written = _families(checked, group[0][1])
    size = FAMILY_AT_ONCE if families else AT_ONCE
    for start in range(0, len(group), size):
        batch = group[start : start + size]
        if not families:
            yield _singly(checked, batch, tally, placer)
            continue
        # first the circuits whose values the families serve, then the others one by one
        import numpy as np

        numbers = [parts.values for _, point in batch if (parts := checked.parts(point))]
        values = np.array(numbers, dtype=float)
        served = families[0].serves(values)  # it depends on the circuit alone, not on its routing
        alike = [item for item, is_served in zip(batch, served, strict=True) if is_served]
        routings = [family.natives(values[served]) for family in families]
        natives = [
            _with_written(_placed(placer, point, candidates), written)
            for (_, point), candidates in zip(alike, zip(*routings, strict=True), strict=True)
        ]
        tally.check_alike(alike, natives)
        yield [
            (circuit_key, native) for (circuit_key, _), native in zip(alike, natives, strict=True)
        ]
        rest = [item for item, is_served in zip(batch, served, strict=True) if not is_served]
        for first in range(0, len(rest), AT_ONCE):
            yield _singly(checked, rest[first : first + AT_ONCE], tally, placer)


def _placed(placer: Placer, point: SpecPoint, candidates: Sequence[Native]) -> Native:
    """The best of several routings of a point's circuit, each on its best qubits."""
    placed = [placer.placed(point, native) for native in candidates]
    return placed[0] if len(placed) == 1 else placer.best_of(point, placed)


@frozen
class _Trial:
    """A routing to try: the transpiler's options, and the errors that it sees, if any."""

    options: dict[str, Json]
    errors: ErrorProfile | None = None


def _trials(checked: CheckedSpec, point: SpecPoint) -> list[_Trial]:
    """The routings to try; of several, each second one sees the machine's errors."""
    from iqm_spec.transpile.route import LARGEST_TRANSPILE_SEED

    options = {name: value for name, value in point.transpile.items() if name != "trials"}
    number = cast("int", point.transpile.get("trials", 1))
    if number == 1:
        return [_Trial(options)]
    first, errors = cast("int", options.get("seed", 0)), placement_errors(checked, point)
    return [
        _Trial(
            {**options, "seed": (first + trial) % (LARGEST_TRANSPILE_SEED + 1)},
            errors if trial % 2 else None,
        )
        for trial in range(number)
    ]


def _families(checked: CheckedSpec, point: SpecPoint) -> tuple[list[Family], tuple[int, int]]:
    """A family of the point for each routing, if there are, and the gates of its circuit."""
    from iqm_spec.transpile.family import family_of
    from iqm_spec.transpile.pipeline import gate_numbers

    free = checked.build_free(point) if checked.parts(point) else None
    if free is None:
        return [], (0, 0)
    machine = machine_of(checked, point)
    families = [
        family_of(*free, machine, trial.options, point.layout, trial.errors)
        for trial in _trials(checked, point)
    ]
    return [family for family in families if family is not None], gate_numbers(free[0])


def _singly(
    checked: CheckedSpec, batch: KeyedPoints, tally: CrosscheckTally, placer: Placer
) -> list[tuple[str, Native]]:
    from iqm_spec.transpile import transpile_many
    from iqm_spec.transpile.pipeline import gate_numbers

    sample = batch[0][1]
    circuits = [checked.build(point) for _, point in batch]
    layouts = [point.layout for _, point in batch]
    machine = machine_of(checked, sample)
    routings = [
        transpile_many(circuits, machine, trial.options, layouts, trial.errors)
        for trial in _trials(checked, sample)
    ]
    made = []
    for (circuit_key, point), circuit, candidates in zip(
        batch, circuits, zip(*routings, strict=True), strict=True
    ):
        placed = _placed(placer, point, [Native.of(candidate) for candidate in candidates])
        native = _with_written(placed, gate_numbers(circuit))
        tally.check(circuit_key, point, native, circuit)
        made.append((circuit_key, native))
    return made


def _with_written(native: Native, written: tuple[int, int]) -> Native:
    """The circuit; with the numbers of its gates as written where few of them are left."""
    from iqm_spec.transpile.pipeline import collapses

    gates = native.template.summary.gates
    return evolve(native, written=written) if collapses(written, gates) else native


ALL_ALONE = 2000
"""Circuits with a routing of their own that are all checked; of further ones, one in eight is."""

PER_ROUTING = 5
"""Circuits that are checked of those that share all but their angles."""

ANGLES_ALONE = "differs from a checked circuit in angles alone"
VERY_MANY = "one of very many circuits"

_APPROXIMATES = 2
"""The optimization level from which on Qiskit leaves small things out."""


@frozen
class Crosschecked:
    """How many transpiled circuits agreed with their source, and how many were not checked."""

    agreed: int
    not_checked: Mapping[str, int]

    def to_json(self) -> dict[str, Json]:
        """The entry `crosscheck` of a run's answer."""
        return {"agreed": self.agreed, "not_checked": dict(self.not_checked)}

    @property
    def words(self) -> str:
        """`25 circuits transpiled; 14 agree with an independent reading, 11 ...`."""
        total = self.agreed + sum(self.not_checked.values())
        agreed = f"{self.agreed:,} agree{'s' * (self.agreed == 1)} with an independent reading"
        words = [agreed]
        for reason, number in self.not_checked.items():
            if reason == ANGLES_ALONE:
                words.append(f"{number:,} differ{'s' * (number == 1)} from a checked one in angles")
            else:
                words.append(f"{number:,} not checked ({reason})")
        return f"{count(total, 'circuit')} transpiled; {', '.join(words)}"


@define
class CrosscheckTally:
    """Checks and counts transpiled circuits; raises `WrongCircuit` for a circuit that is wrong."""

    checked: CheckedSpec
    _agreed: int = 0
    _not_checked: dict[str, int] = field(factory=dict)
    _routed_singly: int = 0

    def check(
        self, circuit_key: str, point: SpecPoint, native: Native, built: QuantumCircuit
    ) -> None:
        """Check a circuit with a routing of its own, transpiled from `built`."""
        self._routed_singly += 1
        if self._routed_singly > ALL_ALONE and int(circuit_key[:1], 16) % 8:
            self._count(VERY_MANY)
            return
        self._count_verdict(self._verdict(point, native, built))

    def check_alike(
        self, keyed_points: Sequence[tuple[str, SpecPoint]], natives: Sequence[Native]
    ) -> None:
        """Check some circuits of each template among circuits that share a routing."""
        alike: dict[str, list[int]] = {}
        for number, native in enumerate(natives):
            alike.setdefault(native.template.digest, []).append(number)
        for numbers in alike.values():
            circuit_keys = [keyed_points[number][0] for number in numbers]
            by_digest = sorted(range(len(circuit_keys)), key=circuit_keys.__getitem__)
            ends = {0, len(circuit_keys) - 1}
            chosen = ends | set(by_digest[: PER_ROUTING - len(ends)])
            reasons = []
            for place in sorted(chosen):
                number = numbers[place]
                verdict = self._verdict(keyed_points[number][1], natives[number], None)
                reasons += [] if verdict is None else [verdict]
                self._count_verdict(verdict)
            rest = len(numbers) - len(chosen)
            if rest:
                self._count(reasons[0] if reasons else ANGLES_ALONE, rest)

    def result(self) -> Crosschecked:
        """The counts so far."""
        return Crosschecked(self._agreed, dict(sorted(self._not_checked.items())))

    def _verdict(
        self, point: SpecPoint, native: Native, built: QuantumCircuit | None
    ) -> str | None:
        """Why there was no check; None where the circuit agrees with its source."""
        # imported here, so that a run that makes no circuits starts faster
        from iqm_spec.crosscheck import (
            APPROXIMATE,
            TOLERANCE,
            Agrees,
            Differs,
            NotReadable,
            crosscheck,
            readings_of_circuit,
            readings_of_file,
        )
        from iqm_spec.transpile.route import options_from

        try:
            kind = self.checked.spec.circuits[point.circuit].kind
            if kind is SourceKind.QASM:
                readings = readings_of_file(self.checked.files[point.ref], point.parameters)
            else:
                circuit = self.checked.build(point) if built is None else built
                readings = readings_of_circuit(circuit)
            level = options_from(point.transpile).optimization_level
            tolerance = APPROXIMATE if level >= _APPROXIMATES else TOLERANCE
            verdict = crosscheck(readings, native.circuit(), tolerance)
        except NotReadable as unread:
            return unread.reason
        except IqmSpecError:
            raise
        except Exception as error:  # noqa: BLE001 - a flaw of the check is reported, and stops no run
            return f"the check failed with {type(error).__name__}"
        if isinstance(verdict, Differs):
            values = ", ".join(f"{axis} = {value}" for axis, value in point.values)
            at = f" at {values}" if values else ""
            versions = f"iqm-spec {__version__}, qiskit {version('qiskit')}"
            raise WrongCircuit(
                f"the circuit `{point.name}`{at}, transpiled for {point.target}, does not do what "
                f"`{point.ref}` says: {verdict.what} (total variation distance "
                f"{verdict.distance:.3g}; {versions})",
                hint="this is a bug of iqm-spec or Qiskit, not of your spec: please report it with "
                "the spec and the circuit's file; nothing was stored or submitted",
            )
        return None if isinstance(verdict, Agrees) else verdict.reason

    def _count_verdict(self, verdict: str | None) -> None:
        if verdict is None:
            self._agreed += 1
        else:
            self._count(verdict)

    def _count(self, reason: str, number: int = 1) -> None:
        self._not_checked[reason] = self._not_checked.get(reason, 0) + number
