"""Analyses in the results folder: beside the counts they were made of, never in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from iqm_spec.analysis.merit import Analysed
from iqm_spec.canonical import digest
from iqm_spec.engine.saved import SavedRun
from iqm_spec.json_types import Json
from iqm_spec.spec.analysis import Declared
from iqm_spec.store import Store

PACK = "analyses"
"""Kind of the packs that hold what analyses found; the field of the event that names one."""

_EVENT = "analysed"


def keep_analyses(
    store: Store, saved: SavedRun, wanted: Declared, found: Iterable[Analysed]
) -> str:
    """Stores outcomes and notes them in the run's journal; returns the pack's digest.

    The same outcomes are the same object: nothing is noted a second time.
    """
    header: dict[str, Json] = {"plan": saved.plan.digest, "analysis": _plain(wanted)}
    pack = store.put_pack(PACK, header, analysis_lines(found))
    if pack not in [event.fields.get(PACK) for event in saved.state.of_kind(_EVENT)]:
        store.append_event(saved.state.id, _EVENT, {PACK: pack})
    return pack


def analysis_lines(found: Iterable[Analysed]) -> Iterator[Mapping[str, Json]]:
    """The pack's lines."""
    for one in found:
        told = _rounded(one.to_json())
        name = {key: told[key] for key in ("analysis", "stage", "emulated", "circuit", "points")}
        yield {"key": digest({"format": "iqm-spec/analysed/1", **name}), **told}


def kept_analyses(
    store: Store, saved: SavedRun
) -> Iterator[tuple[str, Declared, list[Mapping[str, Json]]]]:
    """Digest, what was declared and the lines of each pack that a run's journal names."""
    for event in saved.state.of_kind(_EVENT):
        pack = store.read_pack(str(event.fields[PACK]))
        told: Any = pack.header["analysis"]
        yield pack.digest, told, list(pack.records)


def _plain(wanted: Declared) -> dict[str, Json]:
    return {name: dict(options) for name, options in wanted.items()}


def _rounded(value: Any) -> Any:
    """Numbers to twelve digits, so that the last bits of a platform's libm are not in them."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
