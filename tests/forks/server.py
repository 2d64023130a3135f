"""The process that others are forked from: it has imported what the program needs, and waits.

It is asked over the socket whose number is its argument: the command as JSON, with the descriptors
that shall be the child's stdin, stdout and stderr, and one to answer at. The answers are the
child's number, and at its end how it ended. It ends when its socket is closed, and with it end its
children.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

LONGEST = 1 << 20
"""Bytes that a command with its environment may have."""

WARM = (
    "starlette.applications",
    "starlette.routing",
    "iqm.iqm_server_client.iqm_server_client",
    "iqm.station_control.interface.models",
    "jinja2",
    "jsonschema",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "qiskit.qpy",
    "qiskit_aer",
    "rich.progress",
    "uvicorn",
    "yaml",
)
"""Libraries that commands load; the program's own modules come on top."""


def warm() -> None:
    """Import everything. A thread must not come of it: in a forked child it would be missing."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    sys.modules["pyarrow"] = None  # type: ignore[assignment] # pandas does without it; it starts one
    for name in WARM:
        import_module(name)
    import iqm_spec

    package = Path(iqm_spec.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if path.name != "__main__.py":
            parts = path.relative_to(package.parent).with_suffix("").parts
            import_module(".".join(part for part in parts if part != "__init__"))
    del sys.modules["pyarrow"]
    if threading.active_count() != 1 or len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("an import started a thread: such a process is not to be forked")
    gc.collect()
    gc.freeze()  # children share what is here, as long as nobody writes to it


def serve(asked: socket.socket) -> dict[str, Any]:
    """Fork a child for everything that is asked; returns in the child, with its command."""
    selector = selectors.DefaultSelector()
    selector.register(asked, selectors.EVENT_READ)
    children: dict[int, tuple[int, socket.socket]] = {}
    """By the descriptor that tells of a child's end: its number, and where that is told."""
    while True:
        for key, _ in selector.select():
            if key.fileobj is asked:
                data, fds, _, _ = socket.recv_fds(asked, LONGEST, 4)
                if not data:
                    _end(pid for pid, _ in children.values())
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    for held in (asked, *(answers for _, answers in children.values())):
                        held.detach()  # or it would close somebody else's descriptor some day
                    _take_over(fds[:3])
                    command: dict[str, Any] = json.loads(data)
                    return command
                answers = socket.socket(fileno=fds.pop())
                for fd in fds:
                    os.close(fd)
                watched = os.pidfd_open(pid)
                selector.register(watched, selectors.EVENT_READ)
                children[watched] = pid, answers
                _tell(answers, pid)
            else:
                selector.unregister(key.fd)
                os.close(key.fd)
                pid, answers = children.pop(key.fd)
                _tell(answers, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                answers.close()


def _end(pids: Any) -> NoReturn:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _take_over(fds: list[int]) -> None:
    """In the child: these as stdin, stdout and stderr, and no other descriptor."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.closerange(3, max(map(int, os.listdir("/proc/self/fd"))) + 1)


def _tell(answers: socket.socket, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        answers.sendall(b"%d\n" % number)


def become(command: dict[str, Any]) -> None:
    """Go on as `python -m MODULE ARGS...` would."""
    if command["session"]:
        os.setsid()
    os.chdir(command["cwd"])
    os.environ.clear()
    os.environ.update(command["env"])
    del sys.path[0]
    if command["finds_in_cwd"]:
        sys.path.insert(0, os.getcwd())
    sys.argv = ["-m", *command["args"]]
    try:
        runpy.run_module(command["module"], run_name="__main__", alter_sys=True)
    except SystemExit as error:
        if error.code is not None and not isinstance(error.code, int):
            raise
        _leave(error.code or 0)


def _leave(code: int) -> NoReturn:
    """End as an interpreter does, but for taking its modules apart, which takes the longest."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    socket_of_tests = socket.socket(fileno=int(sys.argv[1]))
    warm()
    become(serve(socket_of_tests))
