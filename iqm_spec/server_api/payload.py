"""Payloads of jobs: the body of a submission, and what any client submitted.

A body is iqm-client's PostJobsRequest as JSON, written directly. Keys are sorted and nothing is
spaced, so equal jobs have equal bytes. They are RFC 8785's but for an angle of 0.0, which stays
`0.0`: IQM's validators refuse the integer `0` for it. Each distinct instruction is encoded once: a
thousand circuits of a thousand gates take a second, where iqm-client's models take minutes.

Payloads that are read differ by client: rotations come in radians (`angle`, `phase`) or in turns
(`angle_t`, `phase_t`, as iqm-qdmi writes), places as `locus` or `qubits` (CUDA-Q, Amazon Braket),
circuits as instructions or as QIR text, and jobs of pulses as bytes. What this program understands
it brings into the current form of iqm-client; the rest is refused with the reason.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite, tau
from typing import TYPE_CHECKING, Any
from uuid import UUID

from attrs import frozen

from iqm_spec.canonical import canonical
from iqm_spec.diagnostics import printable
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op

if TYPE_CHECKING:
    from iqm_spec.iqm_client import PostJobsRequest

_DEFAULTS: Mapping[str, Json] = {
    "heralding": "none",
    "dynamical_decoupling": False,
    "active_reset_cycles": None,
    "max_circuit_duration_over_t2": None,
    "move_gate_validation": "strict",
    "move_gate_frame_tracking": "full",
}
_GATES = {"r": "prx", "cc_r": "cc_prx"}
_ARGS = {"r": ("angle", "phase"), "delay": ("duration",)}
_ROTATIONS = ("prx", "cc_prx")
_TURNS = {"angle_t": "angle", "phase_t": "phase"}
_FLOATS = {"angle", "phase", "duration"}
_LONGEST_REASON = 200
_MOST = 1e300


def job_body(
    circuits: Sequence[tuple[str, NativeCircuit]],
    shots: int,
    calibration_set_id: str | None,
    options: Mapping[str, Json],
) -> bytes:
    """Bytes of the request for (name, circuit) pairs under the spec's IQM options.

    A calibration set of None is the server's default. ValueError for an unknown option, an id that
    is no UUID, or an angle that is no number.
    """
    if unknown := sorted(set(options) - set(_DEFAULTS)):
        raise ValueError(f"no IQM option is called {unknown[0]}")
    options = {**_DEFAULTS, **options}
    longest: Any = options["max_circuit_duration_over_t2"]
    validation, tracking = options["move_gate_validation"], options["move_gate_frame_tracking"]
    shared: dict[str, Json] = {
        "calibration_set_id": (
            None if calibration_set_id is None else str(UUID(calibration_set_id))
        ),
        "circuits": [],
        "qubit_mapping": None,
        "shots": shots,
        "max_circuit_duration_over_t2": None if longest is None else float(longest),
        "heralding_mode": options["heralding"],
        "move_gate_validation": validation,
        "move_gate_frame_tracking": tracking,
        "active_reset_cycles": options["active_reset_cycles"],
        "dd_mode": "enabled" if options["dynamical_decoupling"] else "disabled",
        "dd_strategy": None,
        "move_validation_mode": validation,  # this and the next are deprecated doubles
        "move_gate_frame_tracking_mode": tracking,
    }
    text = json.dumps(shared, sort_keys=True, separators=(",", ":"), allow_nan=False)
    head, _, tail = text.partition('"circuits":[]')
    listed = ",".join(_circuit(name, circuit) for name, circuit in circuits)
    return f'{head}"circuits":[{listed}]{tail}'.encode()


@frozen
class MeasurementKeys:
    """Keys of a circuit's measurements, by their places among its instructions.

    `bits` gives the classical bit of each key whose outcome the counts show. `hidden` are the keys
    of measurements whose bits are overwritten. `sources` gives, by the place of a `cc_r`, the place
    of the measurement that it reads.
    """

    by_place: Mapping[int, str]
    bits: Mapping[str, int]
    hidden: tuple[str, ...]
    sources: Mapping[int, int]


def measurement_keys(circuit: NativeCircuit) -> MeasurementKeys:
    """How each measurement of a circuit is named.

    A server takes each key once. The last measurement into a bit has the key that qiskit-iqm gives
    it, `{register}_{its size}_{its index}_{bit in it}`; an earlier one has that of a bit in a
    register which does not exist.
    """
    latest: dict[int, int] = {}
    sources: dict[int, int] = {}
    overwritten: list[int] = []
    for place, op in enumerate(circuit.ops):
        if op.name == "cc_r":
            sources[place] = latest[op.clbits[0]]
        elif op.name == "measure":
            (bit,) = op.clbits
            if bit in latest:
                overwritten.append(latest[bit])
            latest[bit] = place
    names = [
        f"{name}_{size}_{index}_{bit}"
        for index, (name, size) in enumerate(circuit.registers)
        for bit in range(size)
    ]
    bits_by_place = {place: bit for bit, place in latest.items()}
    bits = [bits_by_place[place] for place in sorted(bits_by_place)]
    register = f"overwritten_{len(overwritten)}_{len(circuit.registers)}"
    hidden = {place: f"{register}_{i}" for i, place in enumerate(overwritten)}
    return MeasurementKeys(
        by_place={latest[bit]: names[bit] for bit in bits} | hidden,
        bits={names[bit]: bit for bit in bits},
        hidden=tuple(hidden.values()),
        sources=sources,
    )


def _circuit(name: str, circuit: NativeCircuit) -> str:
    keys = measurement_keys(circuit)
    places_read = set(keys.sources.values())
    names = [_json(component) for component in circuit.components]
    written: dict[Op, str] = {}
    parts = []
    for place, op in enumerate(circuit.ops):
        if op.name == "measure":
            key = _json(keys.by_place[place])
            feedback = f'"feedback_key":{key},' if place in places_read else ""
            parts.append(_instruction(op, names, f'{feedback}"key":{key}'))
            continue
        if op.name == "cc_r":  # names the measurement that it reads and the qubit measured there
            source = keys.sources[place]
            key, qubit = _json(keys.by_place[source]), names[circuit.ops[source].qubits[0]]
            angle, phase = map(_number, op.params)
            args = f'"angle":{angle},"feedback_key":{key},"feedback_qubit":{qubit},"phase":{phase}'
            parts.append(_instruction(op, names, args))
            continue
        text = written.get(op)
        if text is None:
            numbers = zip(_ARGS.get(op.name, ()), op.params, strict=True)
            args = ",".join(f'"{key}":{_number(value)}' for key, value in numbers)
            text = written[op] = _instruction(op, names, args)
        parts.append(text)
    return f'{{"instructions":[{",".join(parts)}],"metadata":null,"name":{_json(name)}}}'


def _instruction(op: Op, names: Sequence[str], args: str) -> str:
    """One instruction, as qiskit-iqm would serialize it, keys in order."""
    locus = ",".join(names[i] for i in op.qubits)
    gate = _GATES.get(op.name, op.name)
    return f'{{"args":{{{args}}},"implementation":null,"locus":[{locus}],"name":"{gate}"}}'


@lru_cache(maxsize=1 << 16)
def _number(value: float) -> str:
    if not isfinite(value):
        raise ValueError(f"{value} is no angle or duration")
    return repr(float(value) + 0.0)  # no -0.0


def _json(text: str) -> str:
    return canonical(text).decode()


class ForeignPayload(ValueError):
    """A payload that holds no circuits which this program understands; its text says why."""


def in_current_form(payload: Json) -> Json:
    """The payload with places as `locus` and rotations in radians; all else is left as it is.

    ForeignPayload where a circuit contradicts itself. What has the wrong shape stays as it is: the
    models of iqm-client say what is wrong with it.
    """
    return _each_instruction(payload, _in_current_form)


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


def _in_current_form(item: dict[str, Any]) -> dict[str, Any]:
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
        changed["args"] = dict(item["args"])
    for turns, radians in _TURNS.items() if has_turns else ():
        if turns not in changed["args"]:
            continue
        if radians in changed["args"]:
            raise ForeignPayload(f"{_name(item)} has both `{radians}` and `{turns}`")
        value = changed["args"].pop(turns)
        if not _is_number(value):
            raise ForeignPayload(f"`{turns}` of {_name(item)} is no number")
        changed["args"][radians] = tau * value
    return changed


def _name(item: Mapping[str, Any]) -> str:
    return printable(str(item.get("name")))[:40]


def validated(payload: Json) -> PostJobsRequest:
    """A payload in the current form as iqm-client's model, which raises what it likes."""
    from iqm_spec.iqm_client import PostJobsRequest

    with warnings.catch_warnings():
        # the model also tries its own deprecated form of circuits, and warns of that
        warnings.simplefilter("ignore", DeprecationWarning)
        return PostJobsRequest.model_validate_json(json.dumps(payload))


def request_model(payload: Json) -> PostJobsRequest:
    """The payload as iqm-client's PostJobsRequest; ForeignPayload where it is none."""
    payload = in_current_form(payload)
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

    request = request_model(_each_instruction(in_current_form(payload), _with_floats))
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
