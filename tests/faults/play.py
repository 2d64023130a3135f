"""Plays a scenario to its end: the fault, what a user does next, and the counts on both sides."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from tests.faults.bench import JOBS, POINTS, Bench, Done, Running
from tests.faults.child import GO, PAUSED
from tests.faults.matrix import MOCK, POSTING, Scenario

MACHINE = "garnet"
OUTAGE = 1.0
"""Seconds for which a server is away."""
LOOKING = 1.5
"""Seconds that a second process gets to do something wrong."""
COMMANDS = 6
"""After so many commands of a user the scenario counts as not repaired."""


@define
class Outcome:
    """What came of a scenario.

    `exits` are the codes of the first command (of both, where there are two), `repairs` the
    commands after it with their codes. `tried` counts the POSTs to the machine that arrived,
    `accepted` its jobs, `twice` those beyond one per payload that no `release` allowed, `lost` jobs
    and points that are not in the folder at the end, `unknown` submissions told with exit code 8.
    """

    scenario: Scenario
    exits: list[int] = field(factory=list)
    repairs: list[tuple[str, int]] = field(factory=list)
    tried: int = 0
    accepted: int = 0
    twice: int = 0
    lost: int = 0
    unknown: int = 0
    mocks: int = 0
    broken: list[str] = field(factory=list)
    seconds: float = 0.0


def play(scenario: Scenario, bench: Bench, scene: Path) -> Outcome:
    """Make the fault, repair it, count. `broken` names every promise that was not kept."""
    begun = time.monotonic()
    bench.stage(scene, mocked=scenario.step != MOCK)
    outcome = Outcome(scenario)
    before = len(bench.ledger())
    bench.faults(scenario.rules)
    results = _Play(scenario, bench, scene, before).first()
    outcome.exits = [done.returncode for done in results]
    bench.faults([])
    last = _repair(outcome, bench, scene, before)
    _count(outcome, last, bench, scene, before)
    if not set(outcome.exits) <= set(scenario.exits):
        outcome.broken.append(f"exit {outcome.exits}, expected {scenario.exits}: {_last(results)}")
    outcome.seconds = time.monotonic() - begun
    return outcome


def _last(results: Sequence[Done]) -> str:
    return " / ".join(done.stderr.strip()[-600:] for done in results)


@define
class _Play:
    """The commands during which the fault happens."""

    scenario: Scenario
    bench: Bench
    scene: Path
    before: int

    def first(self) -> list[Done]:
        match self.scenario.play:
            case "alone":
                return [self._alone()]
            case "outage":
                return [self._outage()]
            case "together":
                return self._together()
        return self._copy()

    def _run(self, *, plain: bool = False, results: str = "results") -> Running:
        fault = dict(self.scenario.hook)
        if self.scenario.timeout is not None:
            fault["timeout"] = self.scenario.timeout  # type: ignore[assignment]
        return self.bench.command(
            self.scene, "run", "--yes", fault=None if plain else fault, results=results
        )

    def _alone(self) -> Done:
        running = self._run()
        if self.scenario.signal:
            reached = self._posted if self.scenario.step == POSTING else self._waits(running)
            running.until(reached)
            running.signal(signal.Signals[self.scenario.signal])
        return running.finish()

    def _posted(self) -> bool:
        """Whether the machine has had a POST."""
        new = self.bench.ledger()[self.before :]
        return any(line["alias"] == MACHINE for line in new)

    def _waits(self, running: Running) -> Any:
        return lambda: running.told().count(": waiting") >= JOBS

    def _paused(self, running: Running) -> None:
        running.until((self.scene / PAUSED).exists)

    def _go(self) -> None:
        (self.scene / GO).touch()

    def _outage(self) -> Done:
        """The server is gone while the command is at its step, and comes back."""
        if not self.scenario.hook and not self.scenario.rules:
            self.bench.kill()
        running = self._run()
        if self.scenario.hook:
            self._paused(running)
            self.bench.kill()
            self._go()
        elif self.scenario.rules:
            running.until(self._posted)
            self.bench.kill()
        time.sleep(OUTAGE)
        self.bench.start()
        return running.finish()

    def _together(self) -> list[Done]:
        """A second process looks at the folder while the first is at its step."""
        one = self._run()
        self._paused(one)
        other = self._run(plain=True)
        time.sleep(LOOKING)
        self._go()
        return [one.finish(), other.finish()]

    def _copy(self) -> list[Done]:
        """A teammate's copy of the folder is gone on with; then both are one again."""
        one = self._run()
        self._paused(one)
        mine, theirs = self.scene / "results", self.scene / "theirs"
        shutil.copytree(mine, theirs, ignore=shutil.ignore_patterns("index", "tmp"))
        other = self._run(plain=True, results="theirs").finish()
        self._go()
        found = [one.finish()]
        unite(theirs, mine)
        self.scene.joinpath("teammate").write_text(f"{other.returncode}\n{other.stderr}")
        return found


def unite(theirs: Path, mine: Path) -> None:
    """What git does with two folders of files that are written once."""
    for path in sorted(theirs.rglob("*")):
        name = path.relative_to(theirs)
        target = mine / name
        if path.is_file() and name.parts[0] not in ("index", "tmp") and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def _repair(outcome: Outcome, bench: Bench, scene: Path, before: int) -> Done:
    """What a user does: run again; adopt or release what is unknown; release what failed.

    The answer of the last `run`.
    """
    allowed: Counter[str] = Counter()
    for _ in range(COMMANDS):
        words = _again(bench, scene)
        done = bench.call(scene, *words, "--yes")
        outcome.repairs.append((words[0], done.returncode))
        if done.returncode == 0:
            break
        _require_told(outcome, done, bench, scene, before)
        settled = list(_settle(outcome, done, bench, scene, before, allowed))
        if not settled:
            break
    if outcome.repairs[-1][1] != 0:
        outcome.broken.append(f"not repaired: {outcome.repairs}: {done.stderr[-900:]}")
    ledger = [line for line in bench.ledger()[before:] if line["alias"] == MACHINE]
    paid = Counter(line["sha256"] for line in ledger if line["job"])
    outcome.twice = sum(max(0, n - 1 - allowed[sha]) for sha, n in paid.items())
    _require_twice_told(outcome, done)
    return done


def _again(bench: Bench, scene: Path) -> tuple[str, ...]:
    """`run`, or where that is asked for `resume` of the newest run that came to the machine."""
    runs = scene.glob("results/jobs/*/*-intent-*.json") if bench.resumes else ()
    intents = [json.loads(path.read_text(encoding="utf-8"))["fields"] for path in runs]
    newest = max((str(one["run"]) for one in intents if one["stage"] == "hardware"), default=None)
    return ("run",) if newest is None else ("resume", newest)


def _require_twice_told(outcome: Outcome, done: Done) -> None:
    if outcome.twice > outcome.scenario.twice:
        outcome.broken.append(f"paid twice: {outcome.twice}")
    elif outcome.twice and done.stderr.count("paid twice") < outcome.twice:
        outcome.broken.append(f"{outcome.twice} paid twice, and not told: {done.stderr[-900:]}")


def _require_told(outcome: Outcome, done: Done, bench: Bench, scene: Path, before: int) -> None:
    """Every job that the server has is in the folder, or its submission is told as unknown."""
    known = set(_ids(scene / "results"))
    for line in bench.ledger()[before:]:
        if line["alias"] != MACHINE or not line["job"] or line["job"] in known:
            continue
        key = line["tag"].split("-")[-2]
        if done.returncode != 8 or key not in done.stderr:
            outcome.broken.append(f"exit {done.returncode} without a word of job {line['job']}")


def _settle(
    outcome: Outcome, done: Done, bench: Bench, scene: Path, before: int, allowed: Counter[str]
) -> Iterator[str]:
    """Adopt or release every unknown submission, by what the dashboard shows; release failures."""
    sent = {line["tag"]: line for line in bench.ledger()[before:] if line["job"]}
    for journal in sorted((scene / "results" / "jobs").iterdir()):
        for attempt, kinds in sorted(_attempts(journal).items()):
            intent = kinds.get("intent")
            if intent is None or kinds.keys() & {"completed", "released", "rejected"}:
                continue
            run = intent["run"]
            tag = f"{run[:24]}-{journal.name[:12]}-{attempt}"
            if "failed" in kinds:
                words = ("release", run, journal.name[:12])
                allowed[str(sent[tag]["sha256"])] += 1
            elif "submitted" in kinds or "adopted" in kinds:
                continue
            elif tag in sent:
                words = ("adopt", run, str(sent[tag]["job"]))
            else:
                words = ("release", run, journal.name[:12])
            outcome.unknown += "failed" not in kinds
            did = bench.call(scene, *words)
            outcome.repairs.append((words[0], did.returncode))
            if did.returncode:
                outcome.broken.append(f"{words} exits {did.returncode}: {did.stderr[-600:]}")
            else:
                yield words[0]


def _attempts(journal: Path) -> dict[int, dict[str, Any]]:
    """Events of a job by attempt and kind."""
    found: dict[int, dict[str, Any]] = {}
    for path in sorted(journal.glob("*-*.json")):
        event = json.loads(path.read_text(encoding="utf-8"))
        number = event["seq"] if event["kind"] == "claimed" else event["fields"]["attempt"]
        found.setdefault(number, {})[event["kind"]] = event["fields"]
    return found


def _ids(results: Path) -> Iterator[str]:
    """Ids of all jobs that the folder knows."""
    for path in results.glob("jobs/*/*-*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))["fields"].get("id")
        if told is not None:
            yield str(told)


def _count(outcome: Outcome, last: Done, bench: Bench, scene: Path, before: int) -> None:
    """Counts of the ledger against the folder at the end."""
    new = bench.ledger()[before:]
    machine = [line for line in new if line["alias"] == MACHINE]
    outcome.tried = len(machine)
    outcome.accepted = sum(1 for line in machine if line["job"])
    outcome.mocks = sum(1 for line in new if line["alias"] != MACHINE and line["job"])
    known = set(_ids(scene / "results"))
    outcome.lost = sum(1 for line in machine if line["job"] and line["job"] not in known)
    outcome.lost += max(0, POINTS - _rows_with_counts(outcome, last, bench, scene))
    if outcome.lost:
        outcome.broken.append(f"lost: {outcome.lost}")
    verify = bench.call(scene, "verify")
    if verify.returncode:
        outcome.broken.append(f"verify exits {verify.returncode}: {verify.stderr[-600:]}")


def _rows_with_counts(outcome: Outcome, last: Done, bench: Bench, scene: Path) -> int:
    """Points of the last run that have results."""
    try:
        run = json.loads(last.stdout)["run"]
    except (ValueError, KeyError):
        return 0
    done = bench.call(scene, "export", str(run), "--format", "json")
    try:
        rows = json.loads(done.stdout)["rows"]
    except (ValueError, KeyError):
        outcome.broken.append(f"export exits {done.returncode}: {done.stderr[-600:]}")
        return 0
    return sum(1 for row in rows if row["stage"] == "hardware" and row["counts"])
