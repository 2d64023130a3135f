"""Imports what a run at a server needs, for processes to be forked from."""

import os
from importlib import import_module

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with several threads is not to be forked

for name in (
    "iqm.iqm_server_client.iqm_server_client",
    "iqm_spec.cli.app",
    "iqm_spec.cli.commands.run",
    "iqm_spec.server.results",
    "iqm_spec.server.submission",
    "jsonschema",
    "qiskit.qpy",
    "qiskit_aer",
    "rich.progress",
):
    import_module(name)
