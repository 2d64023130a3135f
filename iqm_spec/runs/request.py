"""What a run is asked to do, beside its spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json
from iqm_spec.model import Stage
from iqm_spec.runs.tariff import CostOptions
from iqm_spec.stages.aer import Spread
from iqm_spec.stages.server.consent import Bill
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import Session

if TYPE_CHECKING:
    from iqm_spec.runs.events import Event
    from iqm_spec.spec.check import CheckedSpec
    from iqm_spec.targets import ErrorProfile


def nobody(_: Bill) -> bool:
    """Agrees to nothing."""
    return False


@frozen(slots=False)
class Request:
    """A checked spec and how to carry it out.

    `checked` is None where an earlier run is carried on from the folder alone; `wanted` are its
    stages then. `until` is the last stage wanted, one of the spec's (UsageError otherwise). `fresh`
    asks again what is stored; `replan` transpiles again. `workers` is the number of processes of
    the Aer stage, `spread` the Dask cluster that it goes to. Without a `session` the stages
    that need a server are refused with `why_no_session`. `pins` are the calibration sets of the
    plan's machines by alias. Jobs are waited for until they end or the `deadline` (of
    `time.monotonic`) is over; with `detach` those of the last stage are not waited for.
    `budget_of_run` and `noise_of_run` are the spec's budget and error profiles where there is no
    spec; `costs` is what the command line says of costs. `agree` is asked before credits are spent;
    `tell` hears of pauses and notes.
    """

    checked: CheckedSpec | None
    wanted: tuple[Stage, ...] = ()
    until: Stage | None = None
    fresh: bool = False
    replan: bool = False
    workers: int = 1
    spread: Spread | None = None
    session: Session | None = None
    why_no_session: str = ""
    pins: Mapping[str, str | None] = field(factory=dict)
    deadline: float | None = None
    detach: bool = False
    costs: CostOptions = field(factory=CostOptions)
    budget_of_run: Mapping[str, Json] = field(factory=dict)
    noise_of_run: Mapping[str, ErrorProfile | None] | None = None
    agree: Callable[[Bill], bool] = nobody
    tell: Callable[[Event], None] = lambda _: None

    def __attrs_post_init__(self) -> None:
        stages = self._spec_stages
        if self.until is not None and self.until not in stages:
            raise UsageError(
                f"--until {self.until.value}: this spec has no such stage",
                hint=f"its stages are {', '.join(stage.value for stage in stages)}",
            )

    @property
    def _spec_stages(self) -> tuple[Stage, ...]:
        return self.wanted if self.checked is None else self.checked.spec.stages

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The spec's stages as far as they are wanted."""
        order = list(Stage)
        last = len(order) if self.until is None else order.index(self.until) + 1
        return tuple(stage for stage in self._spec_stages if stage in order[:last])

    @property
    def realm(self) -> str | None:
        """Realm of the server that its stages go to; None where none of them needs one."""
        needed = any(stage is not Stage.AER for stage in self.stages)
        return self.session.realm if self.session is not None and needed else None

    @property
    def budget(self) -> Mapping[str, Any]:
        """The spec's `budget`."""
        return self.budget_of_run if self.checked is None else self.checked.spec.budget

    @property
    def profiles(self) -> Mapping[str, ErrorProfile | None] | None:
        """The error profile of each target; None where they are not known."""
        return self.noise_of_run if self.checked is None else self.checked.profiles

    @property
    def fail_fast(self) -> bool:
        """Whether the first failed job ends its stage."""
        return self.checked is not None and self.checked.spec.fail_fast

    @cached_property
    def counter(self) -> Counter:
        """What the server tells of its machines, read once."""
        assert self.session is not None  # noqa: S101 - asked for by server stages only
        from iqm_spec.runs.events import Paused

        return Counter(self.session, lambda why, seconds: self.tell(Paused(None, why, seconds)))
