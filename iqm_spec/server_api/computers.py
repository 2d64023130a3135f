"""What a server says of its quantum computers, and of the token that asks.

The list of computers and an architecture are required. Limits, prices, health and timeslots are
not: servers differ in which calls they have, and tokens in which they may make. What the server
does not say is None, with a note of the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from attrs import frozen

from iqm_spec.diagnostics import nearest, printable
from iqm_spec.errors import IqmSpecError, Refused
from iqm_spec.json_types import Json
from iqm_spec.server_api.connection import (
    Connection,
    Parameters,
    read,
    read_parsed,
    segment,
)
from iqm_spec.server_api.errors import BadAnswer, CalibrationGone, advice, refusal
from iqm_spec.server_api.reply import Reply, count_of, time_of, word_of
from iqm_spec.server_api.retry import SHORT_READS, Retry
from iqm_spec.server_api.token import Token
from iqm_spec.targets import (
    Architecture,
    ErrorProfile,
    architecture_from_json,
    measured_profile,
)

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


def list_computers(connection: Connection, retry: Retry) -> tuple[Computer, ...]:
    """The computers that the token may see, in the server's order."""
    reply = read(connection, "quantum-computers", None, retry)
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
    calibration_set: str,
    retry: Retry,
) -> ArchitectureRead:
    """The architecture of `alias` under a calibration set (an id, or `default`).

    CalibrationGone where the server does not know the set; Refused, or BadAnswer for an answer
    that is no architecture or another one.
    """
    path = f"calibration-sets/{segment(alias)}/{segment(calibration_set)}"
    what = f"the architecture of {alias}"
    reply = read(connection, f"{path}/dynamic-quantum-architecture", None, retry)
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
    set_id = architecture.calibration_set_id
    if not set_id:
        raise BadAnswer(f"{what} does not name its calibration set")
    if calibration_set not in ("default", set_id):
        raise BadAnswer(f"{what}: asked for set {calibration_set}, got {set_id}")
    try:
        UUID(set_id)
    except ValueError:
        raise BadAnswer(
            f"{what}: its calibration set has no id but {printable(set_id)[:80]}"
        ) from None
    return ArchitectureRead(architecture, set_id, raw)


def read_metrics(
    connection: Connection, alias: str, calibration_set: str, retry: Retry
) -> Json | None:
    """The quality metrics of a calibration set as the server gives them; None where it does not.

    `Unreachable` where no answer comes.
    """
    path = f"calibration-sets/{segment(alias)}/{segment(calibration_set)}/metrics"
    return _observations(connection, path, retry)


def read_calibration_values(
    connection: Connection, alias: str, calibration_set: str, retry: Retry
) -> Json | None:
    """The values of a calibration set itself, such as durations; None where it does not."""
    path = f"calibration-sets/{segment(alias)}/{segment(calibration_set)}"
    return _observations(connection, path, retry)


def read_error_profile(
    connection: Connection, calibrated: ArchitectureRead, retry: Retry
) -> ErrorProfile:
    """The error profile of a computer: from its quality metrics and calibrated durations.

    ValueError where the server gives no metrics, or not enough of them.
    """
    alias, set_id = calibrated.architecture.alias, calibrated.calibration_set_id
    metrics = read_metrics(connection, alias, set_id, retry)
    if metrics is None:
        raise ValueError(f"the server gives no quality metrics of {alias}")
    values = read_calibration_values(connection, alias, set_id, retry)
    return measured_profile(calibrated.architecture, metrics, values, calibrated.raw)


def _observations(connection: Connection, path: str, retry: Retry) -> Json | None:
    """An observation set; a figure that is no number is null."""
    return read_parsed(connection, path, None, retry, Reply.json_with_gaps)[1]


@frozen
class Slot:
    """A span of time; `price` in credits, None where it has none."""

    start: datetime
    end: datetime
    price: Decimal | None = None
    reference: str = ""


@frozen
class ComputerInfo:
    """What the server says of one computer; None wherever it does not.

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
        """Whether it runs jobs now, by its operational status; None where that is unknown."""
        status = self.operational_status
        return None if status is None else status.lower() == "online"


def read_computer_info(
    connection: Connection, alias: str, retry: Retry, span: timedelta = timedelta(days=7)
) -> ComputerInfo:
    """What `alias` offers from now until `span` has passed. Does not fail: see its `notes`."""
    notes: list[str] = []
    short = retry.within(SHORT_READS.deadline)

    def ask(path: str, what: str, params: Parameters | None = None) -> Mapping[str, Any]:
        """The mapping at `path`, empty where there is none."""
        try:
            reply = read(connection, path, params, short)
        except IqmSpecError as error:
            notes.append(f"{what}: {error.message}")
            return {}
        if not reply.ok:
            is_absent = reply.status == 404  # older servers lack calls, those on premises slots
            why = "the server does not say" if is_absent else advice(reply)[0]
            notes.append(f"{what}: {why}")
            return {}
        data = reply.json()
        if not isinstance(data, dict):
            notes.append(f"{what}: the server's answer makes no sense")
            return {}
        return data

    name = f"quantum-computers/{segment(alias)}"
    details = ask(name, "details")
    limits = _mapping(details.get("limits")) or ask(f"{name}/limits", "limits")
    health = _mapping(details.get("health")) or _mapping(
        _mapping(details.get("status")).get("health")
    )
    if _flag(health.get("healthy")) is None:
        health = ask(f"{name}/health", "health")
    start = datetime.now(UTC)
    times = {
        key: when.strftime("%Y-%m-%dT%H:%M:%SZ")
        for key, when in (("timerange_start", start), ("timerange_end", start + span))
    }
    queue = ask(f"{name}/queue-availability", "queue", times)
    slots = ask(f"{name}/timeslots", "timeslots", times)
    # that of timeslots counts the account's own jobs, not those of the pay-as-you-go queue
    lengths = (count_of(answer.get("queue_length")) for answer in (queue, details))
    return ComputerInfo(
        alias=alias,
        **{ours: count_of(limits.get(theirs)) for ours, theirs in _LIMITS.items()},
        price_per_second=_price(_mapping(details.get("pricing")).get("payg_price_per_second")),
        healthy=_flag(health.get("healthy")),
        operational_status=word_of(details.get("operational_status")),
        queue_length=next((length for length in lengths if length is not None), None),
        windows=_slots(queue.get("available")),
        available=_slots(slots.get("available_slots")),
        booked=_slots(slots.get("booked_slots")),
        notes=tuple(notes),
    )


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
    slots = []
    for item in map(_mapping, value):
        start, end = time_of(item.get("start")), time_of(item.get("end"))
        if start is not None and end is not None and start < end:
            reference = word_of(item.get("reference")) or ""
            slots.append(Slot(start, end, _price(item.get("price")), reference))
    return tuple(sorted(slots, key=lambda slot: slot.start))


def read_token_expiry(connection: Connection, token: Token, retry: Retry) -> datetime | None:
    """When `token` expires, by the server's list of the user's tokens; None where it does not say.

    The list shows the last characters of each token. Of several that end alike, the first to
    expire counts.
    """
    try:
        reply = read(connection, "tokens", None, retry)
        data: Any = reply.json() if reply.ok else None
    except IqmSpecError:
        return None
    listed = data.get("tokens") if isinstance(data, dict) else None
    secret = token.reveal()
    times = [
        when
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
        and isinstance(end := item.get("last_characters"), str)
        and end
        and secret.endswith(end)
        if (when := time_of(item.get("expires_at"))) is not None
    ]
    return min(times, default=None)
