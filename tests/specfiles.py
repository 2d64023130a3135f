"""Reads spec files for tests, up to the checks that look at circuits and machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from iqm_spec.errors import SpecError
from iqm_spec.model import Spec
from iqm_spec.source import Source
from iqm_spec.spec.load import read_and_build


@frozen
class LoadedSpec:
    """A spec without mistakes, its source, and notices of what was rewritten."""

    spec: Spec
    source: Source
    notices: tuple[str, ...]


def load_spec(path: Path, overrides: Sequence[str] = ()) -> LoadedSpec:
    """The spec of the file `path`; raises `SpecError` with every mistake of the file, sorted.

    `overrides` are texts of `--set`: `shots=2000`, `circuits.ghz.args.num_qubits=4`.
    """
    source, spec, diagnostics, notices = read_and_build(path, overrides)
    if diagnostics or source is None or spec is None:
        raise SpecError(tuple(diagnostics))
    return LoadedSpec(spec, source, notices)
