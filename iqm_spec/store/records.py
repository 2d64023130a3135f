"""The headers and records of every kind of pack.

A record has a `key` by which it is found. A field with a default is left out of the JSON where it
has it, unless it is `nullable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from attrs import frozen

from iqm_spec.json_types import Scalar
from iqm_spec.model import Values
from iqm_spec.native import CircuitSummary
from iqm_spec.store.events import DeclaredAnalyses, SpecName
from iqm_spec.store.structure import Counts, Digest, JsonObject, Natural, Number, nullable

R = TypeVar("R")


class PackKind(str, Generic[R]):
    """The name of a kind of packs, which knows the class of their records."""

    __slots__ = ()


# --- plans and circuits --------------------------------------------------------------------------


@frozen
class AerSettings:
    """How the Aer stage simulates."""

    method: str
    device: str


@frozen
class PlanHeader:
    """What all points of a plan share.

    `ask` is the plan key. `stages`, `mode`, `seed`, `calibration`, `order` and `require` are the
    spec's. `references` are names of reference circuits with after how many others they are
    measured again. `noise` has the digest of each target's error profile (None is ideal),
    `circuits` the digests of the packs that hold the transpiled circuits. `placement` has the
    digests of the objects with the errors by which circuits were placed, by target; `avoid` and
    `region` are the spec's.
    """

    ask: Digest
    spec: SpecName
    stages: tuple[str, ...]
    mode: str
    seed: Natural
    calibration: str
    references: Mapping[str, int]
    require: Mapping[str, JsonObject]
    noise: Mapping[str, Digest | None]
    circuits: tuple[Digest, ...]
    aer: AerSettings
    order: str = nullable("spec")
    readout_mitigation: bool = False
    placement: Mapping[str, Digest] | None = None
    avoid: tuple[str, ...] = ()
    region: tuple[str, ...] = ()


@frozen
class PlanRecord:
    """One point of a plan, by its number.

    `point` is the point's id, `circuit` the circuit's name. `ask` is the circuit key, `native` the
    digest of the transpiled circuit.
    """

    key: str
    point: str
    circuit: str
    values: Values
    repeat: Natural
    shots: Natural
    target: str
    options: JsonObject
    ask: Digest
    native: Digest
    summary: CircuitSummary
    priority: Number = 0
    memory: bool = False


@frozen
class CircuitRecord:
    """A transpiled circuit by its circuit key: a template's digest and its angles in radians."""

    key: str
    skeleton: Digest
    angles: tuple[Number, ...]
    written: tuple[Natural, Natural] | None = None


class StoredOp(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """An instruction `[name, qubits, params, clbits]` as `model.Op`, less empty tails."""

    name: str
    qubits: tuple[Natural, ...]
    params: tuple[Number, ...] = ()
    clbits: tuple[Natural, ...] = ()


@frozen
class TemplateCircuit:
    """A native circuit whose `r` have no angles, as `model.NativeCircuit`."""

    format: str
    components: tuple[str, ...]
    registers: tuple[tuple[str, Natural], ...]
    ops: tuple[StoredOp, ...]


@frozen
class TemplateRecord:
    """A template by its digest."""

    key: str
    circuit: TemplateCircuit


# --- results -------------------------------------------------------------------------------------


@frozen
class SimulatedRecord:
    """Counts of one point that were simulated by `method`; `notes` are text for people."""

    calibration_set_id: ClassVar[None] = None

    key: str
    counts: Counts
    shots_returned: Natural
    method: str | None = None
    notes: tuple[str, ...] = nullable(())


@frozen
class MeasuredRecord:
    """Counts of one point from a server, under one calibration set of the quantum computer."""

    method: ClassVar[None] = None

    key: str
    counts: Counts
    shots_returned: Natural
    calibration_set_id: str | None = nullable()


CountsRecord = SimulatedRecord | MeasuredRecord


@frozen
class ShotsRecord:
    """The shots of one point in their order: `bits` as `memory.py` packs them."""

    key: str
    shots: Natural
    width: Natural
    bits: str


@frozen
class StoredComparison:
    """Distances of counts to the ideal distribution, as `analysis.Comparison` has them."""

    hellinger_fidelity: Number
    hellinger_fidelity_error: Number
    total_variation_distance: Number
    total_variation_distance_error: Number
    perfect_hellinger_fidelity: Number
    perfect_hellinger_fidelity_spread: Number
    perfect_total_variation_distance: Number
    perfect_total_variation_distance_spread: Number


@frozen
class DerivedRecord:
    """The ideal probabilities of counts, and the distances to them.

    `complete`: every outcome that can occur is among the probabilities. `reason`: why there are
    none.
    """

    key: str
    comparison: StoredComparison | None
    ideal: Mapping[str, Number] | None = nullable()
    complete: bool | None = None
    reason: str | None = None


@frozen
class StoredMerit:
    """A figure of merit, its standard error and its interval."""

    name: str
    value: Number
    error: Number | None = nullable()
    low: Number | None = nullable()
    high: Number | None = nullable()


@frozen
class StoredCurve:
    """The points that a figure was fitted to, and the fit."""

    axis: str
    x: tuple[Number, ...]
    y: tuple[Number, ...]
    errors: tuple[Number, ...] = nullable(())
    fit_x: tuple[Number, ...] = nullable(())
    fit_y: tuple[Number, ...] = nullable(())


@frozen
class AnalysesHeader:
    """The plan whose results were analysed, and the analyses with their options."""

    plan: Digest
    analysis: DeclaredAnalyses


@frozen
class AnalysisRecord:
    """The result of one analysis of one group of points, as `analysis.Analysed` has it."""

    key: str
    analysis: str
    stage: str
    emulated: bool
    circuit: str
    values: Mapping[str, Scalar | tuple[Scalar, ...] | None]
    points: tuple[str, ...]
    merits: tuple[StoredMerit, ...]
    curve: StoredCurve | None = nullable()
    notes: tuple[str, ...] = nullable(())
    details: JsonObject | None = nullable()


Record = (
    PlanRecord
    | CircuitRecord
    | TemplateRecord
    | SimulatedRecord
    | MeasuredRecord
    | ShotsRecord
    | DerivedRecord
    | AnalysisRecord
)
Header = PlanHeader | AnalysesHeader

PLAN: PackKind[PlanRecord] = PackKind("plan")
CIRCUITS: PackKind[CircuitRecord] = PackKind("circuits")
TEMPLATES: PackKind[TemplateRecord] = PackKind("skeletons")
AER_RECORDS: PackKind[SimulatedRecord] = PackKind("aer-records")
MOCK_RECORDS: PackKind[MeasuredRecord] = PackKind("mock-records")
HARDWARE_RECORDS: PackKind[MeasuredRecord] = PackKind("hardware-records")
AER_MEMORY: PackKind[ShotsRecord] = PackKind("aer-memory")
HARDWARE_MEMORY: PackKind[ShotsRecord] = PackKind("hardware-memory")
AER_DERIVED: PackKind[DerivedRecord] = PackKind("aer-derived")
HARDWARE_DERIVED: PackKind[DerivedRecord] = PackKind("hardware-derived")
ANALYSES: PackKind[AnalysisRecord] = PackKind("analyses")

RECORDS: Mapping[str, type[Any]] = {
    PLAN: PlanRecord,
    CIRCUITS: CircuitRecord,
    TEMPLATES: TemplateRecord,
    AER_RECORDS: SimulatedRecord,
    MOCK_RECORDS: MeasuredRecord,
    HARDWARE_RECORDS: MeasuredRecord,
    AER_MEMORY: ShotsRecord,
    HARDWARE_MEMORY: ShotsRecord,
    AER_DERIVED: DerivedRecord,
    HARDWARE_DERIVED: DerivedRecord,
    ANALYSES: AnalysisRecord,
}
"""Kind of a pack to the class of its records."""

HEADERS: Mapping[str, type[Any]] = {PLAN: PlanHeader, ANALYSES: AnalysesHeader}
"""Kind of a pack to the class of its header."""
