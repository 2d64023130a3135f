"""The body of a submission: iqm-client's PostJobsRequest as JSON, written directly.

Keys are sorted and nothing is spaced, so equal jobs have equal bytes. They are RFC 8785's but for
one thing: an angle of 0.0 stays `0.0`, since IQM's validators refuse the integer `0` for it.
Instructions are written as text, each distinct one once: a thousand circuits of a thousand gates
take a second, where the models and a general encoder would take minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any
from uuid import UUID

from iqm_spec.canonical import canonical
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server.keys import Keys, keys_of
from iqm_spec.server.payload import request_model

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


def job_body(
    circuits: Sequence[tuple[str, NativeCircuit]],
    shots: int,
    calibration_set_id: str | None,
    options: Mapping[str, Json],
) -> bytes:
    """Bytes of the request for (name, circuit) pairs under the spec's IQM options.

    The server's default calibration set is meant by None. ValueError for an unknown option.
    """
    if strangers := sorted(set(options) - set(_DEFAULTS)):
        raise ValueError(f"no IQM option is called {strangers[0]}")
    shared = _shared({**_DEFAULTS, **options}, shots, calibration_set_id)
    text = json.dumps(shared, sort_keys=True, separators=(",", ":"), allow_nan=False)
    head, _, tail = text.partition('"circuits":[]')
    listed = ",".join(_circuit(name, circuit) for name, circuit in circuits)
    return f'{head}"circuits":[{listed}]{tail}'.encode()


def _shared(options: Mapping[str, Json], shots: int, calibration: str | None) -> dict[str, Json]:
    """The request less its circuits. The two `..._mode` of MOVE are its deprecated doubles."""
    longest: Any = options["max_circuit_duration_over_t2"]
    validation, tracking = options["move_gate_validation"], options["move_gate_frame_tracking"]
    return {
        "calibration_set_id": None if calibration is None else str(UUID(calibration)),
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
        "move_validation_mode": validation,
        "move_gate_frame_tracking_mode": tracking,
    }


def _circuit(name: str, circuit: NativeCircuit) -> str:
    keys = keys_of(circuit)
    read = set(keys.sources.values())
    names = [_json(component) for component in circuit.components]
    written: dict[Op, str] = {}
    parts = []
    for place, op in enumerate(circuit.ops):
        if op.name == "measure":
            parts.append(_measure(op, names, keys.by_place[place], place in read))
            continue
        if op.name == "cc_r":
            parts.append(_conditional(op, names, circuit.ops, place, keys))
            continue
        text = written.get(op)
        if text is None:
            text = written[op] = _instruction(op, names, _numbers(op))
        parts.append(text)
    return f'{{"instructions":[{",".join(parts)}],"metadata":null,"name":{_json(name)}}}'


def _measure(op: Op, names: Sequence[str], key: str, is_read: bool) -> str:
    """A measurement; one that conditions read has its key as its feedback key too."""
    told = _json(key)
    feedback = f'"feedback_key":{told},' if is_read else ""
    return _instruction(op, names, f'{feedback}"key":{told}')


def _conditional(op: Op, names: Sequence[str], ops: Sequence[Op], place: int, keys: Keys) -> str:
    """A `cc_prx`, which names the measurement that it reads and the qubit measured there."""
    source = keys.sources[place]
    key, qubit = _json(keys.by_place[source]), names[ops[source].qubits[0]]
    angle, phase = map(_number, op.params)
    args = f'"angle":{angle},"feedback_key":{key},"feedback_qubit":{qubit},"phase":{phase}'
    return _instruction(op, names, args)


def _numbers(op: Op) -> str:
    return ",".join(
        f'"{key}":{_number(value)}'
        for key, value in zip(_ARGS.get(op.name, ()), op.params, strict=True)
    )


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


def check_body(body: bytes, architecture: Json) -> list[str]:
    """What iqm-client's own validators find wrong with a body, in words; nothing, if it is right.

    `architecture` is the dynamic quantum architecture as the server gave it.
    """
    from iqm_spec.iqm_client import (
        CircuitCompilationOptions,
        DynamicQuantumArchitecture,
        IQMError,
        validate_circuit,
        validate_circuit_instructions,
    )

    found: list[str] = []
    try:
        request = request_model(json.loads(body))
        machine = DynamicQuantumArchitecture.model_validate(architecture)
    except (ValueError, IQMError) as error:  # pydantic's is a ValueError
        return [_one_line(error)]
    try:
        CircuitCompilationOptions(
            move_gate_validation=request.move_gate_validation,
            move_gate_frame_tracking=request.move_gate_frame_tracking,
        )
    except ValueError as error:
        found.append(_one_line(error))
    for circuit in request.circuits:
        for check in (
            lambda one: validate_circuit(one),
            lambda one: validate_circuit_instructions(
                machine, [one], validate_moves=request.move_gate_validation
            ),
        ):
            found += _complaints(check, circuit)
    return found


def _complaints(check: Any, circuit: Any) -> list[str]:
    from iqm_spec.iqm_client import IQMError

    try:
        check(circuit)
    except (ValueError, IQMError) as error:
        return [f"circuit {circuit.name}: {_one_line(error)}"]
    return []


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
