"""Where scenarios are played: a server with the emulator's control calls, a spec, a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGKILL
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from iqm_spec.emulator import Emulator, Options, start
from tests.forks import Forked, forks, may_fork

ROOT = Path(__file__).parent.parent.parent
TOKEN = "token-of-the-fault-table"
PATIENCE = 90.0
"""Seconds that a loaded machine may take for one command."""
SPEC = """\
iqm_spec: 1
name: faults
target: garnet
shots: "${shots}"
stages: [mock, hardware]
circuits:
  - {generator: ghz, args: {num_qubits: 2}}
sweep: [{grid: {shots: [40, 50]}}]
"""
"""Two jobs of one circuit each: a fault meets the first, the second must not suffer."""
POINTS = JOBS = 2
SPEEDED = 1000.0
Done = subprocess.CompletedProcess[str]


class Running:
    """A command at work in a process of its own; what it says on stderr can be read meanwhile.

    The process is forked from one that has imported the libraries already, which saves seconds, or
    with `spawn` made as a shell would make it.
    """

    def __init__(
        self, argv: Sequence[str], folder: Path, fault: Mapping[str, Any], *, spawn: bool
    ) -> None:
        name = folder / os.urandom(4).hex()
        self._stdout, self._stderr = name.with_suffix(".out"), name.with_suffix(".err")
        given = (list(argv), str(folder), environment(), str(self._stdout), str(self._stderr))
        text = json.dumps([*given, dict(fault)])
        self._process: subprocess.Popen[bytes] | Forked
        if spawn or not may_fork():
            start_one = [sys.executable, "-m", "tests.faults.child", text]
            self._process = subprocess.Popen(start_one, cwd=ROOT)
        else:
            self._process = forks().start("tests.faults.child", [text], cwd=ROOT, env=os.environ)

    @property
    def code(self) -> int | None:
        """The exit code, or None while it is at work."""
        return self._process.poll()

    def told(self) -> str:
        """Its stderr so far."""
        return self._stderr.read_text(encoding="utf-8") if self._stderr.exists() else ""

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self._process.pid, number)

    def until(self, true: Callable[[], object]) -> bool:
        """Wait until something has come about; False where the command ended before."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            if self.code is not None or time.monotonic() > deadline:
                return bool(true())
            time.sleep(0.03)
        return True

    def finish(self) -> Done:
        """What it answered, once it has ended."""
        if not self.until(lambda: self.code is not None):
            self.signal(SIGKILL)
        self.until(lambda: self.code is not None)
        stdout = self._stdout.read_text(encoding="utf-8") if self._stdout.exists() else ""
        return Done([], self.code or 0, stdout, self.told())


def environment() -> dict[str, str]:
    """What commands see: no credentials of the user, no settings of iqm-client."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("IQM_", "PYTHONDONTWRITE"))}
    return {**kept, "IQM_TOKEN": TOKEN, "COLUMNS": "200"}


class Bench:
    """A server and, in `folder`, results folders to begin with: planned, and accepted by mocks.

    `url` names a server that is there already; otherwise an emulator of its own is started, which
    can be ended and started again. `resumes`: repairs are made by `resume RUN`, not by `run`.
    """

    def __init__(
        self, folder: Path, url: str | None = None, *, spawn: bool = False, resumes: bool = False
    ) -> None:
        self._spawn = spawn
        self.resumes = resumes
        self.folder = folder
        self._emulator: Emulator | None = None
        self._asked = url
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")

    def __enter__(self) -> Self:
        if self._asked is None:
            self.start()
        self.faults([])
        done = self.call(self.folder, "run", "--yes", "--until=mock", results="mocked")
        if done.returncode:
            raise RuntimeError(f"the bench cannot be made: {done.stderr}{done.stdout}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._emulator is not None:
            self._emulator.stop()

    @property
    def url(self) -> str:
        """The server's address; the same after a restart."""
        return self._emulator.url if self._emulator is not None else str(self._asked)

    @property
    def is_own(self) -> bool:
        """Whether the server can be ended and started again."""
        return self._asked is None

    def start(self) -> None:
        """Start the emulator (again, at the same address)."""
        port = 0 if self._emulator is None else int(urlsplit(self._emulator.url).port or 0)
        self._emulator = start(Options(state=self.folder / "state", speed=SPEEDED), port=port)

    def kill(self) -> None:
        """End the emulator as a crash would."""
        assert self._emulator is not None
        self._emulator.kill()

    def faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Take all rules away and put these in force."""
        self._control("DELETE", "faults")
        if rules:
            self._control("POST", "faults", list(rules))

    def ledger(self) -> list[dict[str, Any]]:
        """The submissions that reached the server so far."""
        found: list[dict[str, Any]] = self._control("GET", "ledger")
        return [line for line in found if line["call"] == "submit"]

    def stage(self, scene: Path, *, mocked: bool) -> None:
        """A folder to play in: the spec, and results as they are before the fault."""
        scene.mkdir(parents=True)
        shutil.copy(self.folder / "spec.yaml", scene)
        if mocked:
            shutil.copytree(self.folder / "mocked", scene / "results")

    def command(
        self,
        scene: Path,
        *args: str,
        results: str = "results",
        fault: Mapping[str, Any] | None = None,
    ) -> Running:
        """Start `iqm-spec`; `run` alone is given its spec and server."""
        more = [args[0], *(["spec.yaml"] if args[0] == "run" else []), *args[1:]]
        more += [results] if args[0] == "verify" else ["--results", results, "--json"]
        if args[0] in ("run", "adopt", "resume"):
            more += ["--server", self.url]
        return Running(more, scene, fault or {}, spawn=self._spawn)

    def call(self, scene: Path, *args: str, results: str = "results") -> Done:
        """Run one command to its end."""
        return self.command(scene, *args, results=results).finish()

    def _control(self, method: str, path: str, data: Any = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = Request(f"{self.url}/emulator/{path}", body, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")
