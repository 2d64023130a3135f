"""`IQMJob.result()` and its counts: result_vendor.py URL JOB. Prints seconds and a checksum."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")
from iqm.qiskit_iqm import IQMProvider  # noqa: E402

backend = IQMProvider(sys.argv[1], quantum_computer="garnet:mock", token="any").get_backend()
job = backend.retrieve_job(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
counts = job.result().get_counts()
done = time.perf_counter()
peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
first = sorted(counts[0].items())[:3]
print(json.dumps({"work": done - start, "bytes": peak, "outcomes": len(counts[0]), "first": first}))
