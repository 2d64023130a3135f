"""Runs the emulator in a child process that ends with its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from iqm_spec.emulator.options import Options
from iqm_spec.errors import JobFailed
from iqm_spec.json_types import Json


class Emulator:
    """A running emulator. As a context manager it is stopped at the end.

    `url` is its address, `state` the directory that it keeps everything in.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, state: Path) -> None:
        self._process = process
        self.url = url
        self.state = state
        self._last: list[dict[str, Any]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def ledger(self) -> list[dict[str, Any]]:
        """Every POST and DELETE that reached the server, in order (docs/emulator.md).

        After `stop` it is what it was then.
        """
        if self._last is not None:
            return self._last
        try:
            lines = (self.state / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def submissions(self) -> list[dict[str, Any]]:
        """The lines of the ledger that are submissions of jobs."""
        return [line for line in self.ledger() if line["call"] == "submit"]

    def faults(self, rules: Sequence[Mapping[str, Json]]) -> None:
        """Add rules for faults; a list that is empty takes all rules away."""
        self._control("POST" if rules else "DELETE", "faults", list(rules) if rules else None)

    def move_calibration(self, alias: str, drift: float | None = None) -> str:
        """Make a new calibration set the default of a computer; its id.

        `drift` is the standard deviation of the logarithms of its figures from those before, by
        default that of the emulator.
        """
        return self._calibrate(alias, "move", drift)

    def withdraw_calibration(self, alias: str, drift: float | None = None) -> str:
        """Take a computer's default calibration set away; the id of the new default.

        `drift` as in `move_calibration`.
        """
        return self._calibrate(alias, "withdraw", drift)

    def calibration_sets(self, alias: str) -> list[str]:
        """Ids of a computer's calibration sets, the oldest first."""
        return list(self._control("GET", f"calibration/{alias}")["sets"])

    def stop(self) -> None:
        """End the server and wait until it is gone; more than once does no harm."""
        before = self.ledger()
        _end(self._process)
        # a directory that the user chose still exists, with all that came in until the end
        self._last = self.ledger() if (self.state / "emulator.json").exists() else before

    def kill(self) -> None:
        """End the server at once, as a crash would; its state directory stays."""
        self._process.kill()
        self.stop()

    def _calibrate(self, alias: str, action: str, drift: float | None) -> str:
        query = "" if drift is None else f"?drift={drift}"
        return str(self._control("POST", f"calibration/{alias}/{action}{query}")["default"])

    def _control(self, method: str, path: str, data: Any = None) -> Any:
        from urllib.error import HTTPError
        from urllib.request import ProxyHandler, Request, build_opener

        body = None if data is None else json.dumps(data).encode()
        request = Request(f"{self.url}/emulator/{path}", body, method=method)  # noqa: S310
        try:
            # loopback is never asked for through a proxy, whatever the environment says
            with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            with error:
                raise ValueError(json.loads(error.read())["message"]) from error


def start(options: Options | None = None, port: int = 0) -> Emulator:
    """Start an emulator in a child process; returns when it takes requests.

    It ends with `stop` or with this process, whatever ends that. Ctrl-C does not reach it, so that
    what runs against it can still cancel its jobs. `JobFailed` where it does not start.
    """
    options = options or Options()
    # this process's variables, without the tokens that the emulator has no use for
    environment = {
        name: value
        for name, value in os.environ.items()
        if "TOKEN" not in name or (options.token_env and name == options.token_env)
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "iqm_spec.emulator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=environment,
    )
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    assert process.stdout is not None  # noqa: S101
    request = {"options": options.to_json(), "port": port}
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
    line = process.stdout.readline()
    answer = json.loads(line) if line else {"error": "the emulator ended before it was ready"}
    if "url" not in answer:
        _end(process)
        raise JobFailed(answer["error"], hint=answer.get("hint", ""), code="emulator")
    return Emulator(process, answer["url"], Path(answer["state"]))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the child's stdin, which ends it; kill it where that does not."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
