"""Ctrl-C while circuits are transpiled: those that are done are not transpiled again."""

from __future__ import annotations

from pathlib import Path

import pytest

from iqm_spec.plan.build import make_plan
from iqm_spec.plan.plan import Plan
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.examine import examine
from iqm_spec.store import Store

SPEC = """\
iqm_spec: 1
name: many
target: garnet
circuits: [{generator: random_clifford, args: {num_qubits: 3, seed: "${s}"}}]
sweep: [{grid: {s: {range: [0, 30]}}}]
"""


@pytest.fixture
def checked(tmp_path: Path) -> CheckedSpec:
    spec = tmp_path / "many.yaml"
    spec.write_text(SPEC)
    found, diagnostics, _ = examine(spec)
    assert diagnostics == []
    assert found is not None
    return found


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_transpiled_is_kept(checked: CheckedSpec, tmp_path: Path, keep: bool) -> None:
    store = Store(tmp_path / "results")
    work = make_plan(checked, store, keep=keep)
    for step in work:
        assert isinstance(step, tuple)
        if step[0] >= 10:
            break
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt())  # type: ignore[attr-defined]
    assert store.root.exists() == keep
    steps = list(make_plan(checked, store))
    assert steps[0] == (0, 20 if keep else 30)
    plan = steps[-1]
    assert isinstance(plan, Plan)
    assert len(plan.points) == 30
