"""A server stage in this process: a small plan, a real results folder, a scripted server.

The doors to the code under test are here and nowhere else: `run` (a spec's stages), `submit` (one
job), `collect` (results of jobs) and `judge` (the verdict) of `StageBench`. What they leave behind
is read from the files of the results folder, whose form does not change. Time belongs to the bench:
it passes only where the code sleeps.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, repeat
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

import pytest
from attrs import define, field, frozen

from iqm_spec.emulator.computers import EmulatedComputer, dynamic_architecture
from iqm_spec.engine.prepare import load
from iqm_spec.engine.run import SpecRun, plan_of, run_spec
from iqm_spec.errors import IqmSpecError
from iqm_spec.model import Mode, StageName
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.plan import Plan
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import Connection, connect
from iqm_spec.server_api.token import Token
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.stages.events import Event, Paused, RunDone, StageDone
from iqm_spec.stages.interface import RunInputs, RunOptions
from iqm_spec.stages.registry import stages_until
from iqm_spec.stages.server.attempts import (
    Attempt,
    Phase,
    circuits_of_attempts,
    ended_already,
    point_keys,
    read_work,
    settled_work,
)
from iqm_spec.stages.server.batch import batches_of
from iqm_spec.stages.server.budget import Bill
from iqm_spec.stages.server.collect import collect
from iqm_spec.stages.server.judge import Findings, judge_server
from iqm_spec.stages.server.server_info import Session
from iqm_spec.stages.server.submit import SubmissionContext, submit
from iqm_spec.stages.server.tariff import CostOptions
from iqm_spec.store import Disk, Store
from tests.faulty_disk import FaultyDisk, full
from tests.scripted import Answer, Scripted, http

REALM = "https://iqm.example.org"
"""The server's name in keys and messages, whatever its port is."""
SET = "11111111-1111-4111-8111-111111111111"
MOCK_SET = "22222222-2222-4222-8222-222222222222"
RUN = "pair-20261123-120000-1a2b3c4d"
"""The run of jobs that are submitted by themselves."""
MOCK, HARDWARE = StageName.MOCK.value, StageName.HARDWARE.value
PRICE = 0.5
"""Credits per second."""

SPEC: Mapping[str, Any] = {
    "iqm_spec": 1,
    "name": "pair",
    "target": "garnet",
    "shots": 10,
    "stages": ["mock", "hardware"],
    "circuits": [{"generator": "ghz", "args": {"num_qubits": "${n}"}}],
    "sweep": [{"grid": {"n": [2, 3]}}],
}
WAIVED = {"mock": {"waived": "the mock is away"}}


def job_id(number: int) -> str:
    """The id of the job that the server takes as its first, second, ..."""
    return f"00000000-0000-4000-8000-{number:012d}"


class Clock:
    """Seconds that pass where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[float, Callable[[], object]]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)
        assert self.now < 1e7, "it waits forever"
        for item in [item for item in self._due if item[0] <= self.now]:
            self._due.remove(item)
            item[1]()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something once so many seconds have passed."""
        self._due.append((self.now + seconds, action))

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(time, "sleep", self.sleep)
        patch.setattr(time, "monotonic", self.monotonic)
        patch.setattr(random, "random", lambda: 0.5)


@frozen
class Post:
    """A submission as it reached the server."""

    computer: str
    body: Mapping[str, Any]
    use_timeslot: bool

    @property
    def sizes(self) -> list[int]:
        """Qubits that each circuit measures."""
        return [len(keys) for keys in measured(self.body)]


def measured(body: Mapping[str, Any]) -> list[list[str]]:
    """The measurement keys of each circuit of a payload."""
    return [
        [step["args"]["key"] for step in circuit["instructions"] if step["name"] == "measure"]
        for circuit in body["circuits"]
    ]


def report(status: str, job: str, **fields: Any) -> dict[str, Any]:
    """A job as the server tells of it; it ran for 2 s where it completed."""
    times = {"execution_started": "12:00:01", "execution_ended": "12:00:03"}
    ran = times if status == "completed" else {}
    return {
        "id": job,
        "status": status,
        "compilation": {"calibration_set_id": SET},
        "timeline": [
            {"source": "qc", "status": name, "timestamp": f"2026-11-23T{when}Z"}
            for name, when in ran.items()
        ],
        **fields,
    }


class ScriptedServer:
    """Takes every job, completes it at once, and measures zeros; unless told otherwise by `say`."""

    def __init__(self, clock: Clock) -> None:
        self.posts: list[Post] = []
        self.computers = ["garnet", "garnet:mock"]
        self.calibration = {"garnet": SET, "garnet:mock": MOCK_SET}
        self.missing_gates: dict[str, str] = {}
        """A gate that a computer lacks, by alias."""
        self.details: dict[str, Any] = {
            "pricing": {"payg_price_per_second": str(PRICE)},
            "health": {"healthy": True},
            "operational_status": "online",
            "limits": {"max_circuits_per_job": 100},
        }
        self.slots: list[tuple[datetime, datetime]] | None = None
        self._clock = clock
        self._script: list[tuple[str, list[Answer | Callable[[], Answer]]]] = []
        self._jobs: dict[str, Post] = {}
        self._ids = count(1)
        self._port = 0
        self._listen()

    def say(self, word: str, *answers: Answer | Callable[[], Answer]) -> None:
        """Answer the next requests whose first line holds `word` with these."""
        self._script.append((word, list(answers)))

    def say_status(self, *statuses: str, job: str = job_id(1), **fields: Any) -> None:
        """Tell of a job in these words at the next looks."""
        self.say(f"{job} ", *(http(200, report(status, job, **fields)) for status in statuses))

    def away(self, seconds: float) -> None:
        """Refuse connections for so long."""
        self.close()
        self._clock.after(seconds, self._listen)

    def book(self, seconds: float) -> None:
        """A timeslot that goes on for so long."""
        now = datetime.now(UTC)
        self.slots = [(now - timedelta(hours=1), now + timedelta(seconds=seconds))]

    def _listen(self) -> None:
        self._listener = Scripted(repeat(self._answer), port=self._port)
        self._listener.__enter__()
        self._port = self._listener.port
        self._listens = True

    def close(self) -> None:
        """Refuse connections from now on."""
        if self._listens:
            self._listens = False
            self._listener.__exit__(None, None, None)

    @property
    def url(self) -> str:
        return self._listener.url

    @property
    def asked(self) -> list[str]:
        """Method and path of every request since the server listens."""
        lines = [request.split(b"\r\n")[0].decode() for request in self._listener.requests]
        return [" ".join(line.split(" ")[:2]) for line in lines]

    def _answer(self, request: bytes) -> Answer:
        head, _, body = request.partition(b"\r\n\r\n")
        line = unquote(head.split(b"\r\n")[0].decode())
        method, address, _ = line.split(" ")
        path, _, query = address.removeprefix("/api/v1/").partition("?")
        segments = path.split("/")
        if method == "POST":
            self.posts.append(Post(segments[1], json.loads(body), "use_timeslot=true" in query))
        for word, answers in self._script:
            if word in line and answers:
                answer = answers.pop(0)
                return answer if isinstance(answer, Answer) else answer()
        if method == "POST":
            return self.take()
        return http(*self._read(segments))

    def take(self) -> Answer:
        """Take the job that was posted last."""
        name = job_id(next(self._ids))
        self._jobs[name] = self.posts[-1]
        return http(200, {"id": name, "status": "waiting"})

    def results(self, name: str, *, shots: int | None = None) -> list[dict[str, Any]]:
        """Counts of a job's circuits: zeros."""
        body = self._jobs[name].body
        number = body["shots"] if shots is None else shots
        return [
            {"measurement_keys": keys, "counts": {"0" * len(keys): number}}
            for keys in measured(body)
        ]

    def architecture(self, name: str, calibration_set: str) -> Answer:
        """The architecture of a computer under a calibration set."""
        return http(200, self._architecture(name, calibration_set))

    def _architecture(self, name: str, calibration_set: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            **dynamic_architecture(EmulatedComputer(name, "garnet"), calibration_set)
        }
        gates = {k: v for k, v in told["gates"].items() if k != self.missing_gates.get(name)}
        return {**told, "gates": gates}

    def _read(self, segments: Sequence[str]) -> tuple[int, Any]:
        match segments:
            case ["quantum-computers"]:
                listed = [{"id": name, "alias": name} for name in self.computers]
                return 200, {"quantum_computers": listed}
            case ["quantum-computers", name] if name in self.computers:
                return 200, self.details
            case ["quantum-computers", _, "timeslots"] if self.slots is not None:
                spans = [{"start": a.isoformat(), "end": b.isoformat()} for a, b in self.slots]
                return 200, {"booked_slots": spans}
            case ["calibration-sets", name, _, "dynamic-quantum-architecture"]:
                return 200, self._architecture(name, self.calibration[name])
            case ["jobs", name] if name in self._jobs:
                return 200, report("completed", name)
            case ["jobs", name, "artifacts", "measurement_counts"] if name in self._jobs:
                return 200, self.results(name)
            case ["jobs", name, "artifacts", "measurements"] if name in self._jobs:
                body = self._jobs[name].body
                return 200, [{k: [[0]] * body["shots"] for k in keys} for keys in measured(body)]
        return 404, {"error_code": "not_found", "message": "there is no such thing"}


@frozen
class WatchedDisk(FaultyDisk):
    """Calls `watch` with `before KIND` and `after KIND` where an event of a job is written."""

    watch: Callable[[str], object] = lambda moment: None
    _placed: list[str] = field(factory=list)

    def _step(self, name: str, first: object, second: object = "") -> None:
        super()._step(name, first, second)
        path = Path(str(second))
        if name == "place" and path.parent.parent.name == "jobs":
            self._placed.append(path.name.split("-")[1])
            self.watch(f"before {self._placed[-1]}")
        elif name == "sync_dir" and self._placed:
            self.watch(f"after {self._placed.pop()}")


def watched(watch: Callable[[str], object] = lambda moment: None) -> Disk:
    """A disk without faults."""
    return WatchedDisk(10**9, full, watch=watch)


@frozen
class Verdict:
    """The end of a stage."""

    status: str
    reasons: tuple[str, ...]
    code: int
    jobs: int = 0
    cached: int = 0
    submitted: int = 0


@frozen
class Course:
    """What a command did: verdicts by stage, its exit code, pauses in seconds with their reasons.

    `error` is the error that ended it.
    """

    stages: Mapping[str, Verdict]
    exit_code: int
    error: IqmSpecError | None
    pauses: tuple[tuple[str, float], ...]
    bills: tuple[Bill, ...]

    @property
    def last(self) -> Verdict:
        return list(self.stages.values())[-1]


@frozen
class Submission:
    """One try to submit a job; `phase` is what its journal says."""

    attempt: Attempt
    phase: str
    ids: tuple[str, ...]
    pauses: tuple[tuple[str, float], ...]


@frozen
class News:
    """What a look at a job brought; `trouble` and `lacks` are words about its results."""

    job: str
    status: str
    ended: bool
    queue_position: int | None
    trouble: str
    lacks: str


@define
class Gate:
    """Another process that stands still at a moment of its submission."""

    reached: threading.Event = field(factory=threading.Event)
    opened: threading.Event = field(factory=threading.Event)
    thread: threading.Thread | None = None
    submission: Submission | None = None

    def open(self) -> None:
        """Let it go on to its end."""
        self.opened.set()
        assert self.thread is not None
        self.thread.join(10)
        assert not self.thread.is_alive()

    def open_soon(self) -> None:
        """The same, a moment after this thread has begun to wait for a lock."""
        timer = threading.Timer(0.05, self.opened.set)
        timer.daemon = True
        timer.start()


class Prepared:
    """Checked specs and folders that hold their plans, made once for all tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, tuple[CheckedSpec, Path]] = {}

    def of(self, fields: Mapping[str, Any]) -> tuple[CheckedSpec, Path]:
        text = json.dumps(fields)
        if text not in self._made:
            number = len(self._made)
            path, results = self._folder / f"{number}.yaml", self._folder / str(number)
            path.write_text(text)
            if number:  # its circuits are likely there already, and need not be transpiled
                shutil.copytree(self._folder / "0", results)
            checked = load(path)
            _plan(checked, Store(results, watched()))
            self._made[text] = checked, results
        return self._made[text]


def _plan(checked: CheckedSpec, store: Store) -> Plan:
    return plan_of(checked, store)


class StageBench:
    """A spec, its results folder and a server."""

    def __init__(self, folder: Path, prepared: Prepared, clock: Clock) -> None:
        self.clock = clock
        self.server = ScriptedServer(clock)
        self.timeout = 10.0
        """Seconds (real ones) until a request without an answer is given up."""
        self.server_id = REALM
        self.address: str | None = None
        """Where requests go instead of the scripted server."""
        self.results = folder / "results"
        self._prepared = prepared
        self.use()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def use(self, **fields: Any) -> None:
        """Take the spec with these fields changed, in a new folder that has its plan only."""
        self._checked, results = self._prepared.of({**SPEC, **fields})
        shutil.rmtree(self.results, ignore_errors=True)
        shutil.copytree(results, self.results)
        self.plan = _plan(self._checked, self.store())

    def change(self, **fields: Any) -> None:
        """Take the spec with these fields changed, in the folder as it is."""
        self._checked, _ = self._prepared.of({**SPEC, **fields})

    def store(self, disk: Disk | None = None) -> Store:
        return Store(self.results, disk or watched())

    @property
    def session(self) -> Session:
        def connection() -> Connection:
            token = Token(lambda: "a-token-of-tests")
            url = self.address or self.server.url
            return connect(Server(self.server_id, url), token, self.timeout)

        return Session(self.server_id, connection, lambda: False)

    # the doors

    def run(
        self,
        *,
        disk: Disk | None = None,
        until: str | None = None,
        fresh: bool = False,
        agree: bool = True,
        wait: float | None = None,
        detach: bool = False,
        max_credits: float | None = None,
        slot: float | None = None,
        pins: Mapping[str, str] | None = None,
    ) -> Course:
        """`iqm-spec run`."""
        pauses: list[tuple[str, float]] = []
        bills: list[Bill] = []
        stages: dict[str, Verdict] = {}

        def hear(event: Event) -> None:
            if isinstance(event, Paused):
                pauses.append((event.why, event.seconds))

        def consent(bill: Bill) -> bool:
            bills.append(bill)
            return agree

        options = RunOptions(
            fresh=fresh,
            deadline=None if wait is None else self.clock.now + wait,
            detach=detach,
            costs=CostOptions(most=max_credits, slot_seconds=slot),
            agree=consent,
            report=hear,
        )
        spec = self._checked.spec
        inputs = RunInputs(
            budget=spec.budget,
            error_profiles=self._checked.profiles,
            calibration_sets=pins or {},
            fail_fast=spec.fail_fast,
        )
        names = stages_until(spec.stages, None if until is None else StageName(until))
        run = SpecRun(self._checked, names, inputs, options, self.session)
        error, code = None, -1
        try:
            for event in run_spec(run, self.store(disk)):
                if isinstance(event, StageDone):
                    stages[event.stage.value] = Verdict(
                        event.status,
                        tuple(event.reasons),
                        int(event.code),
                        event.jobs,
                        event.cached,
                        event.submitted,
                    )
                elif isinstance(event, RunDone):
                    code = event.exit_code
        except IqmSpecError as failure:
            error, code = failure, int(failure.exit_code)
        return Course(stages, code, error, tuple(pauses), tuple(bills))

    def submit(
        self,
        stage: str = HARDWARE,
        points: Sequence[int] = (0, 1),
        *,
        disk: Disk | None = None,
        fresh: bool = False,
    ) -> Submission | None:
        """Submit one job of what is left of some points; None where nothing had to be."""
        store = self.store(disk)
        ignored = ended_already(store, StageName(stage), self.server_id) if fresh else frozenset()
        work = settled_work(self.plan, StageName(stage), self.server_id, store, ignored)
        circuits = circuits_of(store, self.plan, [point for point, *_ in work.left()])
        parts = [part for part in work.parts(circuits) if part.point.index in points]
        if not parts:
            return None
        (batch,) = batches_of(self.plan, parts, {})
        context = SubmissionContext(
            stage=StageName(stage),
            session=self.session,
            store=store,
            run=RUN,
            plan=self.plan.digest,
            mode=Mode(self.plan.header.mode),
            calibration_sets={"garnet": MOCK_SET if stage == MOCK else SET},
            fresh=fresh,
        )
        pauses: list[tuple[str, float]] = []
        attempt = submit(
            context, batch, ignored, lambda why, seconds: pauses.append((why, seconds))
        )
        if attempt is None:
            return None
        return Submission(attempt, attempt.phase.value, attempt.ids, tuple(pauses))

    def submitted(self, stage: str = HARDWARE, points: Sequence[int] = (0, 1)) -> Submission:
        """A job that the server has taken."""
        submission = self.submit(stage, points)
        assert submission is not None
        assert submission.phase == "submitted"
        return submission

    def collect(
        self,
        stage: str = HARDWARE,
        *,
        wait: float | None = None,
        memory: bool = False,
        disk: Disk | None = None,
    ) -> Iterator[News]:
        """Wait for the results of every job that the server has."""
        store = self.store(disk)
        work = settled_work(self.plan, StageName(stage), self.server_id, store)
        waiting = work.attempts(Phase.SUBMITTED)
        self.pauses: list[tuple[str, float]] = []
        for heard in collect(
            waiting,
            self.session,
            store,
            circuits_of_attempts(store, waiting),
            None if wait is None else self.clock.now + wait,
            lambda why, seconds: self.pauses.append((why, seconds)),
            work.keys if memory else (),
        ):
            yield News(
                heard.attempt.ids[0],
                heard.status,
                heard.ended,
                heard.queue_position,
                heard.trouble,
                heard.lacks,
            )

    def judge(
        self,
        stage: str = HARDWARE,
        *,
        rejected: Sequence[Submission] = (),
        troubles: Sequence[str] = (),
        notes: Sequence[str] = (),
        untestable: Sequence[int] = (),
        stopped: str = "",
        held: str = "",
        now: datetime | None = None,
        write: bool = True,
    ) -> Verdict:
        """The verdict of what the folder has, and of what a run found out beside it."""
        keys = point_keys(self.plan, StageName(stage), self.server_id)
        read = settled_work if write else read_work
        verdict = judge_server(
            read(self.plan, StageName(stage), self.server_id, self.store()),
            StageName(stage),
            Findings(
                rejected=[submission.attempt for submission in rejected],
                troubles=list(troubles),
                notes=list(notes),
                untestable=frozenset(keys[index] for index in untestable),
                stopped=stopped,
                not_submitted=held,
            ),
            now,
        )
        return Verdict(verdict.status, verdict.reasons, int(verdict.code))

    # what is in the folder, and what else happens there

    def pack(self, digest: str) -> list[dict[str, Any]]:
        """The records of a pack."""
        text = (self.results / "objects" / digest[:2] / f"{digest}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()[1:]]

    def stored(self, digest: str) -> dict[str, Any]:
        """A JSON object."""
        path = self.results / "objects" / digest[:2] / f"{digest}.json"
        return dict(json.loads(path.read_text()))

    def journals(self) -> list[list[dict[str, Any]]]:
        """The events of every job, in the order of their intents."""
        folders = sorted((self.results / "jobs").glob("*/"))
        found = [
            [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
            for folder in folders
        ]
        return sorted(found, key=lambda events: [e["fields"].get("parts", ()) for e in events])

    def kinds(self) -> list[list[str]]:
        """The kinds of the events of every job."""
        return [[event["kind"] for event in events] for events in self.journals()]

    def journal(self) -> list[str]:
        """The kinds of the events of the only job."""
        (events,) = self.kinds()
        return events

    def fields(self, kind: str) -> dict[str, Any]:
        """The fields of the only event of a kind in all jobs."""
        (found,) = [
            event["fields"]
            for events in self.journals()
            for event in events
            if event["kind"] == kind
        ]
        return dict(found)

    def note(self, submission: Submission, kind: str, **fields: Any) -> None:
        """Write an event of an attempt, as another command would."""
        attempt = submission.attempt
        self.store().job(attempt.job).append(kind, {"attempt": attempt.number, **fields})

    def note_completed(self, submission: Submission, at: str, job: str = "", **fields: Any) -> None:
        """Write that a job was completed at that time."""
        ended = {"calibration_set_id": SET, "records": "0" * 64, "status": "completed", **fields}
        self.note(submission, "completed", id=job or submission.ids[0], at=at, **ended)

    @contextmanager
    def other_process(self, moment: str, stage: str = HARDWARE) -> Iterator[Gate]:
        """Another process submits the same at the same time, and stands still at a moment of it.

        Locks belong to open files: a thread with files of its own stands for a process.
        """
        gate = Gate()

        def watch(now: str) -> None:
            if now == moment:
                gate.reached.set()
                gate.opened.wait(10)

        def work() -> None:
            gate.submission = self.submit(stage, disk=watched(watch))

        gate.thread = threading.Thread(target=work, daemon=True)
        gate.thread.start()
        assert gate.reached.wait(10)
        try:
            yield gate
        finally:
            gate.open()
