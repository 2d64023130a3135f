"""The mock stage: a server's copy of the quantum computer accepts circuits, with random counts."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.model import NativeCircuit, StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.server.batch import BatchPart
from iqm_spec.stages.server.server_info import ServerInfo, computer_of
from iqm_spec.stages.server.stage import ServerStage, StageRun


class MockStage(ServerStage):
    """Shows that the server accepts the circuits; costs nothing."""

    name = StageName.MOCK
    counts_are_random = True

    def why_waived(self, run: StageRun) -> str:
        """The spec waives the stage, or the server has no mock."""
        waived = waived_by(run.plan)
        listed = run.server.aliases()
        missing = sorted({self.computer(point.target) for point in run.plan.points} - set(listed))
        if missing:
            return f"the server has no {', '.join(missing)}{f': {waived}' if waived else ''}"
        return f"waived: {waived}" if waived else ""

    def submittable(self, run: StageRun, parts: Sequence[BatchPart]) -> list[BatchPart]:
        """Circuits that act where the mock has no calibrated gate are left out."""
        run.findings.untestable = untestable(run.server, parts)
        return [part for part in parts if part.key not in run.findings.untestable]

    def calibration_set(self, run: StageRun, target: str) -> str | None:
        """Mocks have sets of their own."""
        return run.server.architecture(self.computer(target)).calibration_set_id


def waived_by(plan: Plan) -> str | None:
    """The spec's reason to do without the mock."""
    waived: str | None = plan.header.require.get("mock", {}).get("waived")
    return waived


def untestable(server: ServerInfo, parts: Sequence[BatchPart]) -> frozenset[str]:
    """Keys of the points whose circuits act where the mock of their machine has no gate."""
    from iqm_spec.transpile import violations

    outside: dict[tuple[str, NativeCircuit], bool] = {}
    keys = set()
    for part in parts:
        alias = computer_of(StageName.MOCK, part.point.target)
        if (alias, part.circuit) not in outside:
            architecture = server.architecture(alias).architecture
            outside[alias, part.circuit] = bool(violations(part.circuit, architecture))
        if outside[alias, part.circuit]:
            keys.add(part.key)
    return frozenset(keys)
