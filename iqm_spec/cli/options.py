"""Options that several commands share."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen
from click.core import ParameterSource

from iqm_spec.cli import output
from iqm_spec.diagnostics import printable
from iqm_spec.errors import UsageError

if TYPE_CHECKING:
    from iqm_spec.cost.time_model import TimeModel
    from iqm_spec.stages.server.tariff import CostOptions


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)


def _log(ctx: click.Context, param: click.Parameter, value: int) -> None:
    if value:
        output.show_log(debug=value > 1)


def _hush(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        output.quiet()


verbose_option = click.Option(
    ["-v", "--verbose"], count=True, expose_value=False, callback=_log,
    help="Log requests to the server and writes to disk on stderr; -vv logs more.",
)  # fmt: skip
quiet_option = click.Option(
    ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_hush,
    help="Show no progress and no notes; errors and prices are still shown.",
)  # fmt: skip
"""Options of every command."""


class FolderPath(click.Path):
    """The path of a folder, which need not exist."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a usage error if it is empty, too long or a loop of links."""
        if value == "":
            self.fail("the path is empty", param, ctx)
        try:
            os.stat(value)
        except FileNotFoundError:
            return Path(value)
        except OSError as error:
            self.fail(error.strerror or str(error), param, ctx)
        return super().convert(value, param, ctx)


def _existing(ctx: click.Context, param: click.Parameter, value: Path) -> Path:
    """The path; a usage error if the user named a folder that does not exist."""
    if param.name and ctx.get_parameter_source(param.name) is not ParameterSource.DEFAULT:
        require_folder(value)
    return value


def require_folder(path: Path) -> None:
    """Raises UsageError unless the folder exists."""
    if not path.is_dir():
        raise UsageError(
            f"no results folder at {printable(path.as_posix())}",
            hint="`iqm-spec run SPEC` creates one; --results selects another",
        )


_RESULTS: dict[str, Any] = {
    "type": FolderPath(path_type=Path, file_okay=False),
    "default": Path("results"),
    "show_default": True,
    "help": "The results folder.",
}

results_option: Decorator = click.option("--results", **_RESULTS)
"""For commands that create the folder."""

stored_results_option: Decorator = click.option("--results", callback=_existing, **_RESULTS)
"""For commands that read the folder: it must exist if the user names it."""

set_option: Decorator = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Override one field of the spec, e.g. shots=200 or circuits.0.args.num_qubits=3.",
)

allow_code_option: Decorator = click.option(
    "--allow-code",
    "allowed_code",
    multiple=True,
    metavar="MODULE",
    help="Allow `python:` generators of this module. It is run, so read its code first.",
)

spec_argument: Decorator = click.argument(
    "spec", type=click.Path(path_type=Path, dir_okay=True, exists=False)
)


def _noticed(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The server as the user wrote it; prints a notice if its address will be rewritten."""
    from iqm_spec.server_api.address import notice_of

    if notice := notice_of(value or os.environ.get("IQM_SERVER_URL")):
        output.say(f"note: {notice}")
    return value


server_option: Decorator = click.option(
    "--server",
    callback=_noticed,
    metavar="URL|emulator",
    help="The IQM server, or `emulator` to rehearse. Default: IQM_SERVER_URL, else IQM Resonance.",
)


def spec_at_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the last options of every command that uses a spec with a server."""
    for option in (json_option, results_option, server_option, allow_code_option):
        command = option(command)
    return command


class _Duration(click.ParamType):  # type: ignore[type-arg]
    """Seconds, or a number with s, m, h or d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The duration in seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*([smhd]?)", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is not a duration: write 90s, 30m, 12h or 2d", param, ctx)
        return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


DURATION = _Duration()


class _Amount(click.FloatRange):
    """A finite number from 0 up."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error for NaN and for more than any allocation."""
        number = super().convert(value, param, ctx)
        if not number <= _MOST_CREDITS:  # true for NaN, too
            self.fail(f"{value!r} is not an amount of credits", param, ctx)
        return number


_MOST_CREDITS = 1e12

price_option: Decorator = click.option(
    "--price", type=_Amount(min=0), metavar="CREDITS",
    help="Credits per QPU second. Default: the server's price.",
)  # fmt: skip

model_option: Decorator = click.option(
    "--model", "model_path", type=click.Path(path_type=Path), metavar="MODEL.json",
    help="A time model of `iqm-spec cost fit`. Default: fitted to the folder's measured jobs.",
)  # fmt: skip

most_option: Decorator = click.option(
    "--max-credits", "most", type=_Amount(min=0), metavar="CREDITS",
    help="Submit no job that could make this command cost more credits than this.",
)  # fmt: skip

slot_option: Decorator = click.option(
    "--slot", type=DURATION, metavar="TIME",
    help="Length of the timeslot that jobs must fit in, e.g. 30m, if the server does not say.",
)  # fmt: skip


def job_id_of(text: str) -> str:
    """A job id in the form of IQM's servers; raises UsageError if it is not a UUID."""
    from uuid import UUID

    try:
        return str(UUID(text))
    except ValueError:
        hint = "the server's dashboard shows job ids, such as 3f2c9c6e-0b4d-4f4e-9a0e-0d6d1a3f5b7c"
        raise UsageError(f"{text!r} is not a job id", hint=hint) from None


def folder_argument(function: Callable[..., int]) -> Callable[..., int]:
    """Adds the argument `[DIR]`, with the alternative `--results DIR` as in other commands.

    The command gets it as `directory`. Raises UsageError if it is not a results folder.
    """

    @click.argument("directory", type=FolderPath(path_type=Path), required=False, metavar="[DIR]")
    @click.option("--results", type=FolderPath(path_type=Path), help="The same as DIR.")
    @wraps(function)
    def chosen(directory: Path | None, results: Path | None, **more: Any) -> int:
        from iqm_spec.store import is_results_folder

        if directory is not None and results is not None:
            raise UsageError("the folder is named twice", hint="give DIR or --results, not both")
        folder = directory or results or Path("results")
        require_folder(folder)
        if not is_results_folder(folder):
            raise UsageError(
                f"{printable(folder.as_posix())} is not a results folder: it has no files of "
                "iqm-spec",
                hint="name the folder that `iqm-spec run` wrote, by default `results`",
            )
        return function(directory=folder, **more)

    return chosen


MOST_BYTES = 64 << 20
"""Limit of a time model's file, in bytes."""


@frozen
class CostFlags:
    """Values of the options that `cost_flags` adds."""

    price: float | None = None
    model_path: Path | None = None
    most: float | None = None
    slot: float | None = None

    def read(self) -> CostOptions:
        """The options with the time model; raises UsageError if it cannot be read."""
        from iqm_spec.stages.server.tariff import CostOptions

        path = self.model_path
        model, name = (None, "") if path is None else (read_model(path), path.name)
        return CostOptions(self.price, model, name, self.most, self.slot)


def cost_flags(*options: Decorator) -> Decorator:
    """Adds options on costs to a command, which gets them together as `costs`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_costs(
            *,
            price: float | None = None,
            model_path: Path | None = None,
            most: float | None = None,
            slot: float | None = None,
            **others: Any,
        ) -> Any:
            return command(costs=CostFlags(price, model_path, most, slot), **others)

        decorated: Callable[..., Any] = with_costs
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def read_model(path: Path) -> TimeModel:
    """The time model in a file; raises UsageError if the file has none."""
    from iqm_spec.cost.time_model import model_from_json

    name = printable(path.as_posix())
    try:
        if not path.is_file():
            raise UsageError(f"no file at {name}", hint="`iqm-spec cost fit` creates a model")
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{name} is larger than any time model")
        return model_from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{name} is not valid JSON", hint="`iqm-spec cost fit` creates a model"
        ) from error
