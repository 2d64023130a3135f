"""One request from beginning to end: fault, token, rate limit, the call itself, the ledger."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from iqm_spec.emulator.artifacts import ARTIFACTS
from iqm_spec.emulator.auth import authorize
from iqm_spec.emulator.calibration import move_default, withdraw
from iqm_spec.emulator.calls import Context
from iqm_spec.emulator.faults import Faults, Rule, rules_from_json
from iqm_spec.emulator.jobcalls import WATCHES, WRITES
from iqm_spec.emulator.limits import Meter, cost
from iqm_spec.emulator.machines import Computer, computers
from iqm_spec.emulator.messages import Answer, Ask, Rejected, error_body
from iqm_spec.emulator.options import Options
from iqm_spec.emulator.reads import READS
from iqm_spec.emulator.simulator import Simulator
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json
from iqm_spec.version import __version__

Handler = Callable[[Context, Ask], Answer]
HANDLERS: Mapping[str, Handler] = {**READS, **ARTIFACTS, **WATCHES, **WRITES}
"""What answers each call."""

GARBAGE = b'{"id": "4f1c, "status": }'


@frozen
class Reply:
    """What goes over the wire: `answer` None closes the connection, `cut` in the middle of it."""

    answer: Answer | None
    delay: float = 0.0
    cut: bool = False


class Server:
    """The emulated server. Safe to be called from several threads."""

    def __init__(self, options: Options, state: State) -> None:
        self.state = state
        self.faults = Faults(state)
        self.faults.add_once(rules_from_json(list(options.faults)))
        self._meter = Meter(options.speed)
        self._context = Context(options, state, Simulator(state), computers(options.on_premises))

    def reply(self, ask: Ask) -> Reply:
        """Answer one request; the ledger has it when this returns, if it is a POST or DELETE."""
        rule = self.faults.take(ask)
        answer = self._answer(ask, rule)
        if ask.call in WRITES:
            self._note(ask, rule, answer)
        return _on_wire(rule, answer)

    def is_terminal(self, ask: Ask) -> bool:
        """Whether the job asked for will not change any more: what a long poll waits for."""

        def call() -> Answer:
            authorize(ask.authorization, self._context.options.token_env)
            return HANDLERS["job"](self._context, ask)

        answer = self._guarded(call)
        body = answer.body
        status = body.get("status") if isinstance(body, dict) else None
        return status not in ("waiting", "processing")

    def close(self) -> None:
        """End the simulating process."""
        self._context.simulator.stop()

    def about(self) -> Mapping[str, Json]:
        """What tells an emulator from a real server: the latter has no such call."""
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

    def calibrate(self, alias: str, *, gone: bool) -> Mapping[str, Json]:
        """Move a computer's default calibration set on, and withdraw it if it shall be `gone`."""
        computer = self._context.computer(alias)
        now = withdraw(self.state, computer) if gone else move_default(self.state, computer)
        return {"default": now.resolve(None)}

    def _answer(self, ask: Ask, rule: Rule | None) -> Answer | None:
        """What the request does and what it would be answered, before the wire is disturbed."""
        if rule is None:
            return self._process(ask)
        if not rule.is_processed:
            return rule.answer() if rule.fault == "status" else None
        if rule.fault in ("move-calibration", "withdraw-calibration"):
            for computer in self._concerned(rule, ask):
                self.calibrate(computer.alias, gone=rule.fault == "withdraw-calibration")
        answer = self._process(evolve(ask, fate=rule.fate))
        if rule.fault == "status":
            return evolve(rule.answer(), job=answer.job)
        if rule.fault == "rewrite":
            return rule.rewritten(answer)
        return answer

    def _concerned(self, rule: Rule, ask: Ask) -> list[Computer]:
        alias = rule.qc or ask.alias or ""
        found = self._context.computers
        return [found[alias]] if alias in found else list(found.values())

    def _process(self, ask: Ask) -> Answer:
        options = self._context.options
        headers: dict[str, str] = {}

        def call() -> Answer:
            authorize(ask.authorization, options.token_env)
            if options.rate_limit:
                headers.update(self._meter.charge(cost(ask.call, len(ask.body))))
            return HANDLERS[ask.call](self._context, ask)

        answer = self._guarded(call)
        return evolve(answer, headers={**headers, **answer.headers})

    def _guarded(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except Rejected as error:
            return error.answer()
        except Exception:
            # a bug of the emulator: told here with its traceback, and to the client as IQM would
            logging.getLogger(__name__).exception("the emulator failed")
            return Answer(500, error_body("internal_error", "the emulator failed: see its stderr"))

    def _note(self, ask: Ask, rule: Rule | None, answer: Answer | None) -> None:
        """One line of the ledger. No header and no token is in it."""
        body = answer.body if answer is not None and not isinstance(answer.body, bytes) else None
        told = body if isinstance(body, dict) and "error_code" in body else {}
        job = None if answer is None else answer.job
        self.state.append(
            "ledger.jsonl",
            {
                "time": time.time(),
                "call": ask.call,
                "alias": ask.alias,
                "use_timeslot": ask.is_true("use_timeslot"),
                "tag": ask.query.get("tag"),
                "sha256": hashlib.sha256(ask.body).hexdigest(),
                "job": job,
                "status": None if answer is None else answer.status,
                "rejected": None if job else told.get("error_code"),
                "fault": None if rule is None else rule.fault,
            },
        )


def _on_wire(rule: Rule | None, answer: Answer | None) -> Reply:
    if rule is None:
        return Reply(answer)
    if answer is None:
        return Reply(None, rule.seconds)
    match rule.fault:
        case "drop-after":
            return Reply(None, rule.seconds)
        case "half-answer":
            return Reply(answer, rule.seconds, cut=True)
        case "garbage":
            kind = {"content-type": "application/json"}
            return Reply(Answer(200, GARBAGE, kind, answer.job), rule.seconds)
    return Reply(answer, rule.seconds)
