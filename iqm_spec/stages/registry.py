"""The registry of stages: every stage by its name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iqm_spec.errors import UsageError
from iqm_spec.model import StageName
from iqm_spec.stages.aer.stage import AerStage
from iqm_spec.stages.interface import Stage
from iqm_spec.stages.server.hardware import HardwareStage
from iqm_spec.stages.server.mock import MockStage
from iqm_spec.stages.server.stage import ServerStage

STAGES: Mapping[StageName, Stage] = {
    stage.name: stage for stage in (AerStage(), MockStage(), HardwareStage())
}
"""Every stage by its name, in the order in which they run."""

SERVER_STAGES: tuple[ServerStage, ...] = tuple(
    stage for stage in STAGES.values() if isinstance(stage, ServerStage)
)


def stage_named(name: str) -> Stage:
    """The stage of that name, as specs, rows and journals have it."""
    return STAGES[StageName(name)]


def stages_until(names: Sequence[StageName], last: StageName | None) -> tuple[StageName, ...]:
    """A spec's stages up to `last`, all where it is None; UsageError where `last` is not there."""
    if last is not None and last not in names:
        raise UsageError(
            f"--until {last.value}: this spec has no such stage",
            hint=f"its stages are {', '.join(names)}",
        )
    order = list(STAGES)
    most = len(order) if last is None else order.index(last) + 1
    return tuple(name for name in names if name in order[:most])


def any_needs_server(names: Sequence[StageName]) -> bool:
    """Whether one of these stages goes to a server."""
    return any(STAGES[name].needs_server for name in names)
