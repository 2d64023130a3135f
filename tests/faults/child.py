"""`iqm-spec` in a process with one fault: `at` names a moment, `do` what happens then.

Moments: `writing:KIND` (its bytes go to the disk), `linking:KIND` (it is about to get its name),
`linked:KIND` (it has it), `get:WORD` (a GET of an address with that word was answered). KIND is the
kind of an event (`claimed`, `submitted`) or of an object (`hardware-records`, `job-report`).

What happens: a signal's name, the name of an errno, or `pause`: the file `paused` appears in the
working directory, and the program goes on when `go` is there.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAUSED, GO = "paused", "go"
LONGEST_PAUSE = 60.0


def run(
    argv: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    stdout: str,
    stderr: str,
    fault: Mapping[str, Any],
) -> None:
    """Put the fault in place, then run the command line in this process; does not return."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for path, number in ((stdout, 1), (stderr, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    sys.argv = ["iqm-spec", *argv]
    if seconds := fault.get("timeout"):
        _hasten(seconds)
    if at := fault.get("at"):
        _install(at, _action(fault["do"], full=fault["do"] == "ENOSPC"))
    from iqm_spec.cli import main

    main()


def _action(do: str, *, full: bool) -> Callable[[], None]:
    """What happens, once; a full disk stays full."""
    done: list[int] = []

    def act() -> None:
        if done and not full:
            return
        done.append(1)
        if do == "pause":
            _pause()
        elif do.startswith("SIG"):
            os.kill(os.getpid(), signal.Signals[do])
        else:
            number = getattr(errno, do)
            raise OSError(number, os.strerror(number))

    return act


def _pause() -> None:
    Path(PAUSED).touch()
    deadline = time.monotonic() + LONGEST_PAUSE
    while not Path(GO).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def kind_of(data: bytes) -> str:
    """The kind of an event or object, of its bytes; empty for anything else."""
    try:
        first: Any = json.loads(data.partition(b"\n")[0])
        name = str(first["format"]).split("/")[1]
        return str(first["kind"]) if name == "event" else name
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _install(at: str, act: Callable[[], None]) -> None:
    moment, _, what = at.partition(":")
    if moment == "get":
        _after_get(what, act)
    elif moment == "writing":
        _while_writing(what, act)
    else:
        for name in ("link", "replace"):
            _around(name, what, act, before=moment == "linking")


def _after_get(word: str, act: Callable[[], None]) -> None:
    from iqm_spec.server_api import exchange

    real = exchange.get

    @functools.wraps(real)
    def get(url: str, **kwargs: Any) -> Any:
        answer = real(url, **kwargs)
        if word in url:
            act()
        return answer

    exchange.get = get


def _while_writing(kind: str, act: Callable[[], None]) -> None:
    """Half of the bytes are written before `act`; from then on a full disk takes nothing more."""
    from iqm_spec.store.files import Disk

    real = Disk.write
    begun: list[int] = []

    def write(self: Disk, descriptor: int, data: bytes) -> None:
        if begun or kind_of(data) == kind:
            begun.append(1)
            real(self, descriptor, data[: len(data) // 2])
            act()
            real(self, descriptor, data[len(data) // 2 :])
        else:
            real(self, descriptor, data)

    Disk.write = write  # type: ignore[method-assign]


def _around(name: str, kind: str, act: Callable[[], None], *, before: bool) -> None:
    from iqm_spec.store.files import Disk

    real = getattr(Disk, name)

    def method(self: Disk, source: Path, target: Path) -> None:
        concerned = kind_of(source.read_bytes()) == kind
        if concerned and before:
            act()
        real(self, source, target)
        if concerned and not before:
            act()

    setattr(Disk, name, method)


def _hasten(seconds: float) -> None:
    """An answer is given up after so long, not after the two minutes of every day."""
    from iqm_spec.server_api import connection

    connection.connect = functools.partial(connection.connect, timeout=seconds)


if __name__ == "__main__":
    run(*json.loads(sys.argv[1]))
