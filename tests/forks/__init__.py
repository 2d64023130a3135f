"""Commands in processes of their own that are forked, which spares them seconds of imports.

They are processes in every respect: arguments, environment, folder, descriptors, exit code and
signals are their own. Two things differ from what a shell starts: modules are there already, and
the interpreter is not taken apart at the end. `tests/e2e/test_processes.py` holds both against each
other; with `IQM_SPEC_TESTS_SPAWN=1` in the environment nothing is forked.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from functools import cache

from tests.forks.client import Forked, Forks

__all__ = ["Forked", "Forks", "forks", "may_fork"]


@cache
def forks() -> Forks:
    """The one server of this process."""
    made = Forks()
    atexit.register(made.close)
    return made


def may_fork(env: Mapping[str, str] | None = None) -> bool:
    """Whether a process with these variables may be forked: no interpreter has read them yet."""
    asked = any(name.startswith(("PYTHON", "LC_", "LANG")) for name in env or {})
    return sys.platform == "linux" and not asked and not os.environ.get("IQM_SPEC_TESTS_SPAWN")
