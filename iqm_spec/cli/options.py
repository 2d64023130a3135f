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
from iqm_spec.server_api.address import notice_of

if TYPE_CHECKING:
    from iqm_spec.cost.time_model import TimeModel
    from iqm_spec.stages.server.tariff import CostOptions


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Answer with one JSON document on stdout."
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
    """A folder's path that the system can look at; nothing need be there, but empty is no path."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a usage error for an empty text, a loop of links or a name too long."""
        if value == "":
            self.fail("the path is empty", param, ctx)
        try:
            os.stat(value)
        except FileNotFoundError:
            return Path(value)
        except OSError as error:
            self.fail(error.strerror or str(error), param, ctx)
        return super().convert(value, param, ctx)


def _there(ctx: click.Context, param: click.Parameter, value: Path) -> Path:
    """The path; a usage error where the user named a folder that is not there."""
    if param.name and ctx.get_parameter_source(param.name) is not ParameterSource.DEFAULT:
        require_folder(value)
    return value


def require_folder(path: Path) -> None:
    """Raises UsageError unless there is a folder."""
    if not path.is_dir():
        raise UsageError(
            f"there is no results folder at {printable(path.as_posix())}",
            hint="`iqm-spec run SPEC` makes one; name another with --results",
        )


_RESULTS: dict[str, Any] = {
    "type": FolderPath(path_type=Path, file_okay=False),
    "default": Path("results"),
    "show_default": True,
    "help": "The results folder.",
}

results_option: Decorator = click.option("--results", **_RESULTS)
"""Of the command that makes the folder."""

stored_results_option: Decorator = click.option("--results", callback=_there, **_RESULTS)
"""Of commands that read: the folder must be there if it is named."""

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
    help="Let `python:` generators of this module run. Specs come from strangers: read it first.",
)

spec_argument: Decorator = click.argument(
    "spec", type=click.Path(path_type=Path, dir_okay=True, exists=False)
)


def _noticed(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The server as it was given; a notice where its address says more than which server."""
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
    """The last options of every command that takes a spec to a server."""
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
            self.fail(f"{value!r} is no time: write 90s, 30m, 12h or 2d", param, ctx)
        return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


DURATION = _Duration()


class _Amount(click.FloatRange):
    """A finite number from 0 up."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; nothing that is none, and no more than any allocation."""
        found = super().convert(value, param, ctx)
        if not found <= _MOST_CREDITS:  # NaN is not
            self.fail(f"{value!r} is no amount of credits", param, ctx)
        return found


_MOST_CREDITS = 1e12

price_option: Decorator = click.option(
    "--price", type=_Amount(min=0), metavar="CREDITS",
    help="Credits per QPU second, in the place of the server's own answer.",
)  # fmt: skip

model_option: Decorator = click.option(
    "--model", "model_path", type=click.Path(path_type=Path), metavar="MODEL.json",
    help="A time model of `iqm-spec cost fit`, in the place of what the folder has measured.",
)  # fmt: skip

most_option: Decorator = click.option(
    "--max-credits", "most", type=_Amount(min=0), metavar="CREDITS",
    help="Submit nothing that could bring this invocation above so many credits.",
)  # fmt: skip

slot_option: Decorator = click.option(
    "--slot", type=DURATION, metavar="TIME",
    help="Length of the timeslot that jobs must fit in, e.g. 30m, where the server tells none.",
)  # fmt: skip


def job_id_of(text: str) -> str:
    """A server's job id, as servers spell it; UsageError for what is none."""
    from uuid import UUID

    try:
        return str(UUID(text))
    except ValueError:
        hint = "job ids are on the server's dashboard, as 3f2c9c6e-0b4d-4f4e-9a0e-0d6d1a3f5b7c"
        raise UsageError(f"{text!r} is no id of a job", hint=hint) from None


def folder_argument(function: Callable[..., int]) -> Callable[..., int]:
    """`[DIR]`, which may be given as `--results DIR` as in every other command.

    The command gets it as `directory`; UsageError where it is no results folder.
    """

    @click.argument("directory", type=FolderPath(path_type=Path), required=False, metavar="[DIR]")
    @click.option("--results", type=FolderPath(path_type=Path), help="The same as DIR.")
    @wraps(function)
    def chosen(directory: Path | None, results: Path | None, **more: Any) -> int:
        from iqm_spec.store import is_results_folder

        if directory is not None and results is not None:
            raise UsageError("the folder is named twice", hint="as DIR or by --results")
        folder = directory or results or Path("results")
        require_folder(folder)
        if not is_results_folder(folder):
            raise UsageError(
                f"{printable(folder.as_posix())} is no results folder: it holds nothing of ours",
                hint="name the folder that `iqm-spec run` wrote, `results` by default",
            )
        return function(directory=folder, **more)

    return chosen


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
        """The options with the time model read; UsageError where it cannot be."""
        from iqm_spec.stages.server.tariff import CostOptions

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
    from iqm_spec.cost.time_model import model_from_json

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
