"""Every fault at every step at which it can happen, as data; and why the other pairs cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

READING, CLAIMED, INTENDED, POSTING = "reading", "claimed", "intended", "posting"
ANSWERED, WAITING, FETCHING, STORING, MOCK = "answered", "waiting", "fetching", "storing", "mock"

STEPS: Mapping[str, str] = {
    READING: "the machine is read, nothing is claimed yet",
    CLAIMED: "the claim is on disk, the intent is not",
    INTENDED: "the intent is on disk, nothing is sent",
    POSTING: "the server has the POST, the answer has not arrived",
    ANSWERED: "the answer has arrived, the job's id is not on disk",
    WAITING: "the ids are on disk, the jobs run",
    FETCHING: "the counts are requested",
    STORING: "the counts are on disk, the event that refers to them is not",
    MOCK: "the POST to the mock",
}
"""Steps of a run in their order, the submission to the mock apart."""

Rule = Mapping[str, Any]


@frozen
class Scenario:
    """One fault at one step.

    `rules` are the emulator's, `hook` is that of `tests.faults.child` and `timeout` of its
    connection. `signal` is sent from outside while the server holds its answer back (`posting`) or
    jobs run (`waiting`). `play` is who takes part: one command (`alone`), one whose server is down
    for a while (`outage`), two on one folder (`together`), or two on copies of it (`copy`).
    `exits` are the exit codes that the first command may have.
    """

    fault: str
    step: str
    exits: tuple[int, ...]
    rules: tuple[Rule, ...] = ()
    hook: Mapping[str, str] = field(factory=dict)
    timeout: float | None = None
    signal: str = ""
    play: str = "alone"
    twice: int = 0
    """Jobs that nobody can keep from being paid twice here; they must be told."""

    @property
    def id(self) -> str:
        """`SIGKILL-posting`."""
        return f"{self.fault}-{self.step}".replace(" ", "-")

    @property
    def needs_own_server(self) -> bool:
        """Whether the server must be ended and started again."""
        return self.play == "outage"


_KIND = {
    CLAIMED: "linked:claimed",
    INTENDED: "linked:intent",
    ANSWERED: "linking:submitted",
    FETCHING: "get:/artifacts/",
    STORING: "linking:completed",
    MOCK: "linking:submitted",
}
"""Where in the process each step is."""

_CALL: Mapping[str, Rule] = {
    READING: {"on": "architecture", "qc": "garnet"},
    POSTING: {"on": "submit", "qc": "garnet"},
    WAITING: {"on": "job"},
    FETCHING: {"on": "measurement-counts"},
    MOCK: {"on": "submit", "qc": "garnet:mock"},
}
"""The request of each step."""

HELD = 1.5
"""Seconds for which an answer is held back."""
_STILL_WAITING: Rule = {
    "on": "job",
    "fault": "rewrite",
    "set": {"status": "waiting"},
    "times": None,
}


def scenarios() -> list[Scenario]:
    """All of them, row by row."""
    return [
        *_signals(),
        *_disks(),
        *_lost_answers(),
        *_refusing(),
        *_statuses(),
        *_jobs(),
        *_outages(),
        *_company(),
    ]


def _signals() -> Iterator[Scenario]:
    # with SIGTERM, the end of a batch system's time, a job that was submitted goes on: no failure
    for name, code in (("SIGKILL", -9), ("SIGTERM", 9), ("SIGINT", 130)):
        for step, at in _KIND.items():
            yield Scenario(name, step, (code,), hook={"at": at, "do": name})
        held = {**_CALL[POSTING], "fault": "slow", "seconds": HELD}
        yield Scenario(name, POSTING, (code,), (held,), signal=name)
        yield Scenario(name, WAITING, (code,), (_STILL_WAITING,), signal=name)


def _disks() -> Iterator[Scenario]:
    kinds = {
        CLAIMED: "intent",
        INTENDED: "intent",
        ANSWERED: "submitted",
        FETCHING: "hardware-records",
        STORING: "completed",
        MOCK: "submitted",
    }
    for name in ("ENOSPC", "EIO"):
        for step, kind in kinds.items():
            if step == INTENDED:
                continue
            # the id of a job that cannot be noted is told: only a person can keep it then
            code = 8 if step == ANSWERED else 5
            yield Scenario(name, step, (code,), hook={"at": f"writing:{kind}", "do": name})


_UNHEARD: Sequence[tuple[str, Rule]] = (
    ("drop-before", {"fault": "drop-before"}),
    ("drop-after", {"fault": "drop-after"}),
    ("half an answer", {"fault": "half-answer"}),
    ("garbage with 200", {"fault": "garbage"}),
    ("slower than the timeout", {"fault": "slow", "seconds": 2.5}),
)
_WITHOUT_ID: Sequence[tuple[str, Rule]] = (
    ("an answer without id", {"fault": "rewrite", "remove": ["id"]}),
    ("202 and HTML", {"fault": "status", "status": 202, "processed": True, "body": "<p>Wait</p>"}),
)


def _lost_answers() -> Iterator[Scenario]:
    for name, rule in _UNHEARD:
        for step, call in _CALL.items():
            if name == "drop-after" and step in (READING, WAITING, FETCHING):
                continue
            code = 8 if step == POSTING else 0
            slow = 1.0 if name.startswith("slower") else None
            yield Scenario(name, step, (code,), ({**call, **rule},), timeout=slow)
    for name, rule in _WITHOUT_ID:
        for step, code in ((POSTING, 8), (MOCK, 0)):
            yield Scenario(name, step, (code,), ({**_CALL[step], **rule},))


_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_BAD = (
    ("500", {"status": 500, "error_code": "internal_error"}),
    ("502 HTML", {"status": 502, "body": _HTML.format("502 Bad Gateway")}),
    ("503", {"status": 503}),
    ("504", {"status": 504, "body": "upstream timed out"}),
    ("520 HTML", {"status": 520, "body": _HTML.format("520: unknown error")}),
)


def _refusing() -> Iterator[Scenario]:
    for name, rule in _BAD:
        for step, call in _CALL.items():
            code = 8 if step == POSTING else 0
            yield Scenario(name, step, (code,), ({**call, "fault": "status", **rule},))
        done = {**_CALL[POSTING], "fault": "status", **rule, "processed": True}
        yield Scenario(f"{name}, processed", POSTING, (8,), (done,))
    later = {"status": 429, "error_code": "rate_limit_exceeded", "headers": {"Retry-After": "1"}}
    for step, call in _CALL.items():
        yield Scenario("429", step, (0,), ({**call, "fault": "status", **later},))


_NO = (
    (
        "401",
        {"status": 401, "error_code": "unauthorized"},
        (READING, POSTING, WAITING, FETCHING),
        4,
    ),
    ("403 credits", {"status": 403, "error_code": "not_enough_credits"}, (POSTING, MOCK), 5),
    ("404", {"status": 404, "error_code": "not_found"}, (POSTING, WAITING), 5),
    ("413", {"status": 413, "error_code": "request_payload_too_large"}, (POSTING,), 5),
    ("422", {"status": 422, "error_code": "invalid_job_payload"}, (POSTING, MOCK), 5),
)


def _statuses() -> Iterator[Scenario]:
    for name, rule, steps, code in _NO:
        for step in steps:
            refusal = {**_CALL[step], "fault": "status", "times": None, **rule}
            yield Scenario(name, step, (code,), (refusal,))


def _jobs() -> Iterator[Scenario]:
    empty = {"fault": "rewrite", "set": {"errors": None, "messages": None}, "remove": ["timeline"]}
    strange = {"fault": "rewrite", "set": {"status": "validating"}, "times": 2}
    for step in (POSTING, WAITING):
        times = 1 if step == POSTING else None
        yield Scenario("errors: null", step, (0,), ({**_CALL[step], **empty, "times": times},))
        yield Scenario("an unknown status", step, (0,), ({**_CALL[step], **strange},))
    for name in ("job-failed", "job-cancelled"):
        for step, code in ((WAITING, 5), (MOCK, 5)):
            call = _CALL[MOCK if step == MOCK else POSTING]
            yield Scenario(name, step, (code,), ({**call, "fault": name, "message": "no"},))


def _outages() -> Iterator[Scenario]:
    one = Scenario("no server", READING, (0,), play="outage")
    yield one
    yield evolve(one, step=INTENDED, hook={"at": _KIND[INTENDED], "do": "pause"})
    yield evolve(one, step=MOCK, hook={"at": _KIND[INTENDED], "do": "pause"})
    held = {**_CALL[POSTING], "fault": "slow", "seconds": 20.0}
    yield evolve(one, fault="server restarts", step=POSTING, exits=(8,), rules=(held,))
    for step in (WAITING, FETCHING):
        at = "linked:submitted" if step == WAITING else "get:/jobs/"
        hook = {"at": at, "do": "pause"}
        yield evolve(one, fault="server restarts", step=step, hook=hook)


def _company() -> Iterator[Scenario]:
    for step in (CLAIMED, INTENDED, ANSWERED, FETCHING, STORING, MOCK):
        hook = {"at": _KIND[step], "do": "pause"}
        yield Scenario("two processes", step, (0,), hook=hook, play="together")
    for step, twice in (
        (READING, 2),
        (CLAIMED, 2),
        (INTENDED, 1),
        (ANSWERED, 1),
        (FETCHING, 0),
        (STORING, 0),
    ):
        hook = {"at": _KIND.get(step, "get:/dynamic-quantum-architecture"), "do": "pause"}
        yield Scenario("a copied folder", step, (0,), hook=hook, play="copy", twice=twice)


FOOTNOTES = """\
- Signals while reading: nothing is claimed yet, so nothing can be lost or paid.
- The disk while reading, intended, posting and waiting: nothing is written then. A failing disk
  fails in the next write, which is the next column.
- The network and the server while claimed, intended, answered and storing: nothing is sent between
  two writes to disk. `no server` while intended is a POST whose connection is refused.
- `drop-after` while reading, waiting and fetching: a read has no effect, so it equals
  `drop-before`.
- `processed` applies only to submissions, as do 403, 413 and 422. A job is read before its counts,
  so 404 while fetching equals 404 while waiting.
- `errors: null`, an unknown status, and failed or cancelled jobs are states of a job, so they occur
  where the server reports on a job.
- Two processes and copies while posting: the folder is the same as while intended. While reading,
  two processes have no claim yet, and while waiting they only read.
- A copied folder with a job that is not submitted yet is a second folder that submits the job: no
  program can detect this. Once the folders are merged, both ids are stored and reported as paid
  twice.
"""
"""Why cells are empty, and what is beyond any program."""


def rows(of: list[Scenario]) -> list[str]:
    """Faults in order."""
    return list(dict.fromkeys(scenario.fault for scenario in of))
