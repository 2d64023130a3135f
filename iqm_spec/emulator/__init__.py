"""An emulator of the IQM Server API v1: a real HTTP server on loopback that iqm-client talks to.

What the emulated server checks, answers, remembers and simulates belongs here; what our side sends
and reads belongs to `server_api`. `process.start` runs it in a child process, `serve` in this one.

Imports: errors, iqm_client, json_types, model, server_api, stages, targets, version.
"""

from iqm_spec.emulator.options import (
    MACHINES_VARIABLE,
    Options,
    TimeWindow,
    machines_from_text,
    options_from_json,
)
from iqm_spec.emulator.process import Emulator, start
from iqm_spec.emulator.serve import serve

__all__ = [
    "MACHINES_VARIABLE",
    "Emulator",
    "Options",
    "TimeWindow",
    "machines_from_text",
    "options_from_json",
    "serve",
    "start",
]
