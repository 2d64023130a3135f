"""Jobs that another program submitted, as the server has them, and the points that they match.

Two circuits are the same if every qubit has the same instructions in the same order. The order of
instructions that share no qubit does not matter, nor do full turns in angles, names of circuits or
their metadata. Keys of measurements matter, because counts are read by them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import pi, tau
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.diagnostics import printable
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, StageName
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import PlannedPoint

if TYPE_CHECKING:
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.server_api.retry import Retry


OPTIONS = (
    "heralding_mode",
    "dd_mode",
    "dd_strategy",
    "active_reset_cycles",
    "max_circuit_duration_over_t2",
    "move_gate_validation",
    "move_gate_frame_tracking",
)
"""Fields of a submission that change how circuits run."""

_MOST_LISTED = 3
_MOCK = ":mock"

DIGITS = 9
"""Decimals of angles that are compared: versions of Qiskit differ in the last ones."""

Form = tuple[str, ...]
"""A circuit's instructions as texts, in an order that depends only on each qubit's sequence."""


@frozen
class ForeignJob:
    """A job at the server.

    `target` is its quantum computer without `:mock`; `circuits` are (name, form).
    """

    id: str
    stage: StageName
    target: str
    shots: int
    settings: Mapping[str, Json]
    calibration_set_id: str | None
    circuits: tuple[tuple[str, Form], ...]
    payload: Mapping[str, Any]
    terminal: bool

    @property
    def computer(self) -> str:
        """The alias of the quantum computer that the job was submitted to."""
        return self.target + (_MOCK if self.stage is StageName.MOCK else "")


@frozen
class Candidate:
    """A point of the plan in the form in which a job has it; `key` is the point key."""

    point: PlannedPoint
    key: str
    form: Form
    settings: Mapping[str, Json]

    @property
    def label(self) -> str:
        """The point's name, with axis values and repeat."""
        return label(self.point.name, self.point.values, self.point.repeat)


# --- reading -------------------------------------------------------------------------------------


def read_foreign(connection: Connection, job_id: str, retry: Retry) -> ForeignJob:
    """Read the job of this id with its payload.

    Raises Refused if its circuits cannot be compared, BadAnswer if the server's report is
    incomplete.
    """
    from iqm_spec.server_api.errors import BadAnswer
    from iqm_spec.server_api.jobs import read_job, read_payload, require_circuits
    from iqm_spec.server_api.payload import ForeignPayload, circuits_payload

    report = read_job(connection, job_id, retry)
    kind = report.raw.get("type") if isinstance(report.raw, dict) else None
    kind = kind if isinstance(kind, str) else ""
    require_circuits(job_id, "it", kind, code="refused.import")
    alias = _alias(connection, report.raw, retry)
    if not alias:
        raise BadAnswer(f"the server does not report the quantum computer of job {job_id}")
    try:
        payload = circuits_payload(read_payload(connection, job_id, retry))
    except ForeignPayload as error:
        raise Refused(
            f"job {job_id} cannot be imported: {error}",
            hint="nothing was imported: only circuits as lists of instructions can be compared",
            code="refused.import",
        ) from None
    mapping = {
        item["logical_name"]: item["physical_name"] for item in payload["qubit_mapping"] or ()
    }
    return ForeignJob(
        id=job_id,
        stage=StageName.MOCK if alias.endswith(_MOCK) else StageName.HARDWARE,
        target=alias.removesuffix(_MOCK),
        shots=payload["shots"],
        settings={name: payload[name] for name in OPTIONS},
        calibration_set_id=report.calibration_set_id or payload["calibration_set_id"],
        circuits=tuple(
            (printable(str(circuit["name"])), form(circuit["instructions"], mapping))
            for circuit in payload["circuits"]
        ),
        payload=payload,
        terminal=report.terminal,
    )


def _alias(connection: Connection, raw: Any, retry: Retry) -> str:
    """The alias of a job's quantum computer, looked up by its id if needed; empty if unknown."""
    from iqm_spec.server_api.computers import list_computers

    qc = raw.get("qc") if isinstance(raw, dict) else None
    if not isinstance(qc, dict):
        return ""
    if isinstance(qc.get("alias"), str):
        return str(qc["alias"])
    computers = list_computers(connection, retry)
    return next(
        (computer.alias for computer in computers if computer.id and computer.id == qc.get("id")),
        "",
    )


# --- forms ---------------------------------------------------------------------------------------


def form(instructions: Iterable[Mapping[str, Any]], mapping: Mapping[str, str]) -> Form:
    """The form of a circuit's instructions; `mapping` has the physical names of its qubits.

    Each instruction has the level after the highest level of its qubits so far. Within a level no
    two instructions share a qubit, and they are sorted by their texts.
    """
    level: dict[str, int] = {}
    placed = []
    for item in instructions:
        locus = [mapping.get(name, name) for name in item["locus"]]
        own_level = 1 + max((level.get(name, 0) for name in locus), default=0)
        level.update(dict.fromkeys(locus, own_level))
        placed.append((own_level, _text(item, locus, mapping)))
    return tuple(text for _, text in sorted(placed))


def _text(item: Mapping[str, Any], locus: Sequence[str], mapping: Mapping[str, str]) -> str:
    """`prx(angle=1.5, phase=0.0) on QB1`. The `feedback_qubit` of a cc_prx is a physical name."""
    args = _rotation(item["args"]) if item["name"] in ("prx", "cc_prx") else item["args"]
    if (source := args.get("feedback_qubit")) is not None:
        args = {**args, "feedback_qubit": mapping.get(source, source)}
    arguments = ", ".join(f"{key}={_value(value)}" for key, value in sorted(args.items()))
    implementation = item.get("implementation")
    kind = f" as {implementation}" if implementation else ""
    return f"{item['name']}{f'({arguments})' if arguments else ''}{kind} on {', '.join(locus)}"


def _rotation(args: Mapping[str, Any]) -> Mapping[str, Any]:
    """The angles of a prx in a normal form: the same rotation has the same angles.

    prx(-a, p) is prx(a, p + pi), and a full turn changes only the global phase.
    """
    angle, phase = float(args["angle"]) % tau, float(args["phase"])
    if angle > pi:
        angle, phase = tau - angle, phase + pi
    angle = round(angle, DIGITS)
    period = pi if angle == round(pi, DIGITS) else tau
    phase = round(phase % period, DIGITS)
    return {**args, "angle": angle, "phase": 0.0 if phase == round(period, DIGITS) else phase}


def _value(value: Json) -> str:
    """A value as text, numbers as floats: a server may write 0.0 as 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value) + 0.0) if is_number else json.dumps(value)  # type: ignore[arg-type]


def candidates(
    points: Iterable[PlannedPoint], keys: Iterable[str], circuits: Mapping[str, NativeCircuit]
) -> list[Candidate]:
    """The points of a plan in the form in which a job has them; `circuits` by circuit key."""
    from iqm_spec.server_api.payload import job_body

    forms: dict[str, Form] = {}
    listed = []
    for point, key in zip(points, keys, strict=True):
        if point.circuit_key not in forms:
            body = json.loads(job_body([(point.name, circuits[point.circuit_key])], 1, None, {}))
            forms[point.circuit_key] = form(body["circuits"][0]["instructions"], {})
        shared = json.loads(job_body([], point.shots, None, point.options))
        settings = {name: shared[name] for name in OPTIONS}
        listed.append(Candidate(point, key, forms[point.circuit_key], settings))
    return listed


# --- matching ------------------------------------------------------------------------------------


def match(
    job: ForeignJob, points: Sequence[Candidate], calibration: str, taken: Collection[str]
) -> tuple[list[Candidate], str]:
    """The point of each circuit of a job, and a reason if the job does not match the spec.

    `points` are all points of the plan, `calibration` the spec's policy. A point whose key is
    `taken` has a job already and matches no other.
    """
    of_target = [candidate for candidate in points if candidate.point.target == job.target]
    if not of_target:
        targets = ", ".join(dict.fromkeys(candidate.point.target for candidate in points))
        return [], f"it ran on {job.computer}, and the spec's target is {targets}"
    if calibration not in ("pin", "latest", job.calibration_set_id):
        return [], f"it ran with the calibration set {job.calibration_set_id}, not {calibration}"
    alike = [candidate for candidate in of_target if not _differences(job, candidate)]
    if not alike:
        return [], min((_differences(job, candidate) for candidate in of_target), key=len)[0]
    free: dict[Form, list[Candidate]] = {}
    for candidate in alike:
        if candidate.key not in taken:
            free.setdefault(candidate.form, []).append(candidate)
    chosen: list[Candidate] = []
    reasons: list[str] = []
    for number, (name, circuit) in enumerate(job.circuits, 1):
        fits = free.get(circuit)
        if fits:
            first = fits.pop(0)
            free[circuit] = [candidate for candidate in fits if candidate.key != first.key]
            chosen.append(first)
        elif len(reasons) < _MOST_LISTED:
            reasons.append(f"circuit {number} ({name}) {_why(job, circuit, of_target, taken)}")
    unmatched = len(job.circuits) - len(chosen)
    rest = unmatched - len(reasons)
    more = f"; and {count(rest, 'circuit')} more" if rest > 0 else ""
    return chosen, "; ".join(reasons) + more


def _why(
    job: ForeignJob, circuit: Form, points: Sequence[Candidate], taken: Collection[str]
) -> str:
    """Why a circuit matches no point: how it differs from the nearest point."""

    def difference(candidate: Candidate) -> tuple[int, int]:
        in_job, in_spec = Counter(circuit), Counter(candidate.form)
        distance = (in_job - in_spec).total() + (in_spec - in_job).total()
        return distance, len(_differences(job, candidate))

    nearest = min(points, key=difference)
    differences = _differences(job, nearest)
    if circuit != nearest.form:
        differences.append(_first_difference(circuit, nearest.form))
    if differences:
        return f"is not {nearest.label}: {', '.join(differences)}"
    if nearest.key in taken:
        return f"is {nearest.label}, which has a job already (`repeat` allows more than one)"
    return f"is {nearest.label}, as is another circuit of the job (`repeat` allows both)"


def _differences(job: ForeignJob, candidate: Candidate) -> list[str]:
    """How shots and options of a job differ from those of a point."""
    differences = []
    if job.shots != candidate.point.shots:
        shots = candidate.point.shots
        differences.append(f"{job.shots:,} shots in the job and {shots:,} in the spec")
    for name in OPTIONS:
        in_job, in_spec = job.settings[name], candidate.settings[name]
        if in_job != in_spec:
            differences.append(
                f"{name} is {_value(in_job)} in the job and {_value(in_spec)} in the spec"
            )
    return differences


def _first_difference(in_job: Form, in_spec: Form) -> str:
    """The first instructions that only one of two circuits has, or where the order differs."""
    extra = Counter(in_job) - Counter(in_spec)
    missing = Counter(in_spec) - Counter(in_job)
    first_extra = next((text for text in in_job if text in extra), "")
    first_missing = next((text for text in in_spec if text in missing), "")
    if first_extra and first_missing:
        return f"the first difference is {first_extra} in the job and {first_missing} in the spec"
    if first_extra:
        return f"the first difference: only the job has {first_extra}"
    if first_missing:
        return f"the first difference: only the spec has {first_missing}"
    pairs = zip(in_job, in_spec, strict=True)
    job_text, spec_text = next((a, b) for a, b in pairs if a != b)
    return f"the order differs: the job has {job_text} where the spec has {spec_text}"
