"""What a run is asked to do, beside its spec."""

from __future__ import annotations

from attrs import frozen

from iqm_spec.check import Checked
from iqm_spec.errors import UsageError
from iqm_spec.model import Stage


@frozen
class Request:
    """A checked spec and how to carry it out.

    `until` is the last stage wanted, one of the spec's (UsageError otherwise). `fresh` computes
    again what is stored; `replan` transpiles again. `workers` is the number of processes of the
    Aer stage.
    """

    checked: Checked
    until: Stage | None = None
    fresh: bool = False
    replan: bool = False
    workers: int = 1

    def __attrs_post_init__(self) -> None:
        stages = self.checked.spec.stages
        if self.until is not None and self.until not in stages:
            raise UsageError(
                f"--until {self.until.value}: this spec has no such stage",
                hint=f"its stages are {', '.join(stage.value for stage in stages)}",
            )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The spec's stages as far as they are wanted."""
        order = list(Stage)
        last = len(order) if self.until is None else order.index(self.until) + 1
        return tuple(stage for stage in self.checked.spec.stages if stage in order[:last])
