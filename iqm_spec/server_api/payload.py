"""A job's payload, in whichever form a client wrote it: one reader for all who look at payloads.

Clients differ: rotations come in radians (`angle`, `phase`) or in turns (`angle_t`, `phase_t`, as
iqm-qdmi writes), places as `locus` or as `qubits` (CUDA-Q, Amazon Braket), circuits as instructions
or as QIR text, and jobs of pulses as bytes. What has a meaning here comes out in one form, today's
form of iqm-client; the rest is refused in words.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from math import tau
from typing import TYPE_CHECKING, Any

from iqm_spec.canonical import canonical
from iqm_spec.diagnostics import printable
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from iqm_spec.iqm_client import PostJobsRequest

_ROTATIONS = ("prx", "cc_prx")
_TURNS = {"angle_t": "angle", "phase_t": "phase"}
_FLOATS = {"angle", "phase", "duration"}
_LONGEST_REASON = 200
_MOST = 1e300


class ForeignPayload(ValueError):
    """A payload that holds no circuits which this program understands; its text says why."""


def in_todays_form(payload: Json) -> Json:
    """The payload with places as `locus` and rotations in radians; all else is left as it is.

    ForeignPayload where a circuit contradicts itself. What has the wrong shape stays in its place:
    the models of iqm-client say what is wrong with it.
    """
    return _each_instruction(payload, _in_todays_form)


def _each_instruction(payload: Json, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Json:
    """The payload with every instruction that has the shape of one changed."""

    def changed(number: int, circuit: Any) -> Any:
        listed = circuit.get("instructions") if isinstance(circuit, dict) else None
        if not isinstance(listed, list):
            return circuit
        try:
            items = [change(item) if isinstance(item, dict) else item for item in listed]
        except ForeignPayload as error:
            raise ForeignPayload(f"circuit {number}: {error}") from None
        return {**circuit, "instructions": items}

    circuits = payload.get("circuits") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(circuits, list):
        return payload
    return {**payload, "circuits": [changed(i, item) for i, item in enumerate(circuits)]}


def _in_todays_form(item: dict[str, Any]) -> dict[str, Any]:
    args = item.get("args")
    rotates = item.get("name") in _ROTATIONS and isinstance(args, dict)
    has_turns = rotates and not _TURNS.keys().isdisjoint(args or ())
    if not has_turns and "qubits" not in item:
        return item
    changed = dict(item)
    if "qubits" in item:
        if "locus" in item and item["locus"] != item["qubits"]:
            raise ForeignPayload(f"{_name(item)} names two places: `locus` and `qubits` differ")
        changed["locus"] = changed.pop("qubits")
    if has_turns:
        changed["args"] = _radians(item)
    return changed


def _radians(item: Mapping[str, Any]) -> dict[str, Any]:
    args = dict(item["args"])
    for turns, radians in _TURNS.items():
        if turns not in args:
            continue
        if radians in args:
            raise ForeignPayload(f"{_name(item)} has both `{radians}` and `{turns}`")
        value = args.pop(turns)
        if not _is_number(value):
            raise ForeignPayload(f"`{turns}` of {_name(item)} is no number")
        args[radians] = tau * value
    return args


def _name(item: Mapping[str, Any]) -> str:
    return printable(str(item.get("name")))[:40]


def validated(payload: Json) -> PostJobsRequest:
    """A payload in today's form as iqm-client's model, which raises what it likes."""
    from iqm_spec.iqm_client import PostJobsRequest

    with warnings.catch_warnings():
        # the model also tries its own deprecated form of circuits, and warns of that
        warnings.simplefilter("ignore", DeprecationWarning)
        return PostJobsRequest.model_validate_json(json.dumps(payload))


def request_model(payload: Json) -> PostJobsRequest:
    """The payload as iqm-client's PostJobsRequest; ForeignPayload where it is none."""
    payload = in_todays_form(payload)
    try:
        return validated(payload)
    except Exception as error:  # noqa: BLE001 - a TypeError too, of the models' own converters
        raise ForeignPayload(_short(error)) from None


def normalized(payload: Json) -> bytes:
    """RFC 8785 bytes of a payload as iqm-client's model understands it.

    For comparing what a server kept with what was meant: a server may spell numbers, defaults and
    the order of keys in its own way. The same as `canonical` of the JSON of a body of ours.
    ForeignPayload where it is no request for circuits.
    """
    return _canonical(json.loads(request_model(payload).model_dump_json()))


def circuits_payload(payload: Json) -> dict[str, Any]:
    """The payload in one form, every circuit of which is a list of sound instructions.

    Each has `name`, `locus`, `args` and `implementation`; rotations have numbers as `angle` and
    `phase`. ForeignPayload says why there is no such form.
    """
    from iqm_spec.iqm_client import Circuit, validate_circuit

    request = request_model(_each_instruction(in_todays_form(payload), _with_floats))
    for number, circuit in enumerate(request.circuits):
        if isinstance(circuit, str):
            raise ForeignPayload(f"circuit {number} is QIR text; only lists of instructions match")
        if not isinstance(circuit, Circuit):  # the model's own deprecated form takes anything
            raise ForeignPayload(f"circuit {number} has an instruction without a `locus`")
        try:
            validate_circuit(circuit)
        except Exception as error:  # noqa: BLE001 - they index into what may not be there
            raise ForeignPayload(f"circuit {number}: {_short(error)}") from None
    data: dict[str, Any] = json.loads(request.model_dump_json())
    _canonical(data)
    return data


def _canonical(data: Any) -> bytes:
    """RFC 8785 bytes; ForeignPayload for numbers and texts that a results folder cannot hold."""
    try:
        return canonical(data)
    except ValueError as error:
        raise ForeignPayload(f"a value of it cannot be stored: {_short(error)}") from None


def _with_floats(item: dict[str, Any]) -> dict[str, Any]:
    """A server may spell 1.0 as 1 in its answer, which iqm-client's validators refuse."""
    args = item.get("args")
    if not isinstance(args, dict):
        return item
    numbers = {
        key: float(args[key])
        for key in _FLOATS & args.keys()
        if isinstance(args[key], int) and _is_number(args[key])
    }
    return {**item, "args": {**args, **numbers}} if numbers else item


def _is_number(value: object) -> bool:
    """Whether it is a finite number; Python's integers have no end."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_MOST < value < _MOST


def _short(error: Exception) -> str:
    """The libraries' own text in one line; of pydantic's the first mistake, without addresses."""
    from pydantic import ValidationError

    text = str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the payload"
        text = f"{where}: {first['msg']}"
    text = printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."
