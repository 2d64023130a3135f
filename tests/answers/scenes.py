"""Commands that ask a server, in folders that were made beforehand, and what they must not do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, Self

from attrs import define, field, frozen

from iqm_spec.emulator import Emulator, Options
from tests.answers.proxy import ALL, Change, Proxy
from tests.emulators import start
from tests.forks import forks

ROOT = Path(__file__).parent.parent.parent
TOKEN = "token-of-the-answers"
LONGEST = 20.0
"""Seconds that a command may take."""
KILLED = 40.0
"""Seconds after which it is ended."""
CODES = {0, 2, 3, 4, 5, 6, 7, 8, 9}
"""Exit codes of docs/errors.md less those of bugs and Ctrl-C."""
SPEC = """\
iqm_spec: 1
name: pair
target: garnet
stages: [mock, hardware]
shots: 20
circuits: [{generator: bell}]
analysis: {distances: {}, expectation: {observables: {zz: ZZ}}}
"""
HERE = """\
iqm_spec: 1
name: here
target: default
stages: [aer, hardware]
shots: 20
circuits: [{generator: bell}]
require: {mock: {waived: "there is none here"}}
"""
READ = ("computers", "computer", "queue", "timeslots", "architecture")
RESULTS = ("job", "counts", "counts", "metrics")
SHOTS = ("job", "measurements", "measurements", "counts")

_OFTEN = ("architecture", "computer", "submit", "job")
"""Calls that a scene makes more than once."""
_ERRORS = (400, 401, 403, 404, 409, 422, 500, 503)


@frozen
class Trial:
    """One scene with one change; everything follows from its number and the seed."""

    number: int
    scene: str
    change: Change

    def __str__(self) -> str:
        return f"trial {self.number}: {self.scene}, {self.change}"


def trial(seed: int, number: int) -> Trial:
    """The trial of this number."""
    rng = Random(f"{seed}:{number}")
    scene = list(SCENES)[number % len(SCENES)]
    call = rng.choice(SCENES[scene].calls)
    times = rng.choice((1, 1, ALL))
    skip = rng.choice((0, 0, 1)) if times == 1 and call in _OFTEN else 0
    status = rng.choice(_ERRORS) if rng.random() < 0.08 else 0
    change = Change(call, rng.randrange(1 << 32), skip, times, status)
    return Trial(number, scene, change)


@define
class Outcome:
    """What became of a trial: the commands with exit codes and seconds, and every law broken."""

    trial: Trial
    commands: list[tuple[str, int, float]] = field(factory=list)
    changed: list[str] = field(factory=list)
    broken: list[str] = field(factory=list)

    def __str__(self) -> str:
        told = "; ".join(dict.fromkeys(self.changed)) or "nothing was changed"
        ran = ", ".join(f"{name} {code} ({seconds:.1f} s)" for name, code, seconds in self.commands)
        return "\n  ".join([f"{self.trial}: {told}", ran, *self.broken])


class Stage:
    """Emulators, a proxy before them, and folders to begin with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._proxy = Proxy()
        self._resonance: Emulator | None = None
        self._premises: Emulator | None = None
        self._jobs: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resonance = start(Options(speed=1e5, rate_limit=False))
        self._premises = start(Options(speed=1e5, rate_limit=False, on_premises="garnet"))
        self._proxy.__enter__()
        self._prepare()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.__exit__(None, None, None)
        for emulator in (self._resonance, self._premises):
            if emulator is not None:
                emulator.stop()

    def _prepare(self) -> None:
        """Folders: all done, submitted and not fetched (without and with memory), stuck at the
        server, and without an answer.
        """
        assert self._resonance is not None
        self._proxy.begin(self._resonance.url)
        stuck = {"on": "submit", "qc": "garnet", "fault": "job-stuck"}
        dropped = {"on": "submit", "qc": "garnet", "fault": "status", "status": 502}
        for name, fault, more in (
            ("done", None, ()),
            ("waiting", None, ("--detach",)),
            ("remembering", None, ("--detach", "--set", "memory=true")),
            ("stuck", stuck, ("--detach",)),
            ("unknown", {**dropped, "processed": True}, ()),
        ):
            self._resonance.faults([])
            if fault is not None:
                self._resonance.faults([fault])
            scene = self.folder / name
            self._lay(scene)
            self._command(scene, "run", "spec.yaml", "--yes", *more, *self._at())
            machine = [one for one in self._resonance.submissions() if one["alias"] == "garnet"]
            self._jobs[name] = str(machine[-1]["job"])
        self._resonance.faults([])

    def _lay(self, scene: Path, origin: str = "") -> None:
        scene.mkdir(parents=True)
        (scene / "spec.yaml").write_text(SPEC, encoding="utf-8")
        (scene / "here.yaml").write_text(HERE, encoding="utf-8")
        if origin:
            shutil.copytree(self.folder / origin / "results", scene / "results")

    def _at(self) -> tuple[str, str]:
        return "--server", self._proxy.url

    def _command(self, scene: Path, *args: str) -> tuple[subprocess.CompletedProcess[str], float]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("IQM_", "PYTHONDONTW"))}
        cache = os.environ.get("IQM_SPEC_CACHE", str(self.folder / "cache"))
        env = {**kept, "IQM_TOKEN": TOKEN, "COLUMNS": "120", "IQM_SPEC_CACHE": cache}
        begun = time.monotonic()
        argv = [str(scene), *args]
        done = forks().run("tests.answers.child", argv, cwd=ROOT, env=env, timeout=KILLED)
        return done, time.monotonic() - begun

    def play(self, chosen: Trial) -> Outcome:
        """Run the scene of a trial in a folder of its own, and hold it to the laws."""
        emulator = self._premises if SCENES[chosen.scene].on_premises else self._resonance
        assert emulator is not None
        outcome = Outcome(chosen)
        scene = self.folder / f"trial-{chosen.number}"
        before = len(emulator.submissions())
        self._proxy.begin(emulator.url, chosen.change)
        self._lay(scene, SCENES[chosen.scene].origin)
        acts = _Acts(self, scene, outcome, self._jobs, self._proxy)
        SCENES[chosen.scene].act(acts)
        outcome.changed = self._proxy.seen.told
        new = emulator.submissions()[before:]
        outcome.broken += _twice(new)
        outcome.broken += _lost(scene, self._proxy, outcome)
        if not outcome.broken:
            shutil.rmtree(scene)
        return outcome


@define
class _Acts:
    """The commands of one trial, each held to what holds for all."""

    stage: Stage
    scene: Path
    outcome: Outcome
    jobs: Mapping[str, str]
    proxy: Proxy

    def __call__(self, *args: str, asks: bool = False) -> int:
        """Run a command; `asks` where it is told the server."""
        name = args[0]
        try:
            more = self.stage._at() if asks else ()
            done, seconds = self.stage._command(self.scene, *args, *more)
        except subprocess.TimeoutExpired:
            self.outcome.broken.append(f"{name} hangs")
            self.outcome.commands.append((name, -9, KILLED))
            return -9
        self.outcome.commands.append((name, done.returncode, seconds))
        self.outcome.broken += _wrong(name, done, seconds)
        return done.returncode

    def calm(self) -> None:
        """No answer is changed any more."""
        self.proxy.calm()

    def after(self) -> None:
        """Whatever is in the folder can be read."""
        if not (self.scene / "results" / "runs").is_dir():
            return
        self("export", "latest", "--format", "json")
        self("report", "latest", "-o", "page.html")
        self("status", "latest")
        self("analyze", "latest")
        self("reproduce", "latest")
        if code := self("verify", "results"):
            self.outcome.broken.append(f"verify exits {code}")


def _wrong(name: str, done: subprocess.CompletedProcess[str], seconds: float) -> Iterator[str]:
    if done.returncode not in CODES:
        yield f"{name} exits {done.returncode}: {done.stderr[-1500:]!r}"
    elif done.returncode == 7:
        yield f"{name} finds the folder corrupt: {done.stderr[-600:]!r}"
    elif "Traceback" in done.stderr:
        yield f"{name} shows a traceback: {done.stderr[-1500:]!r}"
    text = done.stdout + done.stderr
    if odd := sorted({char for char in text if not (char.isprintable() or char in "\n\t")}):
        line = next(one for one in text.splitlines(keepends=True) if odd[0] in one)
        yield f"{name} prints {odd}: {line[:300]!r}"
    if TOKEN in text:
        yield f"{name} prints the token"
    if seconds > LONGEST:
        yield f"{name} takes {seconds:.1f} s: {done.stderr[-300:]!r}"


def _twice(submissions: list[dict[str, Any]]) -> Iterator[str]:
    """A machine's job that was taken more than once: by the key of the job in its tag."""
    taken = [one for one in submissions if one["job"] and ":mock" not in one["alias"]]
    for key, times in Counter(one["tag"].split("-")[-2] for one in taken).items():
        if times > 1:
            yield f"job {key} was submitted {times} times"


def _lost(scene: Path, proxy: Proxy, outcome: Outcome) -> Iterator[str]:
    """Ids that the server gave and the folder lacks; lost answers that no exit code 8 told of."""
    paths = (scene / "results" / "jobs").glob("*/*-*.json")
    known = {json.loads(path.read_text(encoding="utf-8"))["fields"].get("id") for path in paths}
    for job in proxy.seen.ids:
        if job not in known:
            yield f"job {job} is not in the folder"
    if proxy.seen.unsure and 8 not in {code for _, code, _ in outcome.commands}:
        yield f"{proxy.seen.unsure} answers without an id, and no command exits 8"


# --- scenes --------------------------------------------------------------------------------------


def _json(acts: _Acts) -> tuple[str, ...]:
    return ("--json",) if acts.outcome.trial.number // len(SCENES) % 2 else ()


def _doctor(acts: _Acts) -> None:
    mode = ("pay-as-you-go", "timeslot")[acts.outcome.trial.number % 2]
    acts("doctor", "spec.yaml", "--set", f"mode={mode}", *_json(acts), asks=True)


def _doctor_default(acts: _Acts) -> None:
    acts("doctor", "here.yaml", *_json(acts), asks=True)


def _dry_run(acts: _Acts) -> None:
    mode = ("pay-as-you-go", "timeslot")[acts.outcome.trial.number % 2]
    acts("run", "spec.yaml", "--set", f"mode={mode}", "--dry-run", *_json(acts), asks=True)


def _run(acts: _Acts) -> None:
    acts("run", "spec.yaml", "--yes", "--wait", "2s", *_json(acts), asks=True)
    if (acts.scene / "results" / "runs").is_dir():
        acts("resume", "latest", "--yes", "--wait", "2s")
    acts.calm()
    if (acts.scene / "results" / "runs").is_dir():
        acts("resume", "latest", "--yes", "--wait", "2s")
    acts.after()


def _default(acts: _Acts) -> None:
    acts("run", "here.yaml", "--yes", "--until=aer", *_json(acts), asks=True)
    acts.after()


def _resume(acts: _Acts) -> None:
    acts("resume", "latest", "--wait", "2s", *_json(acts))
    acts.calm()
    acts("resume", "latest", "--wait", "2s")
    acts.after()


def _status(acts: _Acts) -> None:
    acts("status", "latest", *_json(acts))


def _import(acts: _Acts) -> None:
    acts("import", "spec.yaml", acts.jobs["done"], *_json(acts), asks=True)
    acts.calm()
    acts("import", "spec.yaml", acts.jobs["done"], asks=True)
    acts.after()


def _adopt(acts: _Acts) -> None:
    acts("adopt", "latest", acts.jobs["unknown"], *_json(acts))
    acts.calm()
    acts("resume", "latest", "--wait", "2s")
    acts.after()


def _cancel(acts: _Acts) -> None:
    acts("cancel", "latest", *_json(acts))
    acts("verify", "results")


@frozen
class Scene:
    """Commands (`act`) in a copy of the folder `origin`, and the calls whose answers are changed.

    A call that is named twice is changed twice as often.
    """

    act: Callable[[_Acts], None]
    calls: tuple[str, ...]
    origin: str = ""
    on_premises: bool = False


SCENES: Mapping[str, Scene] = {
    "doctor": Scene(_doctor, (*READ, "timeslots", "tokens")),
    "doctor-default": Scene(
        _doctor_default,
        ("computers", "computer", "limits", "health", "architecture", "metrics"),
        on_premises=True,
    ),
    "dry-run": Scene(_dry_run, READ),
    "run": Scene(_run, (*READ, "submit", "submit", *RESULTS)),
    "default": Scene(
        _default,
        ("computers", "computer", "architecture", "metrics", "metrics", "calibration"),
        on_premises=True,
    ),
    "resume": Scene(_resume, RESULTS, "waiting"),
    "resume-shots": Scene(_resume, SHOTS, "remembering"),
    "status": Scene(_status, ("job",), "stuck"),
    "import": Scene(_import, ("computers", "architecture", "job", "payload", "payload", "counts")),
    "adopt": Scene(_adopt, ("job", "payload", "payload"), "unknown"),
    "cancel": Scene(_cancel, ("cancel",), "stuck"),
}
"""Scenes by name."""
