"""One request from beginning to end: fault, token, rate limit, the call itself, the ledger."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from iqm_spec.emulator.calls import ARTIFACTS, READS, Context
from iqm_spec.emulator.computers import calibration, computers, move_default, withdraw
from iqm_spec.emulator.deviation import remember
from iqm_spec.emulator.faults import Faults, Rule, rules_from_json
from iqm_spec.emulator.job_calls import WATCHES, WRITES
from iqm_spec.emulator.messages import ApiError, ApiRequest, ApiResponse, error_body
from iqm_spec.emulator.options import Options
from iqm_spec.emulator.simulator import Simulator
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json
from iqm_spec.version import __version__

Handler = Callable[[Context, ApiRequest], ApiResponse]
HANDLERS: Mapping[str, Handler] = {**READS, **ARTIFACTS, **WATCHES, **WRITES}
"""What answers each call."""

GARBAGE = b'{"id": "4f1c, "status": }'


@frozen
class Delivery:
    """What goes over the wire: `answer` None closes the connection, `cut` in the middle of it."""

    answer: ApiResponse | None
    delay: float = 0.0
    cut: bool = False


class EmulatedServer:
    """The emulated server. Safe to be called from several threads."""

    def __init__(self, options: Options, state: State) -> None:
        self.state = state
        self.faults = Faults(state)
        self.faults.add_once(rules_from_json(list(options.faults)))
        remember(state, options.unevenness)
        self._meter = Meter(options.speed)
        self._context = Context(options, state, Simulator(state), computers(options.on_premises))

    def reply(self, request: ApiRequest) -> Delivery:
        """Answer one request; the ledger has it when this returns, if it is a POST or DELETE."""
        rule = self.faults.take(request)
        answer = self._answer(request, rule)
        if request.call in WRITES:
            self._note(request, rule, answer)
        return _on_wire(rule, answer)

    def is_terminal(self, request: ApiRequest) -> bool:
        """Whether the job asked for will not change any more: what a long poll waits for."""

        def call() -> ApiResponse:
            authorize(request.authorization, self._context.options.token_env)
            return HANDLERS["job"](self._context, request)

        answer = self._guarded(call)
        body = answer.body
        status = body.get("status") if isinstance(body, dict) else None
        return status not in ("waiting", "processing")

    def close(self) -> None:
        """End the simulating process."""
        self._context.simulator.stop()

    def about(self) -> Mapping[str, Json]:
        """What an emulator says of itself; a real server has no such call."""
        options = self._context.options
        return {
            "emulator": "iqm-spec",
            "version": __version__,
            "born": self.state.born,
            "speed": options.speed,
            "on_premises": options.on_premises,
            "quantum_computers": list(self._context.computers),
        }

    def ledger(self) -> list[dict[str, Json]]:
        """Every POST and DELETE that reached the server, in order."""
        return self.state.lines("ledger.jsonl")

    def calibrate(
        self, alias: str, *, withdrawn: bool, drift: float | None = None
    ) -> Mapping[str, Json]:
        """Make a new calibration set the default of a computer.

        The old one is withdrawn if `withdrawn`. `drift` is how much figures move, by default as
        much as between any two sets.
        """
        computer = self._context.computer(alias)
        change = withdraw if withdrawn else move_default
        return {"default": change(self.state, computer, drift=drift).resolve(None)}

    def calibrations(self, alias: str) -> Mapping[str, Json]:
        """A computer's calibration sets, the oldest first."""
        now = calibration(self.state, self._context.computer(alias))
        numbers = [n for n in range(now.newest + 1) if n not in now.withdrawn]
        sets: list[Json] = [now.set_id(number) for number in numbers]
        return {"default": now.resolve(None), "sets": sets}

    def _answer(self, request: ApiRequest, rule: Rule | None) -> ApiResponse | None:
        """What the request does and what it would be answered, before the wire is disturbed."""
        if rule is None:
            return self._process(request)
        if not rule.is_processed:
            return rule.answer() if rule.fault == "status" else None
        if rule.fault in ("move-calibration", "withdraw-calibration"):
            alias = rule.qc or request.alias or ""
            all_aliases = self._context.computers
            for computer in [alias] if alias in all_aliases else list(all_aliases):
                withdrawn = rule.fault == "withdraw-calibration"
                self.calibrate(computer, withdrawn=withdrawn, drift=rule.drift)
        answer = self._process(evolve(request, fate=rule.fate))
        if rule.fault == "status":
            return evolve(rule.answer(), job=answer.job)
        if rule.fault == "rewrite":
            return rule.rewritten(answer)
        return answer

    def _process(self, request: ApiRequest) -> ApiResponse:
        options = self._context.options
        headers: dict[str, str] = {}

        def call() -> ApiResponse:
            authorize(request.authorization, options.token_env)
            if options.rate_limit:
                headers.update(self._meter.charge(cost(request.call, len(request.body))))
            return HANDLERS[request.call](self._context, request)

        answer = self._guarded(call)
        return evolve(answer, headers={**headers, **answer.headers})

    def _guarded(self, call: Callable[[], ApiResponse]) -> ApiResponse:
        try:
            return call()
        except ApiError as error:
            return error.answer()
        except Exception:
            # a bug of the emulator: logged here with its traceback, answered as IQM would
            logging.getLogger(__name__).exception("the emulator failed")
            return ApiResponse(
                500, error_body("internal_error", "the emulator failed: see its stderr")
            )

    def _note(self, request: ApiRequest, rule: Rule | None, answer: ApiResponse | None) -> None:
        """One line of the ledger. No header and no token is in it."""
        body = answer.body if answer is not None and not isinstance(answer.body, bytes) else None
        error = body if isinstance(body, dict) and "error_code" in body else {}
        job = None if answer is None else answer.job
        self.state.append(
            "ledger.jsonl",
            {
                "time": time.time(),
                "call": request.call,
                "alias": request.alias,
                "use_timeslot": request.is_true("use_timeslot"),
                "tag": request.query.get("tag"),
                "sha256": hashlib.sha256(request.body).hexdigest(),
                "job": job,
                "status": None if answer is None else answer.status,
                "rejected": None if job else error.get("error_code"),
                "fault": None if rule is None else rule.fault,
            },
        )


def _on_wire(rule: Rule | None, answer: ApiResponse | None) -> Delivery:
    if rule is None:
        return Delivery(answer)
    if answer is None:
        return Delivery(None, rule.seconds)
    match rule.fault:
        case "drop-after":
            return Delivery(None, rule.seconds)
        case "half-answer":
            return Delivery(answer, rule.seconds, cut=True)
        case "garbage":
            kind = {"content-type": "application/json"}
            return Delivery(ApiResponse(200, GARBAGE, kind, answer.job), rule.seconds)
    return Delivery(answer, rule.seconds)


UNITS = 2000
WINDOW_S = 10.0
BLOCK_S = 30.0
"""2000 units in any 10 seconds; more than that blocks for 30 (QDMI-on-IQM, issue 198)."""
MANY_BYTES = 10 * 2**20

_COSTS = {"submit": 100, "cancel": 100, "delete": 100}


def cost(call: str, size: int) -> int:
    """Units of a request with `size` bytes: a submission pays for every 10 MiB besides."""
    units = _COSTS.get(call, 10)
    return units + 100 * (size // MANY_BYTES) if call == "submit" else units


class Meter:
    """Counts units in the memory of one process. Times are modelled seconds."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._spent: deque[tuple[float, int]] = deque()
        self._blocked_until = 0.0
        self._lock = threading.Lock()

    def charge(self, units: int) -> dict[str, str]:
        """Headers that say what remains; `ApiError` (429, with Retry-After) where nothing does."""
        with self._lock:
            now = time.monotonic() * self._speed
            while self._spent and self._spent[0][0] <= now - WINDOW_S:
                self._spent.popleft()
            spent = sum(units for _, units in self._spent)
            if now < self._blocked_until or spent + units > UNITS:
                if now >= self._blocked_until:
                    self._blocked_until = now + BLOCK_S
                    self._spent.clear()
                seconds = max(1, math.ceil((self._blocked_until - now) / self._speed))
                raise ApiError(
                    429,
                    "rate_limit_exceeded",
                    f"more than {UNITS} units in {WINDOW_S:g} s; try again in {seconds} s",
                    headers={"Retry-After": str(seconds), **_headers(0)},
                )
            self._spent.append((now, units))
        return _headers(UNITS - spent - units)


def _headers(remaining: int) -> dict[str, str]:
    return {"RateLimit-Limit": str(UNITS), "RateLimit-Remaining": str(remaining)}


def authorize(header: str | None, token_env: str) -> None:
    """Return for a `Bearer` token that is accepted; `ApiError` (401) for all else.

    Any token is, or only the value of the environment variable `token_env` where one is named.
    """
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "unauthorized", "a token is needed: Authorization: Bearer TOKEN")
    if token_env:
        expected = os.environ.get(token_env, "")
        if not expected or not hmac.compare_digest(token.strip().encode(), expected.encode()):
            raise ApiError(401, "unauthorized", "the token is not valid, or not any more")
