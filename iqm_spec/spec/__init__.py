"""From a spec file to a frozen `Spec`, or to every mistake in it at once."""

from iqm_spec.spec.load import Loaded, build_source, load_spec, read_and_build
from iqm_spec.spec.schema import default_schema
from iqm_spec.spec.targets import TargetError, TargetRef, parse_target

__all__ = [
    "Loaded",
    "TargetError",
    "TargetRef",
    "build_source",
    "default_schema",
    "load_spec",
    "parse_target",
    "read_and_build",
]
