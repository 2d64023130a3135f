"""Jobs that another program submitted, as the server has them, and the points that they fit.

Two circuits are the same where every qubit sees the same instructions in the same order, however
a program mixed instructions that share no qubit, and whatever full turns are in its angles. Names
of circuits and their metadata make no difference; the keys of measurements do, since counts are
read by them.
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
"""Fields of a submission that change how circuits are run."""

_MOST_TOLD = 3
_MOCK = ":mock"

DIGITS = 9
"""Decimals of angles that count: versions of Qiskit differ in the last ones."""

Form = tuple[str, ...]
"""A circuit's instructions in words, in an order that depends on what each qubit sees alone."""


@frozen
class ForeignJob:
    """A job at the server. `target` is its computer less `:mock`; `circuits` are (name, form)."""

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
        """The quantum computer that it was sent to."""
        return self.target + (_MOCK if self.stage is StageName.MOCK else "")


@frozen
class Candidate:
    """A point of the plan as a job of the server would hold it; `key` is the point's."""

    point: PlannedPoint
    key: str
    form: Form
    settings: Mapping[str, Json]

    @property
    def label(self) -> str:
        """How it is called."""
        return label(self.point.name, self.point.values, self.point.repeat)


# --- reading -------------------------------------------------------------------------------------


def read_foreign(connection: Connection, job_id: str, retry: Retry) -> ForeignJob:
    """The job of this id with its payload.

    Refused where it holds no circuits that can be compared, BadAnswer where the server does not
    tell enough.
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
        raise BadAnswer(f"the server does not say which quantum computer job {job_id} is of")
    try:
        payload = circuits_payload(read_payload(connection, job_id, retry))
    except ForeignPayload as error:
        raise Refused(
            f"job {job_id} cannot be imported: {error}",
            hint="nothing was imported: only circuits as lists of instructions match a spec's",
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
            (printable(str(one["name"])), form(one["instructions"], mapping))
            for one in payload["circuits"]
        ),
        payload=payload,
        terminal=report.terminal,
    )


def _alias(connection: Connection, raw: Any, retry: Retry) -> str:
    """The computer of a job: by its alias, or by its id in the list of computers."""
    from iqm_spec.server_api.computers import list_computers

    told = raw.get("qc") if isinstance(raw, dict) else None
    if not isinstance(told, dict):
        return ""
    if isinstance(told.get("alias"), str):
        return str(told["alias"])
    computers = list_computers(connection, retry)
    return next((one.alias for one in computers if one.id and one.id == told.get("id")), "")


# --- forms ---------------------------------------------------------------------------------------


def form(instructions: Iterable[Mapping[str, Any]], mapping: Mapping[str, str]) -> Form:
    """The form of a circuit's instructions; `mapping` gives the physical names of its qubits.

    Each instruction stands at the level after the highest one of its qubits so far; within a level
    no two share a qubit, and they stand in the order of their words.
    """
    level: dict[str, int] = {}
    placed = []
    for item in instructions:
        locus = [mapping.get(name, name) for name in item["locus"]]
        here = 1 + max((level.get(name, 0) for name in locus), default=0)
        level.update(dict.fromkeys(locus, here))
        placed.append((here, _words(item, locus, mapping)))
    return tuple(words for _, words in sorted(placed))


def _words(item: Mapping[str, Any], locus: Sequence[str], mapping: Mapping[str, str]) -> str:
    """`prx(angle=1.5, phase=0.0) on QB1`. The `feedback_qubit` of a cc_prx is a physical name."""
    args = _rotation(item["args"]) if item["name"] in ("prx", "cc_prx") else item["args"]
    if (source := args.get("feedback_qubit")) is not None:
        args = {**args, "feedback_qubit": mapping.get(source, source)}
    told = ", ".join(f"{key}={_value(value)}" for key, value in sorted(args.items()))
    implementation = item.get("implementation")
    kind = f" as {implementation}" if implementation else ""
    return f"{item['name']}{f'({told})' if told else ''}{kind} on {', '.join(locus)}"


def _rotation(args: Mapping[str, Any]) -> Mapping[str, Any]:
    """The angles of a prx, the same ones for the same rotation, whatever turns they are written in.

    prx(-a, p) is prx(a, p + pi), and a turn more changes the global phase alone.
    """
    angle, phase = float(args["angle"]) % tau, float(args["phase"])
    if angle > pi:
        angle, phase = tau - angle, phase + pi
    angle = round(angle, DIGITS)
    period = pi if angle == round(pi, DIGITS) else tau
    phase = round(phase % period, DIGITS)
    return {**args, "angle": angle, "phase": 0.0 if phase == round(period, DIGITS) else phase}


def _value(value: Json) -> str:
    """Numbers as floats: a server may spell 0.0 as 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value) + 0.0) if is_number else json.dumps(value)  # type: ignore[arg-type]


def candidates(
    points: Iterable[PlannedPoint], keys: Iterable[str], circuits: Mapping[str, NativeCircuit]
) -> list[Candidate]:
    """The points of a plan as a job would hold them; `circuits` by the asks of points."""
    from iqm_spec.server_api.payload import job_body

    forms: dict[str, Form] = {}
    found = []
    for point, key in zip(points, keys, strict=True):
        if point.circuit_key not in forms:
            body = json.loads(job_body([(point.name, circuits[point.circuit_key])], 1, None, {}))
            forms[point.circuit_key] = form(body["circuits"][0]["instructions"], {})
        shared = json.loads(job_body([], point.shots, None, point.options))
        settings = {name: shared[name] for name in OPTIONS}
        found.append(Candidate(point, key, forms[point.circuit_key], settings))
    return found


# --- matching ------------------------------------------------------------------------------------


def match(
    job: ForeignJob,
    found: Sequence[Candidate],
    calibration: str,
    taken: Collection[str],
) -> tuple[list[Candidate], str]:
    """The point of each circuit of a job, or in words why the job does not fit the spec.

    `found` are all points of the plan, `calibration` the spec's policy. A point whose key is
    `taken` has a job already and stands for no other.
    """
    ours = [one for one in found if one.point.target == job.target]
    if not ours:
        listed = ", ".join(dict.fromkeys(one.point.target for one in found))
        return [], f"it was sent to {job.computer}; the spec is of {listed}"
    if calibration not in ("pin", "latest", job.calibration_set_id):
        return [], f"it ran under the calibration set {job.calibration_set_id}, not {calibration}"
    alike = [one for one in ours if not _differences(job, one)]
    if not alike:
        return [], min((_differences(job, one) for one in ours), key=len)[0]
    free: dict[Form, list[Candidate]] = {}
    for one in alike:
        if one.key not in taken:
            free.setdefault(one.form, []).append(one)
    chosen: list[Candidate] = []
    wrong: list[str] = []
    for number, (name, made) in enumerate(job.circuits, 1):
        fits = free.get(made)
        if fits:
            first = fits.pop(0)
            free[made] = [one for one in fits if one.key != first.key]
            chosen.append(first)
        elif len(wrong) < _MOST_TOLD:
            wrong.append(f"circuit {number} ({name}) {_why(job, made, ours, taken)}")
    bad = len(job.circuits) - len(chosen)
    more = f"; and {count(bad - len(wrong), 'circuit')} more" if bad > len(wrong) else ""
    return chosen, "; ".join(wrong) + more


def _why(job: ForeignJob, made: Form, ours: Sequence[Candidate], taken: Collection[str]) -> str:
    """Why a circuit is none of the points: how it differs from the nearest."""
    nearest = min(ours, key=lambda one: (_distance(made, one.form), len(_differences(job, one))))
    told = _differences(job, nearest)
    if made != nearest.form:
        told.append(_first_difference(made, nearest.form))
    if told:
        return f"is not {nearest.label}: {', '.join(told)}"
    if nearest.key in taken:
        return f"is {nearest.label}, which has a job already (`repeat` asks for more than one)"
    return f"is {nearest.label}, as is another circuit of the job (`repeat` asks for both)"


def _differences(job: ForeignJob, one: Candidate) -> list[str]:
    """In which shots and options a job differs from a point."""
    told = []
    if job.shots != one.point.shots:
        told.append(f"{job.shots:,} shots in the job and {one.point.shots:,} in the spec")
    for name in OPTIONS:
        theirs, ours = job.settings[name], one.settings[name]
        if theirs != ours:
            told.append(f"{name} is {_value(theirs)} in the job and {_value(ours)} in the spec")
    return told


def _distance(one: Form, other: Form) -> int:
    """Number of instructions that only one of two circuits has."""
    here, there = Counter(one), Counter(other)
    return (here - there).total() + (there - here).total()


def _common(one: Form, other: Form) -> int:
    """Number of instructions that two circuits begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _first_difference(theirs: Form, ours: Form) -> str:
    """The first instructions that one of two circuits has alone, or where the order differs."""
    extra, missing = Counter(theirs) - Counter(ours), Counter(ours) - Counter(theirs)
    there = next((words for words in theirs if words in extra), "")
    here = next((words for words in ours if words in missing), "")
    if there and here:
        return f"the first difference is {there} in the job and {here} in the spec"
    if there or here:
        which = f"{there} is in the job alone" if there else f"{here} is in the spec alone"
        return f"the first difference: {which}"
    at = _common(theirs, ours)
    return f"the order differs: {theirs[at]} in the job where the spec has {ours[at]}"
