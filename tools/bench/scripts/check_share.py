"""A run up to its Aer stage, and how much of it the check of its circuits took: SPEC RESULTS."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from typing import Any

from iqm_spec.cli.app import run
from iqm_spec.plan.transpiling import CrosscheckTally

began = time.perf_counter()
spent = 0.0
counted = CrosscheckTally._verdict


def timed(*args: Any) -> str | None:
    global spent
    start = time.perf_counter()
    try:
        return counted(*args)
    finally:
        spent += time.perf_counter() - start


CrosscheckTally._verdict = timed  # type: ignore[assignment,method-assign]
answer = io.StringIO()
with contextlib.redirect_stdout(answer):
    code = run(["run", sys.argv[1], "--until", "aer", "--json", "--results", sys.argv[2]])
told = json.loads(answer.getvalue())
seconds = time.perf_counter() - began
print(json.dumps({"code": code, "check": spent, "run": seconds, "reach": told["crosscheck"]}))
