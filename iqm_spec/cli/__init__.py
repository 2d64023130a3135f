"""The command line: one file per command in `commands/`, where alone is printing."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Entry point of `iqm-spec`; exits with an `ExitCode`."""
    import sys

    from iqm_spec.cli.app import run

    sys.exit(run(sys.argv[1:]))


__all__ = ["main"]
