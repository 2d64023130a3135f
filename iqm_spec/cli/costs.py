"""What the command line says of costs, as values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from iqm_spec.diagnostics import printable
from iqm_spec.errors import UsageError
from iqm_spec.run.tariff import CostOptions

if TYPE_CHECKING:
    from iqm_spec.cost.model import TimeModel

MOST_BYTES = 64 << 20
"""Of a time model's file."""


def cost_options(
    price: float | None, model: Path | None, most: float | None, slot: float | None
) -> CostOptions:
    """The options of a command; UsageError for a model that cannot be read."""
    read = None if model is None else read_model(model)
    return CostOptions(price, read, "" if model is None else model.name, most, slot)


def read_model(path: Path) -> TimeModel:
    """The time model in a file; UsageError where there is none."""
    from iqm_spec.cost.model import model_from_json

    name = printable(path.as_posix())
    try:
        if not path.is_file():
            raise UsageError(f"there is no file {name}", hint="`iqm-spec cost fit` makes a model")
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{name} is larger than any time model")
        return model_from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is no JSON", hint="`iqm-spec cost fit` makes a model") from error
