"""Analyses of other packages: found by name, told with their version, failures in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any

import pytest

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.run_analyses import GROUP, run_plugin
from iqm_spec.errors import JobFailed, UsageError


def half(rows: Sequence[Any], options: Any) -> Iterable[Analysed]:
    merit = Merit("half", len(rows) / 2 + options.get("more", 0))
    yield Analysed("half", "aer", False, "ghz", {}, ("p",), (merit,))


def broken(rows: Sequence[Any], options: Any) -> Iterable[Analysed]:
    raise RuntimeError("no luck")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [metadata.EntryPoint(name, f"{__name__}:{name}", GROUP) for name in ("half", "broken")]
    points.append(metadata.EntryPoint("gone", "no_such_package:thing", GROUP))
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: points if group == GROUP else [])


def test_a_plugin_is_given_rows_and_options() -> None:
    (found,) = run_plugin("half", [1, 2, 3], {"more": 1})  # type: ignore[list-item]
    assert found.merits[0].value == 2.5
    assert "plugin" in found.details


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("haIf", UsageError, "no analysis plugin is called haIf"),
        ("broken", JobFailed, "broken .* failed: RuntimeError: no luck"),
        ("gone", JobFailed, "cannot be loaded: No module named 'no_such_package'"),
    ],
)
def test_what_goes_wrong_is_told(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        run_plugin(name, [], {})
