"""The command line: one module per command in `commands/` and `cost/`; alone prints and exits.

Parsing options, printing tables, progress and errors belong here; what a command does belongs to
the room that it calls.

Imports: allocation, analysis, archive, calibration, cost, diagnostics, doctor, emulator, engine,
errors, importing, json_types, model, native, plan, plots, replay, report, results, server_api,
source, spec, stages, store, targets, version.
"""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Entry point of `iqm-spec`; exits with an `ExitCode`."""
    import signal
    import sys

    from iqm_spec.cli.app import run
    from iqm_spec.cli.output import guarded

    # a batch system sends SIGTERM at the end of the walltime: like Ctrl-C, finished results are
    # stored
    signal.signal(signal.SIGTERM, _terminated)
    code = guarded(lambda: run(sys.argv[1:]))
    # everything is printed: a second Ctrl-C, while threads of libraries end, ends the process
    # silently
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.exit(code)


def _terminated(*_: object) -> NoReturn:
    from iqm_spec.errors import Terminated

    raise Terminated


__all__ = ["main"]
