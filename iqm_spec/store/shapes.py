"""The shape of everything that a results folder holds, as far as it is read (docs/results.md).

A file may have the right sha256 and yet be written by a stranger, or by a version to come: what
does not fit is told as such wherever it is read, and by `verify`.
"""

from __future__ import annotations

from collections.abc import Mapping

from iqm_spec.store.shape import (
    Shape,
    anything,
    counted,
    digest,
    either,
    fields,
    flag,
    listed,
    maybe,
    number,
    rising,
    row,
    scalar,
    table,
    text,
    whole,
)

_SPAN = rising("low", "expected", "high")
_COUNTED = fields({"counts": counted, "shots_returned": whole}, {"method": text})
_MEASURED = fields(
    {"counts": counted, "shots_returned": whole}, {"calibration_set_id": maybe(text)}
)
_MEMORY = fields({"shots": whole, "width": whole, "bits": text})
_DISTANCES = tuple(
    f"{perfect}{name}{more}"
    for perfect, more in (("", ""), ("", "_error"), ("perfect_", ""), ("perfect_", "_spread"))
    for name in ("hellinger_fidelity", "total_variation_distance")
)
_DERIVED = fields(
    {"comparison": maybe(fields(dict.fromkeys(_DISTANCES, number)))},
    {"ideal": maybe(table(number)), "complete": flag, "reason": maybe(text)},
)
_OP = row(text, listed(whole), listed(number), listed(whole), least=2)
_CURVE = fields(
    {"axis": text, "x": listed(number), "y": listed(number)},
    {"errors": listed(number), "fit_x": listed(number), "fit_y": listed(number)},
)
_MERIT = fields(
    {"name": text, "value": number},
    {"error": maybe(number), "low": maybe(number), "high": maybe(number)},
)
_VALUE = either(scalar, listed(scalar))

_TERMS = either(text, table(number))
_ANALYSES = fields(
    {},
    {
        **{
            name: fields(
                {},
                {
                    "circuits": maybe(listed(text)),
                    "over": listed(text),
                    "against": text,
                    "populations": text,
                    "parity": text,
                    "phase": text,
                },
            )
            for name in ("distances", "ghz_fidelity", "mirror_polarization", "quantum_volume")
        },
        "expectation": fields(
            {"observables": table(_TERMS)}, {"circuits": maybe(listed(text)), "basis": maybe(text)}
        ),
        "logical_error": fields({}, {"circuits": maybe(listed(text)), "noise": maybe(number)}),
        "plugins": table(table(anything)),
    },
)

RECORDS: Mapping[str, Shape] = {
    "plan": fields(
        {
            "key": text,
            "point": text,
            "circuit": text,
            "values": listed(row(text, _VALUE)),
            "repeat": whole,
            "shots": whole,
            "target": text,
            "options": table(anything),
            "ask": digest,
            "native": digest,
            "summary": fields(
                {"qubits": whole, "depth": whole, "gates": table(whole)},
                {"written": row(whole, whole)},
            ),
        },
        {"priority": number, "memory": flag},
    ),
    "circuits": fields(
        {"skeleton": digest, "angles": listed(number)}, {"written": row(whole, whole)}
    ),
    "skeletons": fields(
        {
            "circuit": fields(
                {
                    "format": text,
                    "components": listed(text),
                    "registers": listed(row(text, whole)),
                    "ops": listed(_OP),
                }
            )
        }
    ),
    "aer-records": _COUNTED,
    "mock-records": _MEASURED,
    "hardware-records": _MEASURED,
    "aer-memory": _MEMORY,
    "hardware-memory": _MEMORY,
    "aer-derived": _DERIVED,
    "hardware-derived": _DERIVED,
    "analyses": fields(
        {
            "analysis": text,
            "stage": text,
            "emulated": flag,
            "circuit": text,
            "values": table(maybe(_VALUE)),
            "points": listed(text),
            "merits": listed(_MERIT),
        },
        {"curve": maybe(_CURVE), "notes": listed(text), "details": table(anything)},
    ),
}
"""Kind of a pack to the shape of its records."""

HEADERS: Mapping[str, Shape] = {
    "plan": fields(
        {
            "ask": digest,
            "spec": fields({"name": text, "digest": digest}),
            "stages": listed(text),
            "mode": text,
            "seed": whole,
            "calibration": text,
            "references": table(anything),
            "require": table(table(anything)),
            "noise": table(maybe(digest)),
            "circuits": listed(digest),
        },
        {"readout_mitigation": flag, "order": text, "aer": table(anything)},
    ),
    "analyses": fields({"plan": digest, "analysis": _ANALYSES}),
}
"""Kind of a pack to the shape of its header."""

OBJECTS: Mapping[str, Shape] = {
    "iqm-spec/environment/1": fields(
        {"versions": table(maybe(text)), "platform": fields({"machine": text, "system": text})}
    ),
    "iqm-spec/text/1": fields({"text": text}, {"language": text}),
    "iqm-spec/binary/1": fields({"base64": text}),
    "iqm-spec/inputs/1": fields(
        {
            "architectures": table(table(anything)),
            "profiles": table(maybe(table(anything))),
            "files": table(digest),
        }
    ),
    "iqm-spec/machines/1": fields({"machines": table(table(anything))}),
    "iqm-spec/job-report/1": fields({"job": table(anything)}),
    "iqm-spec/calibration/1": fields(
        {"alias": text, "calibration_set_id": text, "metrics": anything}
    ),
}
"""Format of a JSON object to its shape."""

_STAGE = fields(
    {
        "stage": text,
        "status": text,
        "jobs": whole,
        "cached": whole,
        "points": whole,
        "emulated": flag,
        "submitted": whole,
        "verdict": listed(text),
    }
)
_ATTEMPT = {"attempt": whole}
_TOLD = {
    "status": either(text, whole),
    "qpu_seconds": maybe(number),
    "server_estimate_seconds": number,
    "report": maybe(digest),
}
_ESTIMATE = fields(
    {}, {"qpu_seconds": maybe(_SPAN), "credits": maybe(_SPAN), "price_per_second": maybe(number)}
)

EVENTS: Mapping[tuple[str, str], Shape] = {
    ("runs", "started"): fields(
        {},
        {
            "plan": digest,
            "text": digest,
            "spec": fields({"name": text, "digest": digest}),
            "simulator": fields({"aer": text, "way": text}),
            "wanted": listed(text),
            "inputs": maybe(digest),
            "environment": maybe(digest),
            "server": maybe(text),
            "budget": table(anything),
            "analysis": _ANALYSES,
            "set": table(anything),
        },
    ),
    ("runs", "job"): fields({}, {"records": digest, "derived": digest, "stage": text}),
    ("runs", "memory"): fields({"stage": text, "memory": digest}),
    ("runs", "used"): fields(
        {
            "stage": text,
            "realm": text,
            "attempts": listed(row(text, whole, maybe(text))),
        },
        {"derived": listed(digest), "calibrations": listed(digest)},
    ),
    ("runs", "ended"): fields({}, {"exit": whole, "at": text, "stages": listed(_STAGE)}),
    ("runs", "analysed"): fields({"analyses": digest}),
    ("jobs", "intent"): fields(
        {
            **_ATTEMPT,
            "stage": text,
            "realm": text,
            "at": text,
            "shots": whole,
            "computer": text,
            "parts": listed(row(text, whole)),
        },
        {
            "run": maybe(text),
            "plan": maybe(digest),
            "body": maybe(digest),
            "target": maybe(text),
            "queue": maybe(text),
            "emulated": flag,
            "fresh": flag,
            "imported": anything,
            "calibration_set_id": maybe(text),
            "estimate": maybe(_ESTIMATE),
            "shape": table(number),
            "conditions": text,
        },
    ),
    ("jobs", "rejected"): fields(_ATTEMPT, _TOLD),
    ("jobs", "unknown"): fields(_ATTEMPT, {"why": text}),
    ("jobs", "submitted"): fields({**_ATTEMPT, "id": text}),
    ("jobs", "adopted"): fields({**_ATTEMPT, "id": text}),
    ("jobs", "released"): fields(_ATTEMPT),
    ("jobs", "failed"): fields(_ATTEMPT, {"id": maybe(text), **_TOLD}),
    ("jobs", "completed"): fields(
        {**_ATTEMPT, "id": text, "records": digest, "at": text},
        {"calibration_set_id": maybe(text), "memory": digest, **_TOLD},
    ),
    ("jobs", "memory"): fields({**_ATTEMPT, "id": text, "memory": digest}),
}
"""Folder and kind of a journal's event to the shape of its fields."""


def record_misfit(kind: str, value: object) -> str:
    """What in a record does not fit its pack's kind, in words.

    Empty where all does, or nothing is known of the kind: so with those below.
    """
    return _misfit(RECORDS.get(kind), value)


def header_misfit(kind: str, value: object) -> str:
    """What in a pack's header does not fit its kind."""
    return _misfit(HEADERS.get(kind), value)


def object_misfit(value: object) -> str:
    """What in a JSON object does not fit its format."""
    if not isinstance(value, dict):
        return ""
    return _misfit(OBJECTS.get(str(value.get("format"))), value)


def event_misfit(folder: str, kind: str, value: object) -> str:
    """What in an event's fields does not fit its kind; `folder` is `runs` or `jobs`."""
    return _misfit(EVENTS.get((folder, kind)), value)


def _misfit(shape: Shape | None, value: object) -> str:
    wrong = None if shape is None else shape(value)
    if wrong is None:
        return ""
    return f"{wrong.removeprefix('.') or 'what is in it'} is not what this program would write"
