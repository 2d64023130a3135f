"""An emulator of the IQM Server API v1: a real HTTP server on loopback that iqm-client talks to."""

from iqm_spec.emulator.child import Emulator, start
from iqm_spec.emulator.options import Options, Span, options_from_json
from iqm_spec.emulator.serve import serve

__all__ = ["Emulator", "Options", "Span", "options_from_json", "serve", "start"]
