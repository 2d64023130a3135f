"""Asks the server for processes, and waits for them as `subprocess` does."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import IO

SERVER = Path(__file__).with_name("server.py")


class Forked:
    """A process that was forked; it is asked what a `subprocess.Popen` is asked."""

    def __init__(
        self, answers: socket.socket, stdin: IO[bytes] | None, stdout: IO[bytes] | None
    ) -> None:
        self._answers = answers
        self._lines = answers.makefile()
        line = self._lines.readline()
        if not line:
            raise RuntimeError("the process that others are forked from has ended")
        self.pid = int(line)
        self.returncode: int | None = None
        self.stdin = stdin
        self.stdout = stdout

    def poll(self) -> int | None:
        """The exit code (minus the number of the signal that ended it), or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code at its end; `TimeoutExpired` where that does not come in time."""
        if self.returncode is None:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._lines.readline() or -signal.SIGKILL)
            self._lines.close()
            self._answers.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """A server that is started when it is first asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(
        self,
        module: str,
        args: Sequence[str],
        *,
        env: Mapping[str, str],
        fds: Sequence[int | None] = (None, None, None),
        cwd: Path | None = None,
        session: bool = False,
        finds_in_cwd: bool = True,
        ends: tuple[IO[bytes] | None, IO[bytes] | None] = (None, None),
    ) -> Forked:
        """`python -m MODULE ARGS...`; descriptors that are None are our own.

        `finds_in_cwd=False` is Python's option -P. `ends` are our ends of pipes to its stdin and
        from its stdout.
        """
        with self._lock:
            if self._asked is None:
                self._asked = self._begin()
        command = {
            "module": module,
            "args": list(args),
            "env": dict(env),
            "cwd": str(cwd or Path.cwd()),
            "session": session,
            "finds_in_cwd": finds_in_cwd,
        }
        given = [own if fd is None else fd for own, fd in enumerate(fds)]
        ours, theirs = socket.socketpair()
        with theirs:
            data = [json.dumps(command).encode()]
            socket.send_fds(self._asked, data, [*given, theirs.fileno()])
        return Forked(ours, *ends)

    def run(
        self, module: str, args: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` gives, with text for output."""
        pipes = [os.pipe() for _ in range(2)]
        told: dict[int, bytes] = {}

        def read(fd: int) -> None:
            with open(fd, "rb") as file:
                told[fd] = file.read()

        readers = [Thread(target=read, args=(fd,), daemon=True) for fd, _ in pipes]
        try:
            process = self.start(
                module, args, cwd=cwd, env=env, fds=[None, *(write for _, write in pipes)]
            )
        finally:
            for _, write in pipes:
                os.close(write)
            for reader in readers:
                reader.start()
        end = time.monotonic() + timeout
        # as with `subprocess.run`, whoever else keeps the pipes open is waited for
        for reader in readers:
            reader.join(max(0.0, end - time.monotonic()))
            if reader.is_alive():
                process.kill()
                raise subprocess.TimeoutExpired(list(args), timeout)
        code = process.wait(max(0.0, end - time.monotonic()))
        out, err = (told[fd].decode() for fd, _ in pipes)
        return subprocess.CompletedProcess(list(args), code, out, err)

    def popen(
        self, command: Sequence[str], *, env: Mapping[str, str], start_new_session: bool, **_: int
    ) -> Forked:
        """In the place of `subprocess.Popen([python, "-P", "-m", MODULE], stdin=PIPE, ...)`."""
        assert list(command[:3]) == [sys.executable, "-P", "-m"]
        its_in, our_out = os.pipe()
        our_in, its_out = os.pipe()
        # they live as long as the process
        ends = open(our_out, "wb"), open(our_in, "rb")  # noqa: SIM115
        try:
            return self.start(
                command[3],
                command[4:],
                env=env,
                fds=[its_in, its_out, None],
                session=start_new_session,
                finds_in_cwd=False,
                ends=ends,
            )
        finally:
            os.close(its_in)
            os.close(its_out)

    def close(self) -> None:
        """End the server, and with it all that was forked from it."""
        if self._asked is not None and self._server is not None:
            self._asked.close()
            self._server.wait()

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, str(SERVER), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for who runs the tests; they end it
            )
        return ours
