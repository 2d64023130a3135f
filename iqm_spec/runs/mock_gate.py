"""The mock before the machine: whether there is one, what it can test, and that it accepted."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit, Stage
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count, label
from iqm_spec.runs.events import StageDone
from iqm_spec.runs.server_stage import ServerStage
from iqm_spec.stages.server.batch import Part
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import computer_of
from iqm_spec.stages.server.work import look


def no_mock(it: ServerStage) -> str:
    """Why there is no mock to ask, or nothing."""
    if it.stage is not Stage.MOCK:
        return ""
    waived = it.plan.header.require.get("mock", {}).get("waived")
    listed = it.counter.aliases()
    wanted = {computer_of(Stage.MOCK, point.target) for point in it.plan.points}
    missing = sorted(wanted - set(listed))
    if missing:
        why = f": {waived}" if waived else ""
        return f"the server has no {', '.join(missing)}{why}"
    return f"waived: {waived}" if waived else ""


def untestable(counter: Counter, parts: Sequence[Part]) -> frozenset[str]:
    """Keys of the points whose circuits act where the mock of their machine has no gate."""
    from iqm_spec.transpile import violations

    found: dict[tuple[str, NativeCircuit], bool] = {}
    for part in parts:
        alias = computer_of(Stage.MOCK, part.point.target)
        one = alias, part.circuit
        if one not in found:
            found[one] = bool(violations(part.circuit, counter.architecture(alias).architecture))
    return frozenset(
        part.key
        for part in parts
        if found[computer_of(Stage.MOCK, part.point.target), part.circuit]
    )


def require_mock(it: ServerStage, before: Sequence[StageDone]) -> None:
    """Refused unless the mock accepted every point, or that is waived; notes say so."""
    if it.stage is not Stage.HARDWARE:
        return
    waived = it.plan.header.require.get("mock", {}).get("waived")
    mock = next((done for done in before if done.stage is Stage.MOCK), None)
    if waived or (mock is not None and mock.status == "waived"):
        it.found.notes += [f"no mock has accepted this: {waived or (mock and mock.reasons[0])}"]
        return
    work = look(it.plan, Stage.MOCK, it.session.realm, it.store)
    left = [index for index in range(len(work.keys)) if not work.has(index)]
    if not left:
        return
    circuits = circuits_of(it.store, it.plan, [it.plan.points[index] for index in left])
    points = [it.plan.points[index] for index in left]
    parts = [
        Part(point, work.keys[index], circuits[point.circuit_key], point.shots)
        for index, point in zip(left, points, strict=True)
    ]
    outside = untestable(it.counter, parts)
    refused = [part.point for part in parts if part.key not in outside]
    if refused:
        first = label(refused[0].name, refused[0].values, refused[0].repeat)
        raise Refused(
            f"the mock has not accepted {count(len(refused), 'point')} (the first is {first})",
            hint="add `mock` to `stages`, or waive it: `require: {mock: {waived: REASON}}`",
            code="refused.mock",
        )
    it.found.notes += [f"not testable on the mock: {count(len(outside), 'point')}"]
