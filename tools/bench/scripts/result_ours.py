"""What a server stage does with a completed job: fetch, decode, store.

result_ours.py URL JOB CIRCUITS QUBITS RESULTS [measurements]. With `measurements` the counts are
made of the shots, as where a server has no counts to give.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import cast

from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.address import parse_server
from iqm_spec.server_api.connection import connect, read_parsed
from iqm_spec.server_api.results import counts_of_measurements, read_counts
from iqm_spec.server_api.retry import READS, Retry
from iqm_spec.server_api.token import find_token
from iqm_spec.store import Store

url, job, circuits, qubits, results = sys.argv[1:6]
width = int(qubits)
ops = tuple(Op("measure", (q,), (), (q,)) for q in range(width))
names = tuple(f"QB{q + 1}" for q in range(width))
circuit = NativeCircuit(names, (("meas", width),), ops)
connection = connect(parse_server(url), find_token({"IQM_TOKEN": "any"}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
asked = [circuit] * int(circuits)
if sys.argv[6:]:
    path = f"jobs/{job}/artifacts/measurements"
    _, found = read_parsed(
        connection,
        path,
        None,
        Retry(READS),
        lambda reply: counts_of_measurements(reply.elements(), asked),
    )
else:
    found = read_counts(connection, job, asked, Retry(READS))
assert found is not None
lines: list[dict[str, Json]] = [
    {"key": f"{i:08d}", "counts": cast("Json", one)} for i, one in enumerate(found)
]
Store(Path(results)).put_pack("bench-records", {}, lines)
done = time.perf_counter()
peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
first = sorted(found[0].items())[:3]
print(json.dumps({"work": done - start, "bytes": peak, "outcomes": len(found[0]), "first": first}))
