"""The quantum computers of a server, and the architecture of one under a calibration set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from iqm_spec.diagnostics import nearest, printable
from iqm_spec.errors import IqmSpecError, Refused
from iqm_spec.json_types import Json
from iqm_spec.server_api.connection import Connection, Parameters, Patience, read, read_as, segment
from iqm_spec.server_api.errors import BadAnswer, CalibrationGone, advice, refusal
from iqm_spec.server_api.reply import Reply, count_of, time_of, word_of
from iqm_spec.server_api.token import Token
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


_OPTIONAL_SECONDS = 5.0
"""How long a read that can be done without is tried."""

_HIGHEST_PRICE = Decimal(10**9)
"""Credits; what is above is a mistake, and no sum of such prices can be stored."""
_LONGEST_PRICE = 40
"""Characters."""

_LIMITS = {
    "max_circuits": "max_circuits_per_job",
    "max_shots": "max_shots_per_circuit",
    "max_executions": "max_executions_per_job",
    "max_instructions": "max_instructions_per_circuit",
    "max_queued": "max_queued_jobs_per_user",
}


@frozen
class Slot:
    """A span of time; `price` in credits, None where it has none."""

    start: datetime
    end: datetime
    price: Decimal | None = None
    reference: str = ""


@frozen
class Offer:
    """What the server tells of one computer; None wherever it does not tell.

    `max_executions` is circuits times shots of a job, `max_instructions` of one circuit. `windows`
    are when the pay-as-you-go queue is served, `available` timeslots can be booked, `booked` are.
    """

    alias: str
    max_circuits: int | None = None
    max_shots: int | None = None
    max_executions: int | None = None
    max_instructions: int | None = None
    max_queued: int | None = None
    price_per_second: Decimal | None = None
    """Credits per second of the pay-as-you-go queue."""
    healthy: bool | None = None
    operational_status: str | None = None
    queue_length: int | None = None
    windows: tuple[Slot, ...] | None = None
    available: tuple[Slot, ...] | None = None
    booked: tuple[Slot, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_online(self) -> bool | None:
        """Whether it runs jobs now, by its operational status; None where that is not told."""
        status = self.operational_status
        return None if status is None else status.lower() == "online"


def read_offer(
    connection: Connection, alias: str, patience: Patience, span: timedelta = timedelta(days=7)
) -> Offer:
    """What `alias` offers from now until `span` has passed. Does not fail: see `Offer.notes`."""
    name = f"quantum-computers/{segment(alias)}"
    total = _OPTIONAL_SECONDS if patience.total is None else min(_OPTIONAL_SECONDS, patience.total)
    reader = _Reader(connection, evolve(patience, total=total))
    details = reader.ask(name, "details")
    limits = _mapping(details.get("limits")) or reader.ask(f"{name}/limits", "limits")
    health = _mapping(details.get("health")) or _mapping(
        _mapping(details.get("status")).get("health")
    )
    if _flag(health.get("healthy")) is None:
        health = reader.ask(f"{name}/health", "health")
    now = datetime.now(UTC)
    times = {"timerange_start": _text(now), "timerange_end": _text(now + span)}
    queue = reader.ask(f"{name}/queue-availability", "queue", times)
    slots = reader.ask(f"{name}/timeslots", "timeslots", times)
    # that of timeslots counts the account's own jobs, not those of the pay-as-you-go queue
    lengths = (told.get("queue_length") for told in (queue, details))
    return Offer(
        alias=alias,
        **{ours: count_of(limits.get(theirs)) for ours, theirs in _LIMITS.items()},
        price_per_second=_price(_mapping(details.get("pricing")).get("payg_price_per_second")),
        healthy=_flag(health.get("healthy")),
        operational_status=word_of(details.get("operational_status")),
        queue_length=next((n for n in map(count_of, lengths) if n is not None), None),
        windows=_slots(queue.get("available")),
        available=_slots(slots.get("available_slots")),
        booked=_slots(slots.get("booked_slots")),
        notes=tuple(reader.notes),
    )


class _Reader:
    """Asks for what can be done without, and notes what could not be had."""

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self.notes: list[str] = []
        self._connection = connection
        self._patience = patience

    def ask(self, path: str, what: str, params: Parameters | None = None) -> Mapping[str, Any]:
        """The mapping at `path`, empty where there is none."""
        try:
            reply = read(self._connection, path, params, self._patience)
        except IqmSpecError as error:
            self.notes.append(f"{what}: {error.message}")
            return {}
        if not reply.ok:
            is_absent = reply.status == 404  # older servers lack calls, those on premises slots
            why = "the server does not tell" if is_absent else advice(reply)[0]
            self.notes.append(f"{what}: {why}")
            return {}
        found = reply.json()
        if not isinstance(found, dict):
            self.notes.append(f"{what}: the server's answer makes no sense")
            return {}
        return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _price(value: Any) -> Decimal | None:
    """A price, which the server writes as text; never by way of a float's binary digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if len(str(value)) > _LONGEST_PRICE:
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= _HIGHEST_PRICE else None


def _slots(value: Any) -> tuple[Slot, ...] | None:
    """Spans in order of time; those that cannot be read are left out."""
    if not isinstance(value, list):
        return None
    found = [slot for item in value if (slot := _slot(_mapping(item))) is not None]
    return tuple(sorted(found, key=lambda slot: slot.start))


def _slot(item: Mapping[str, Any]) -> Slot | None:
    start, end = time_of(item.get("start")), time_of(item.get("end"))
    if start is None or end is None or end <= start:
        return None
    return Slot(start, end, _price(item.get("price")), word_of(item.get("reference")) or "")


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_expiry(connection: Connection, token: Token, patience: Patience) -> datetime | None:
    """When `token` expires, by the server's list of the user's tokens; None where it does not say.

    The list shows the last characters of each token. Of several that end alike, the first to
    expire counts.
    """
    try:
        reply = read(connection, "tokens", None, patience)
        data: Any = reply.json() if reply.ok else None
    except IqmSpecError:
        return None
    listed = data.get("tokens") if isinstance(data, dict) else None
    secret = token.reveal()
    times = [
        when
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and _is_end(item.get("last_characters"), secret)
        if (when := time_of(item.get("expires_at"))) is not None
    ]
    return min(times, default=None)


def _is_end(text: object, secret: str) -> bool:
    return isinstance(text, str) and bool(text) and secret.endswith(text)
