"""Credits per second, and what other sellers ask for the same machine: dated figures of a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from iqm_spec.cost.shape import JobShape
from iqm_spec.json_types import Json

_DATA = Path(__file__).parent / "data" / "prices.json"


@frozen
class Price:
    """Credits per QPU second, with where and when it was read; `date` is empty where it is now.

    `kind` is `given`, `spec`, `server`, `kept` (told by the server some time ago) or `published`.
    """

    per_second: float
    kind: str
    source: str
    date: str


@frozen
class Quote:
    """What a seller asks for some jobs, each circuit a task of its own."""

    seller: str
    machine: str
    amount: float
    currency: str
    formula: str
    source: str
    date: str

    def to_json(self) -> dict[str, Json]:
        """As the dry run gives it."""
        return {
            "seller": self.seller,
            "machine": self.machine,
            "amount": round(self.amount, 2),
            "currency": self.currency,
            "formula": self.formula,
            "source": self.source,
            "date": self.date,
        }


def published_price() -> Price:
    """The price that stands where nobody tells another."""
    told = _read()["price_per_second"]
    return Price(float(told["value"]), "published", told["source"], told["date"])


def quotes(machine: str, shapes: Sequence[JobShape]) -> list[Quote]:
    """Public prices of other sellers of a machine for these jobs; empty where none is known."""
    circuits = sum(shape.circuits for shape in shapes)
    executions = sum(shape.executions for shape in shapes)
    return [
        Quote(
            seller=told["seller"],
            machine=machine,
            amount=circuits * float(told["per_circuit"]) + executions * float(told["per_shot"]),
            currency=told["currency"],
            formula=f"{told['per_circuit']} per circuit + {told['per_shot']} per shot",
            source=told["source"],
            date=told["date"],
        )
        for told in _read()["sellers"]
        if told["machine"] == machine and circuits
    ]


@cache
def _read() -> Any:
    return json.loads(_DATA.read_text(encoding="utf-8"))
