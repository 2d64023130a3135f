"""What the command line says of costs, as values."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.cli.options import Decorator
from iqm_spec.diagnostics import printable
from iqm_spec.errors import UsageError
from iqm_spec.stages.server.prices import CostOptions

if TYPE_CHECKING:
    from iqm_spec.cost.model import TimeModel

MOST_BYTES = 64 << 20
"""Of a time model's file."""


@frozen
class CostFlags:
    """What was given of the options that `cost_flags` adds."""

    price: float | None = None
    model_path: Path | None = None
    most: float | None = None
    slot: float | None = None

    def read(self) -> CostOptions:
        """With the time model read; UsageError for one that cannot be."""
        path = self.model_path
        model, name = (None, "") if path is None else (read_model(path), path.name)
        return CostOptions(self.price, model, name, self.most, self.slot)


def cost_flags(*options: Decorator) -> Decorator:
    """Adds options on costs to a command, which gets them together as `costs`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def gathered(
            *,
            price: float | None = None,
            model_path: Path | None = None,
            most: float | None = None,
            slot: float | None = None,
            **others: Any,
        ) -> Any:
            return command(costs=CostFlags(price, model_path, most, slot), **others)

        found: Callable[..., Any] = gathered
        for option in reversed(options):
            found = option(found)
        return found

    return decorate


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
