"""Credits per QPU second, and prices of other sellers: dated figures of a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from iqm_spec.cost.job_shape import JobShape
from iqm_spec.json_types import Json

_DATA = Path(__file__).parent / "data" / "prices.json"


@frozen
class Price:
    """Credits per QPU second, with its source and date; `date` is empty for a price of now.

    `kind` is `given`, `spec`, `server`, `kept` (the server's, some time ago) or `published`.
    """

    per_second: float
    kind: str
    source: str
    date: str


@frozen
class Quote:
    """What a seller charges for jobs, each circuit a task of its own."""

    seller: str
    machine: str
    amount: float
    currency: str
    formula: str
    source: str
    date: str

    def to_json(self) -> dict[str, Json]:
        """As the dry run gives it."""
        return {**asdict(self), "amount": round(self.amount, 2)}


def published_price() -> Price:
    """The price where neither the user, the spec nor the server gives one."""
    price = _read()["price_per_second"]
    return Price(float(price["value"]), "published", price["source"], price["date"])


def quotes(machine: str, shapes: Sequence[JobShape]) -> list[Quote]:
    """Public prices of other sellers of a machine for these jobs; empty where none is known."""
    circuits = sum(shape.circuits for shape in shapes)
    executions = sum(shape.executions for shape in shapes)
    return [
        Quote(
            seller=seller["seller"],
            machine=machine,
            amount=circuits * float(seller["per_circuit"]) + executions * float(seller["per_shot"]),
            currency=seller["currency"],
            formula=f"{seller['per_circuit']} per circuit + {seller['per_shot']} per shot",
            source=seller["source"],
            date=seller["date"],
        )
        for seller in _read()["sellers"]
        if seller["machine"] == machine and circuits
    ]


@cache
def _read() -> Any:
    return json.loads(_DATA.read_text(encoding="utf-8"))
