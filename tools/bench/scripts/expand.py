"""Expands a sweep of so many points, one after the other: seconds and growth of memory."""

from __future__ import annotations

import json
import resource
import sys
import time

from iqm_spec.model import CircuitSpec, SourceKind
from iqm_spec.spec.sweep_blocks import parse_blocks
from iqm_spec.spec.sweep_points import circuit_points

count = int(sys.argv[1])
raw = [{"grid": {"angle": {"linspace": [0.0, 1.0, count]}}}]
blocks = parse_blocks(raw, ("sweep",), print)
circuit = CircuitSpec(0, "c", SourceKind.GENERATOR, "g", args={"angle": "${angle}"}, target="t")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
expanded = sum(1 for _ in circuit_points(circuit, blocks).points())
done = time.perf_counter()
assert expanded == count
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(json.dumps({"work": done - start, "bytes": grown}))
