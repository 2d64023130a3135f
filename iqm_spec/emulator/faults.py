"""Rules that make the server misbehave on request, and the counters that say when.

Which request a rule applies to is counted in files that are created once, so that it holds over
processes and restarts. docs/emulator.md lists the rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any
from uuid import uuid4

from attrs import asdict, field, fields, frozen

from iqm_spec.emulator.deviation import require_size
from iqm_spec.emulator.messages import ApiRequest, ApiResponse, Fate, error_body
from iqm_spec.emulator.state import State
from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json

KINDS = {
    "status": "answer with `status`, `body` or `error_code`, and `headers`",
    "drop-before": "close the connection; the request is not processed",
    "drop-after": "process the request, then close the connection without an answer",
    "half-answer": "process the request, then close the connection in the middle of the answer",
    "garbage": "process the request, then answer 200 with JSON that cannot be read",
    "slow": "process the request, answer after `seconds`",
    "rewrite": "process the request, change the JSON answer by `set`, `remove`, `observations`",
    "job-failed": "on `submit`: accept the job; it will fail with `message` and `error_code`",
    "job-cancelled": "on `submit`: accept the job; it will be cancelled by the server",
    "job-stuck": "on `submit`: accept the job; it will wait for ever",
    "move-calibration": "make a new calibration set the default, then process the request",
    "withdraw-calibration": "take the default calibration set away, then process the request",
}
"""Every kind of fault and what it does."""
CALLS = (
    *("computers", "computer", "limits", "health", "queue", "timeslots", "book"),
    *("static-architecture", "duts", "about-station", "chip-design", "channels", "settings"),
    *("artifact", "about", "tokens", "architecture", "calibration", "metrics"),
    *("submit", "job", "payload", "measurements", "measurement-counts", "cancel", "delete"),
)
"""Names of the calls that a rule can be about; `*` is any."""


LONGEST_DELAY_S = 3600.0
"""The longest that a rule may hold an answer back."""
_BODILESS = (204, 205, 304)


@frozen
class Rule:
    """One fault: on which calls, after how many of them, how many times, and what happens."""

    fault: str
    on: str = "*"
    qc: str = ""
    skip: int = 0
    times: int | None = 1
    status: int = 500
    body: Json = None
    error_code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(factory=dict)
    processed: bool = False
    seconds: float = 0.0
    set: Mapping[str, Json] = field(factory=dict)
    remove: Sequence[str] = ()
    drift: float | None = None
    observations: Mapping[str, Mapping[str, Json] | None] = field(factory=dict)
    id: str = field(factory=lambda: uuid4().hex)

    def __attrs_post_init__(self) -> None:
        _check_types(self)
        _one_of("fault", self.fault, tuple(KINDS))
        _one_of("on", self.on, ("*", *CALLS))
        if self.fault.startswith("job-") and self.on != "submit":
            raise UsageError(f"a rule of the kind {self.fault} needs `on: submit`")
        if self.drift is not None:
            require_size(self.drift, "drift")
        if self.skip < 0 or (self.times is not None and self.times < 1) or self.seconds < 0:
            raise UsageError("`skip` and `seconds` must not be below 0, nor `times` below 1")
        if self.seconds > LONGEST_DELAY_S:
            raise UsageError(f"`seconds` must be {LONGEST_DELAY_S:g} at most, got {self.seconds:g}")
        if not 200 <= self.status <= 599:
            raise UsageError(f"`status` must be between 200 and 599, got {self.status}")
        if self.status in _BODILESS and self.body not in (None, ""):
            raise UsageError(f"an answer with the status {self.status} has no body")

    @property
    def is_processed(self) -> bool:
        """Whether the request takes effect."""
        return self.fault != "drop-before" and (self.fault != "status" or self.processed)

    @property
    def fate(self) -> Fate | None:
        """What the rule makes of the job that is submitted."""
        if not self.fault.startswith("job-"):
            return None
        return Fate(self.fault.removeprefix("job-"), self.message, self.error_code)

    def concerns(self, request: ApiRequest) -> bool:
        """Whether a request is one that the rule counts."""
        return self.on in ("*", request.call) and self.qc in ("", request.alias)

    def answer(self) -> ApiResponse:
        """The answer of a `status` rule: the body as given, text as it is, or an API error."""
        if self.body is None and self.error_code:
            body: Json | bytes = error_body(self.error_code, self.message or self.error_code)
        elif self.body is None:
            body = b""
        else:
            body = self.body.encode() if isinstance(self.body, str) else self.body
        return ApiResponse(self.status, body, self.headers)

    def rewritten(self, answer: ApiResponse) -> ApiResponse:
        """An answer after `set`, `remove` and `observations`."""
        if isinstance(answer.body, bytes) or not isinstance(answer.body, dict):
            return answer
        body = {**answer.body, **self.set}
        if isinstance(listed := body.get("observations"), list) and self.observations:
            body["observations"] = list(self._observed(listed))
        rest = {name: value for name, value in body.items() if name not in self.remove}
        return ApiResponse(answer.status, rest, answer.headers, answer.job)

    def _observed(self, listed: Sequence[Any]) -> Iterator[Json]:
        """Observations with the changes of the first pattern that their names match.

        None as a change leaves an observation out.
        """
        for item in listed:
            name = item["dut_field"]
            matching = (k for k in self.observations if fnmatchcase(name, k))
            pattern = next(matching, None)
            changes = {} if pattern is None else self.observations[pattern]
            if changes is not None:
                yield {**item, **changes}


def _check_types(rule: Rule) -> None:
    """UsageError for a field of another type than it has: it would break an answer later."""
    values: Mapping[str, Any] = asdict(rule, recurse=False)

    def require(name: str, what: str, *, is_right: bool) -> None:
        if not is_right:
            raise UsageError(f"`{name}` must be {what}, got {values[name]!r}"[:200])

    for name in ("fault", "on", "qc", "error_code", "message"):
        require(name, "text", is_right=isinstance(values[name], str))
    for name in ("skip", "status"):
        require(name, "a whole number", is_right=type(values[name]) is int)
    times, seconds, remove, headers = (values[k] for k in ("times", "seconds", "remove", "headers"))
    require("times", "a whole number or null", is_right=times is None or type(times) is int)
    require("processed", "true or false", is_right=isinstance(values["processed"], bool))
    is_time = type(seconds) in (int, float) and isfinite(seconds)
    require("seconds", "a number", is_right=is_time)
    require("set", "an object", is_right=isinstance(values["set"], Mapping))
    is_names = isinstance(remove, list | tuple) and all(isinstance(name, str) for name in remove)
    require("remove", "a list of names", is_right=is_names)
    changes = values["observations"]
    are_changes = isinstance(changes, Mapping) and all(
        item is None or isinstance(item, Mapping) for item in changes.values()
    )
    require("observations", "an object of objects and nulls", is_right=are_changes)
    drift = values["drift"]
    is_size = drift is None or (type(drift) in (int, float) and isfinite(drift))
    require("drift", "a number or null", is_right=is_size)
    are_headers = isinstance(headers, Mapping) and all(
        isinstance(text, str) and text.isascii() and text.isprintable()
        for pair in headers.items()
        for text in pair
    )
    require("headers", "an object of printable ASCII texts", is_right=are_headers)


_KEYS = {item.name for item in fields(Rule)} - {"id"}
"""What a rule may say; its id, which names files, is the emulator's own."""


def rules_from_json(data: Any) -> list[Rule]:
    """Rules of a JSON list; `UsageError` says which one is wrong and how."""
    if not isinstance(data, list):
        raise UsageError("fault rules must be a JSON list")
    rules = []
    for number, item in enumerate(data, start=1):
        if not isinstance(item, dict) or "fault" not in item:
            raise UsageError(f"fault rule {number} must be an object with `fault`")
        if strangers := sorted(item.keys() - _KEYS):
            raise UsageError(
                f"fault rule {number}: there is no {strangers[0]!r}",
                hint=f"a rule has {', '.join(sorted(_KEYS))}",
            )
        try:
            rules.append(Rule(**item))
        except UsageError as error:
            raise UsageError(f"fault rule {number}: {error.message}", hint=error.hint) from error
    return rules


class Faults:
    """The rules that are in force in a state directory."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, rules: Sequence[Rule]) -> None:
        """Put rules behind those that are there."""
        with self._state.lock("faults"):
            self._write([*self.rules(), *rules])

    def add_once(self, rules: Sequence[Rule]) -> None:
        """As `add`, for the rules a process is started with: each such list counts once."""
        text = json.dumps([{**asdict(rule), "id": ""} for rule in rules], sort_keys=True)
        name = f"faults/started-{hashlib.sha256(text.encode()).hexdigest()}.json"
        if rules and self._state.create(name, len(rules)):
            self.add(rules)

    def rules(self) -> list[Rule]:
        """All rules in order, those that are used up too."""
        return [Rule(**item) for item in self._state.read("faults/rules.json") or []]

    def clear(self) -> None:
        """Take all rules away."""
        with self._state.lock("faults"):
            self._write([])

    def take(self, request: ApiRequest) -> Rule | None:
        """The first rule that applies to this request, which is counted by it."""
        for rule in self.rules():
            if rule.concerns(request) and self._is_due(rule):
                return rule
        return None

    def _is_due(self, rule: Rule) -> bool:
        """Count one request; True where the rule applies to it."""
        most = rule.skip if rule.times is None else rule.skip + rule.times
        for number in range(most):
            name = f"faults/{rule.id}.{number}"
            if not self._state.has(name) and self._state.create(name, None):
                return number >= rule.skip
        return rule.times is None

    def _write(self, rules: Sequence[Rule]) -> None:
        self._state.write("faults/rules.json", [asdict(rule) for rule in rules])


def _one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise UsageError(f"`{name}` cannot be {value!r}", hint=f"one of {', '.join(known)}")
