"""The quantum computers of a server, and the architecture of one under a calibration set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import frozen

from iqm_spec.diagnostics import nearest, printable
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.server.advice import refusal
from iqm_spec.server.errors import BadAnswer, CalibrationGone
from iqm_spec.server.offer import Offer, Slot, read_offer
from iqm_spec.server.patience import Patience, read, read_as
from iqm_spec.server.reply import Reply
from iqm_spec.server.transport import Connection, segment
from iqm_spec.targets import (
    Architecture,
    ErrorProfile,
    architecture_from_json,
    measured_profile,
)

__all__ = [
    "ArchitectureRead",
    "Computer",
    "Offer",
    "Slot",
    "find_computer",
    "list_computers",
    "read_architecture",
    "read_offer",
]


@frozen
class Computer:
    """A quantum computer as the server lists it; mocks have a computer's alias and `:mock`."""

    id: str
    alias: str
    display_name: str


@frozen
class ArchitectureRead:
    """An architecture, the calibration set that it holds for, and the server's own bytes of it."""

    architecture: Architecture
    calibration_set_id: str
    raw: Json


def list_computers(connection: Connection, patience: Patience) -> tuple[Computer, ...]:
    """The computers that the token may see, in the server's order."""
    reply = read(connection, "quantum-computers", None, patience)
    if not reply.ok:
        raise refusal(reply, "the list of quantum computers")
    data: Any = reply.json()
    items = data.get("quantum_computers") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise BadAnswer("the list of quantum computers is no list: is this an IQM server?")
    return tuple(
        Computer(
            id=str(item.get("id") or ""),
            alias=item["alias"],
            display_name=printable(str(item.get("display_name") or item["alias"])),
        )
        for item in items
        if isinstance(item, dict) and isinstance(item.get("alias"), str) and item["alias"]
    )


def find_computer(computers: Sequence[Computer], alias: str) -> Computer:
    """The computer called `alias`; Refused names the nearest, or all there are."""
    for computer in computers:
        if computer.alias == alias:
            return computer
    names = [computer.alias for computer in computers]
    listed = ", ".join(map(printable, names)) or "none"
    raise Refused(
        f"the server lists no quantum computer called {alias}; it lists: {listed}",
        hint=nearest(alias, names) or "correct `target`, or ask for access",
        code="refused.target",
    )


def read_architecture(
    connection: Connection,
    alias: str,
    calibration_set: str = "default",
    patience: Patience | None = None,
) -> ArchitectureRead:
    """The architecture of `alias` under a calibration set (an id, or `default`).

    CalibrationGone where the server does not know the set; Refused or BadAnswer in words else.
    """
    path = f"calibration-sets/{segment(alias)}/{segment(calibration_set)}"
    what = f"the architecture of {alias}"
    reply = read(connection, f"{path}/dynamic-quantum-architecture", None, patience or Patience())
    if reply.status == 404 and calibration_set != "default":
        raise CalibrationGone(
            f"the server has no calibration set {calibration_set} of {alias} (any more)",
            hint="`--replan` plans anew under today's set; results of different sets stay apart",
        )
    if not reply.ok:
        raise refusal(reply, what)
    raw = reply.json()
    try:
        architecture = architecture_from_json(raw, alias)
    except ValueError as error:
        raise BadAnswer(f"{what} makes no sense: {error}") from None
    found = architecture.calibration_set_id
    if not found:
        raise BadAnswer(f"{what} does not name its calibration set")
    if calibration_set not in ("default", found):
        raise BadAnswer(f"{what}: asked for set {calibration_set}, got {found}")
    if not _is_id(found):
        raise BadAnswer(f"{what}: its calibration set has no id but {printable(found)[:80]}")
    return ArchitectureRead(architecture, found, raw)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def read_metrics(
    connection: Connection, alias: str, calibration_set: str, patience: Patience | None = None
) -> Json | None:
    """The quality metrics of a calibration set as the server gives them; None where it does not.

    Asked once unless `patience` says more; `Unreachable` where no answer comes.
    """
    path = f"calibration-sets/{segment(alias)}/{segment(calibration_set)}/metrics"
    return _figures(connection, path, patience or Patience(total=0.0))


def read_error_profile(
    connection: Connection, machine: ArchitectureRead, patience: Patience
) -> ErrorProfile:
    """The error profile that a machine's quality metrics make, with its calibrated durations.

    ValueError where the server gives no metrics, or not enough of them.
    """
    alias, set_id = machine.architecture.alias, machine.calibration_set_id
    metrics = read_metrics(connection, alias, set_id, patience)
    if metrics is None:
        raise ValueError(f"the server gives no quality metrics of {alias}")
    calibration = _figures(
        connection, f"calibration-sets/{segment(alias)}/{segment(set_id)}", patience
    )
    return measured_profile(machine.architecture, metrics, calibration)


def _figures(connection: Connection, path: str, patience: Patience) -> Json | None:
    """An observation set; a figure that is no number is null."""
    return read_as(connection, path, None, patience, Reply.json_with_gaps)[1]
