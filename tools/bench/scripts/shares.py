"""Shares of a run's wall time: counts read and stored, and distances computed.

shares.py SPEC RESULTS. The run is in this process, with clocks around the functions in question.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from iqm_spec.cli.app import run as command
from iqm_spec.stages.aer.distributions import Dense
from iqm_spec.stages.aer.tasks import Ideal
from iqm_spec.store import Store

spent: dict[str, float] = {"kept": 0.0, "distances": 0.0}


def clocked(function: Callable[..., Any], under: str) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[under] += time.perf_counter() - start

    return wrapped


Dense.sample = clocked(Dense.sample, "kept")  # type: ignore[method-assign]
Store.put_pack = clocked(Store.put_pack, "kept")  # type: ignore[method-assign]
Dense.ideal = clocked(Dense.ideal, "distances")  # type: ignore[method-assign]
Ideal.compared = clocked(Ideal.compared, "distances")  # type: ignore[method-assign]
shutil.rmtree(sys.argv[2], ignore_errors=True)
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    assert command(["run", sys.argv[1], "--results", sys.argv[2], "-j", "1"]) == 0
whole = time.perf_counter() - start
print(json.dumps({name: seconds / whole for name, seconds in spent.items()}))
