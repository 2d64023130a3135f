"""`iqm-spec emulator`: run an emulator of IQM's server, for rehearsals and tests."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import FolderPath, json_option
from iqm_spec.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from iqm_spec.emulator import TimeWindow
    from iqm_spec.json_types import Json

LARGEST_FAULTS = 1 << 20
"""Limit of a file of fault rules, in bytes."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free port.")
@click.option(
    "--state", type=FolderPath(path_type=Path, file_okay=False),
    help="Directory of the server's state; emulators that share a directory act as one server. "
    "Default: a new temporary directory.",
)  # fmt: skip
@click.option(
    "--speed", type=float, default=1.0, show_default=True,
    help="Modelled seconds per real second: with 1000, an hour in the queue takes 3.6 seconds.",
)  # fmt: skip
@click.option(
    "--queue-seconds", type=float, default=0.0,
    help="How long each job waits in the queue (modelled seconds).",
)  # fmt: skip
@click.option(
    "--slot", "slots", multiple=True, metavar="QC:FROM:TO",
    help="A booked timeslot, in modelled seconds since the first start.",
)  # fmt: skip
@click.option(
    "--window", "windows", multiple=True, metavar="QC:FROM:TO",
    help="When pay-as-you-go jobs run. Default: at all times.",
)  # fmt: skip
@click.option("--timeslot-only", multiple=True, metavar="QC", help="Refuse pay-as-you-go jobs.")
@click.option("--on-premises", metavar="MACHINE", default="", help="Serve one machine, `default`.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N",
    help="Set a limit of the server, e.g. max_circuits_per_job=10.",
)  # fmt: skip
@click.option(
    "--dut-label", "dut_labels", multiple=True, metavar="QC=LABEL",
    help="Label of a chip, for clients that look for it (docs/emulator.md).",
)  # fmt: skip
@click.option("--credits", type=float, help="Credits of the account. Default: unlimited.")
@click.option("--no-rate-limit", is_flag=True, help="Accept any number of requests.")
@click.option(
    "--token-env", metavar="NAME", default="", help="Accept only the token in this variable."
)
@click.option(
    "--seed", type=int, help="Derive counts from this seed and the job's content, not from its id."
)
@click.option(
    "--spread", type=float, metavar="S",
    help="Let qubits and couplings differ: each figure is the built-in one times exp(S * normal), "
    "e.g. 0.5. Default: 0, or as the state directory has it; so for the next three.",
)  # fmt: skip
@click.option(
    "--calibration-seed", type=int, metavar="N",
    help="Which of the machines with such a spread: the same in every emulator. Default: 0.",
)  # fmt: skip
@click.option(
    "--drift", type=float, metavar="S",
    help="How much a new calibration set moves each figure. Default: 0.1 with a spread, else 0.",
)  # fmt: skip
@click.option(
    "--idle/--no-idle", "idle", default=None,
    help="Whether qubits relax while they idle. Default: with a spread or a drift.",
)  # fmt: skip
@click.option(
    "--faults", "faults_file", type=click.Path(path_type=Path, dir_okay=False),
    help="JSON file of faults to inject (docs/emulator.md).",
)  # fmt: skip
@json_option
def command(
    port: int,
    state: Path | None,
    speed: float,
    queue_seconds: float,
    slots: Sequence[str],
    windows: Sequence[str],
    timeslot_only: tuple[str, ...],
    on_premises: str,
    limits: Sequence[str],
    dut_labels: Sequence[str],
    credits: float | None,
    no_rate_limit: bool,
    token_env: str,
    seed: int | None,
    spread: float | None,
    calibration_seed: int | None,
    drift: float | None,
    idle: bool | None,
    faults_file: Path | None,
    as_json: bool,
) -> int:
    """Run an emulator of IQM's server on this machine until Ctrl-C, and print its address."""
    from iqm_spec.emulator import Options, serve
    from iqm_spec.emulator.serve import Stopper

    options = Options(
        state=state,
        speed=speed,
        queue_seconds=queue_seconds,
        on_premises=on_premises,
        slots=tuple(map(_span, slots)),
        windows=tuple(map(_span, windows)),
        timeslot_only=timeslot_only,
        dut_labels=dict(map(_dut_label, dut_labels)),
        limits=dict(map(_limit, limits)),
        rate_limit=not no_rate_limit,
        credits=credits,
        token_env=token_env,
        seed=seed,
        spread=spread,
        calibration_seed=calibration_seed,
        drift=drift,
        idle=idle,
        faults=_faults(faults_file),
    )
    stopper = Stopper()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopper.stop())

    def ready(url: str, state: Path) -> None:
        click.echo(json.dumps({"url": url, "state": str(state)}) if as_json else url)
        output.say(f"emulated: no real quantum computer. State: {state}. Ctrl-C stops the server.")

    serve(options, port, ready, stopper)
    return int(ExitCode.DONE)


def _span(text: str) -> TimeWindow:
    from iqm_spec.emulator import TimeWindow

    alias, *times = text.rsplit(":", 2)
    try:
        start, end = map(float, times)
    except ValueError as error:
        raise UsageError(f"{text!r} is not QC:FROM:TO", hint="write e.g. garnet:0:3600") from error
    return TimeWindow(alias, start, end)


def _limit(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not value.isdigit():
        raise UsageError(f"{text!r} is not NAME=N", hint="write e.g. max_circuits_per_job=10")
    return name, int(value)


def _dut_label(text: str) -> tuple[str, str]:
    alias, _, label = text.partition("=")
    if not alias or not label:
        raise UsageError(f"{text!r} is not QC=LABEL", hint="write e.g. garnet=M153_W0_P06_Z99")
    return alias, label


def _faults(path: Path | None) -> tuple[dict[str, Json], ...]:
    if path is None:
        return ()
    from iqm_spec.emulator.faults import rules_from_json

    try:
        with path.open("rb") as file:
            data = json.loads(file.read(LARGEST_FAULTS))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON: {error}") from error
    rules_from_json(data)
    return tuple(data)
