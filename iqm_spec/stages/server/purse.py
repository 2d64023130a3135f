"""The budget: nothing is submitted that it might not cover."""

from __future__ import annotations

from attrs import define, field, frozen

from iqm_spec.cost.ranges import amount
from iqm_spec.errors import Refused
from iqm_spec.stages.server.ledger import AttemptId, read_all_attempts
from iqm_spec.stages.server.spending import Counting, entries, of_experiment, spent
from iqm_spec.store import Store


@frozen
class Limits:
    """`budget` is over all runs of the spec's name in the folder, `most` over this invocation."""

    budget: float | None = None
    most: float | None = None
    counting: Counting = field(factory=Counting)


@define
class Purse:
    """Credits of an experiment in one realm; `mine` are the attempts of this invocation."""

    store: Store
    experiment: str
    realm: str
    limits: Limits
    mine: set[AttemptId] = field(factory=set)

    def require(self, upper: float, what: str = "the next job") -> None:
        """Refused unless both limits cover `upper` credits more; what is open counts in full."""
        if self.limits.budget is None and self.limits.most is None:
            return
        found = read_all_attempts(self.store)
        all_ = of_experiment(entries(found, self.limits.counting), self.experiment, self.realm)
        mine = entries((a for a in found if (a.job, a.number) in self.mine), self.limits.counting)
        if self.limits.budget is not None:
            hint = "raise `budget.credits`, or ask for fewer shots or points"
            told = f"the budget of {_credits(self.limits.budget)}"
            _require(told, self.limits.budget, *spent(all_), upper, what, hint)
        if self.limits.most is not None:
            hint = "raise --max-credits, or ask for fewer shots or points"
            told = f"--max-credits {self.limits.most:g}"
            _require(told, self.limits.most, *spent(mine), upper, what, hint)


def _require(
    told: str, limit: float, gone: float, open_: float, upper: float, what: str, hint: str
) -> None:
    if gone + open_ + upper <= limit * (1 + 1e-9):
        return
    before = ""
    if gone or open_:
        before = f" beside {_credits(gone)} spent"
        before += f" and up to {_credits(open_)} reserved or unknown" if open_ else ""
    raise Refused(
        f"{told} does not cover {what}: up to {_credits(upper)}{before}",
        hint=hint,
        code="refused.budget",
    )


def _credits(value: float) -> str:
    return f"{amount(value)} credits"
