"""`iqm-spec calibration [TARGET]`: show a machine's figures of today, and what moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from iqm_spec.calibration.calibration_set import TIMES, CalibrationSet, Figures
from iqm_spec.calibration.compare import SIGNIFICANT, Change, Comparison, compare
from iqm_spec.calibration.fetch import DEFAULT, Fetched, Source
from iqm_spec.cli import output
from iqm_spec.cli.files import write_bytes
from iqm_spec.cli.options import json_option, results_option, server_option
from iqm_spec.cli.tables import WIDE
from iqm_spec.diagnostics import printable
from iqm_spec.engine.session import NO_CREDENTIALS, requested_server_id, session_of
from iqm_spec.errors import Refused, UsageError
from iqm_spec.plan.label import count
from iqm_spec.stages.server.server_info import ServerInfo, Session
from iqm_spec.store import Store

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_CHANGES = 20
"""Changes that are shown; JSON has them all."""

MOST_NAMED = 6
"""Missing or invalid figures that are named."""

_DPI = 144
"""Of a map as pixels: sharp on dense screens."""

FORMATS = (".svg", ".png", ".pdf")


@click.command()
@click.argument("target", required=False)
@click.option(
    "--set", "set_id", default=DEFAULT, metavar="UUID",
    help="A calibration set. Default: the one that the server uses now.",
)  # fmt: skip
@click.option(
    "--against", metavar="UUID|RUN",
    help="Show what moved since this set, or since the set that a run was planned for.",
)  # fmt: skip
@click.option(
    "-o", "--output", "picture", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the machine's map, colored by error: FILE.svg, FILE.png or FILE.pdf.",
)  # fmt: skip
@server_option
@results_option
@json_option
def command(
    target: str | None,
    set_id: str,
    against: str | None,
    picture: Path | None,
    server: str | None,
    results: Path,
    as_json: bool,
) -> None:
    """Show the calibration of TARGET: its qubits and couplings, the best and the worst.

    Keeps the architecture and the quality metrics in the results folder, and shows those that it
    kept last where the server cannot be reached. TARGET is needed where the server has more than
    one quantum computer.
    """
    if picture is not None and picture.suffix.lower() not in FORMATS:
        raise UsageError(f"{picture}: a map is written as {', '.join(FORMATS)}")
    store = Store(results)
    with session_of(server, results) as session:
        target = target or _only_computer(session)
        source = _source(store, server, session)
        with _better_hints(source, target):
            fetched = source.fetch(target, _uuid(set_id))
            before = None if against is None else _earlier(source, store, target, against)
    calibration = fetched.calibration
    comparison = None if before is None else compare(before, calibration)
    if picture is not None:
        _draw(calibration, picture)
    if as_json:
        output.answer(_document(fetched, source.server_id, before, comparison))
        return
    _show(fetched, before, comparison)
    if picture is not None:
        output.say(f"{picture} written")


def _source(store: Store, server: str | None, session: Session | None) -> Source:
    from iqm_spec.server_api.retry import SHORT_READS, Retry

    server_id = requested_server_id(server)
    retry = Retry(SHORT_READS, lambda why, seconds: output.say(f"{why}; again in {seconds:.0f} s"))
    if session is None:
        return Source(store, server_id, None, retry, NO_CREDENTIALS)
    return Source(store, server_id, session.connection, retry)


@contextmanager
def _better_hints(source: Source, target: str) -> Iterator[None]:
    """What to do here about a set that is gone, and which targets there are."""
    from iqm_spec.server_api.computers import find_computer, list_computers
    from iqm_spec.server_api.errors import CalibrationGone

    try:
        yield
    except CalibrationGone as error:
        hint = f"`iqm-spec calibration {target}` shows the set that the server uses now"
        raise CalibrationGone(error.message, hint=hint) from None
    except Refused:
        if source.connection is not None:
            # raises where the server does not list the target, and says which ones it lists
            find_computer(list_computers(source.connection, source.retry), target)
        raise


def _only_computer(session: Session | None) -> str:
    """The quantum computer of a server that has one; UsageError names them where it has several."""
    if session is None:
        raise UsageError("name a target: iqm-spec calibration garnet")
    names = [name for name in ServerInfo(session).aliases() if not name.endswith(":mock")]
    if len(names) != 1:
        listed = ", ".join(map(printable, names)) or "none"
        raise UsageError("name a target", hint=f"the server's quantum computers: {listed}")
    return names[0]


def _uuid(text: str) -> str:
    if text == DEFAULT:
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise UsageError(
            f"{printable(text)} is no id of a calibration set",
            hint="an id looks like 2f3a4b5c-0000-4000-8000-123456789abc; leave --set out for the "
            "set that the server uses now",
        ) from None


def _earlier(source: Source, store: Store, target: str, name: str) -> CalibrationSet:
    """The set that `--against` means: its id, or the one that a run was planned for."""
    try:
        return source.fetch(target, str(UUID(name))).calibration
    except ValueError:
        pass
    from iqm_spec.engine.resume import calibration_sets
    from iqm_spec.engine.saved import load_run

    saved = load_run(store, name)
    set_id = calibration_sets(saved, store).get(target)
    if set_id is None:
        raise UsageError(
            f"run {saved.state.id} was not planned for a calibration set of {target}",
            hint="give the id of a set",
        )
    return source.fetch(target, set_id).calibration


# --- what is shown -------------------------------------------------------------------------------


def _document(
    fetched: Fetched, server_id: str, before: CalibrationSet | None, comparison: Comparison | None
) -> dict[str, Any]:
    calibration = fetched.calibration
    when = calibration.calibrated_at
    document: dict[str, Any] = {
        "target": calibration.target,
        "server": server_id,
        "calibration_set_id": calibration.id,
        "calibrated_at": None if when is None else when.isoformat(),
        "age_seconds": _age(calibration),
        "from_folder": bool(fetched.why_stored),
        "qubits": {name: _numbers(figures) for name, figures in calibration.qubits.items()},
        "couplings": {
            "-".join(locus): _numbers(figures) for locus, figures in calibration.couplings.items()
        },
        "missing": list(calibration.missing),
        "invalid": list(calibration.invalid),
    }
    if before is not None and comparison is not None:
        document["against"] = {
            "calibration_set_id": before.id,
            "compared": comparison.num_compared,
            "changes": [
                {
                    "place": change.place,
                    "quantity": change.quantity,
                    "before": change.before,
                    "after": change.after,
                    "error": change.error,
                    "standard_errors": change.standard_errors,
                    "significant": change.is_significant,
                }
                for change in comparison.changes
            ],
            "gone": list(comparison.gone),
            "new": list(comparison.new),
        }
    return {**document, "exit": 0}


def _numbers(figures: Figures) -> dict[str, float]:
    """Values, and `NAME_error` where a figure has an uncertainty."""
    numbers: dict[str, float] = {}
    for name, figure in figures.items():
        numbers[name] = figure.value
        if figure.uncertainty is not None:
            numbers[f"{name}_error"] = figure.uncertainty
    return numbers


def _age(calibration: CalibrationSet) -> float | None:
    """Seconds since its figures were measured."""
    when = calibration.calibrated_at
    return None if when is None else round((datetime.now(UTC) - when).total_seconds(), 1)


def _show(fetched: Fetched, before: CalibrationSet | None, comparison: Comparison | None) -> None:
    from rich.columns import Columns

    calibration = fetched.calibration
    if fetched.why_stored:
        output.say(f"warning: {fetched.why_stored}; this is the set that the folder kept last")
    console = output.console()
    _print(_title(calibration), console)
    tables = (_qubit_table(calibration), _coupling_table(calibration))
    if console.width >= WIDE:
        console.print(Columns(tables, padding=(0, 4)))
    else:
        console.print(*tables)
    _print(_best_and_worst(calibration), console)
    absent = [name for name in calibration.missing if name not in calibration.invalid]
    for what, named in (("missing", absent), ("invalid", calibration.invalid)):
        if named:
            more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
            listed = ", ".join(map(_described, named[:MOST_NAMED]))
            _print([f"{what}: {listed}{more}"], console)
    if before is not None and comparison is not None:
        click.echo()
        _print(_comparison_lines(before, comparison), console)
        moved = [change for change in comparison.changes if change.is_significant]
        if moved:
            console.print(_change_table(moved[:MOST_CHANGES]))
        if len(moved) > MOST_CHANGES:
            _print([f"and {len(moved) - MOST_CHANGES} more; --json has all of them"], console)


def _print(lines: Iterable[str], console: Console) -> None:
    output.print_fitted(map(printable, lines), console)


def _described(figure: str) -> str:
    """`QB3 T1`, of `t1 of QB3`."""
    quantity, _, place = figure.partition(" of ")
    return f"{place} {_TITLES.get(quantity, quantity)}"


def _title(calibration: CalibrationSet) -> Iterator[str]:
    yield f"{calibration.target}: calibration set {calibration.id}"
    when, age = calibration.calibrated_at, _age(calibration)
    if when is not None and age is not None:
        yield f"measured {when:%Y-%m-%d %H:%M} UTC ({_ago(age)})"


def _ago(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{count(int(seconds // size), unit)} ago"
    return "just now"


def _error(figures: Figures, name: str) -> float | None:
    """1 less a fidelity."""
    figure = figures.get(name)
    return None if figure is None else 1 - figure.value


def _qubit_table(calibration: CalibrationSet) -> Table:
    rows = {
        name: (
            *(_seconds(figures, time) for time in ("t1", "t2", "t2_echo")),
            _error(figures, "prx_fidelity"),
            _error(figures, "readout_fidelity"),
        )
        for name, figures in calibration.qubits.items()
    }
    titles = ("T1 µs", "T2 µs", "echo µs", "prx error", "readout error")
    return _table("qubit", titles, rows, ("more", "more", "more", "less", "less"))


def _coupling_table(calibration: CalibrationSet) -> Table:
    rows = {
        "-".join(locus): (_error(figures, "cz_fidelity"), _error(figures, "move_fidelity"))
        for locus, figures in calibration.couplings.items()
    }
    return _table("coupling", ("cz error", "move error"), rows, ("less", "less"))


def _seconds(figures: Figures, name: str) -> float | None:
    figure = figures.get(name)
    return None if figure is None else figure.value * 1e6


def _table(
    first: str,
    titles: Sequence[str],
    rows: Mapping[str, Sequence[float | None]],
    better: Sequence[str],
) -> Table:
    """Numbers by name; the best of a column is bold, the worst dim. Empty columns are left out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(first)
    columns = [
        i for i in range(len(titles)) if any(values[i] is not None for values in rows.values())
    ]
    ends = {}
    for i in columns:
        known = [value for values in rows.values() if (value := values[i]) is not None]
        ends[i] = (max(known), min(known)) if better[i] == "more" else (min(known), max(known))
        table.add_column(titles[i], justify="right")
    for name, values in rows.items():
        cells = []
        for i in columns:
            value = values[i]
            best, worst = ends[i]
            is_end = value in ends[i] and best != worst
            style = "" if not is_end else "bold" if value == best else "dim"
            cells.append(Text("-" if value is None else _short(value), style))
        table.add_row(Text(printable(name)), *cells)
    return table


def _short(value: float) -> str:
    """Three digits: `42.0`, `0.00123`."""
    if value and not 1e-4 <= abs(value) < 1000:
        return f"{value:.1e}" if abs(value) < 1 else f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".")


def _best_and_worst(calibration: CalibrationSet) -> Iterator[str]:
    couplings = {"-".join(locus): figures for locus, figures in calibration.couplings.items()}
    for title, places, name in (
        ("readout", calibration.qubits, "readout_fidelity"),
        ("prx", calibration.qubits, "prx_fidelity"),
        ("cz", couplings, "cz_fidelity"),
        ("move", couplings, "move_fidelity"),
    ):
        errors = _errors_by_place(places.items(), name)
        if len({error for error, _ in errors}) > 1:
            best, worst = errors[0], errors[-1]
            yield (
                f"{title}: best {best[1]} ({_short(best[0])}), "
                f"worst {worst[1]} ({_short(worst[0])})"
            )


def _errors_by_place(places: Iterable[tuple[str, Figures]], name: str) -> list[tuple[float, str]]:
    errors = [(_error(figures, name), place) for place, figures in places]
    return sorted((error, place) for error, place in errors if error is not None)


def _comparison_lines(before: CalibrationSet, comparison: Comparison) -> Iterator[str]:
    moved = [change for change in comparison.changes if change.is_significant]
    known = any(change.error is not None for change in comparison.changes)
    beyond = f" beyond their uncertainty ({SIGNIFICANT:g} sigma)" if known else ""
    yield f"against calibration set {before.id}"
    if (when := before.calibrated_at) is not None:
        yield f"measured {when:%Y-%m-%d %H:%M} UTC"
    yield f"{len(moved)} of {comparison.num_compared} figures moved{beyond}"
    if not known and comparison.changes:
        yield "the server gives no uncertainties: every difference is shown"
    for what, places in (("no longer there", comparison.gone), ("new", comparison.new)):
        if places:
            yield f"{what}: {', '.join(places)}"


def _change_table(changes: Sequence[Change]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    known = any(change.standard_errors is not None for change in changes)
    titles = ["place", "figure", "before", "after", "change", *(["sigma"] if known else [])]
    for title in titles:
        table.add_column(title, justify="left" if title in ("place", "figure") else "right")
    for change in changes:
        title, before, after = _as_errors(change)
        cells = [change.place, title, _short(before), _short(after), f"x {change.factor:.2f}"]
        if known:
            sigmas = change.standard_errors
            cells.append("-" if sigmas is None else f"{sigmas:.1f}")
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


_TITLES = {
    "t1": "T1",
    "t2": "T2",
    "t2_echo": "T2 echo",
    "prx_fidelity": "prx error",
    "readout_error_0": "0 read as 1",
    "readout_error_1": "1 read as 0",
    "readout_fidelity": "readout error",
    "cz_fidelity": "cz error",
    "move_fidelity": "move error",
}
"""What a person reads for the name of a figure; fidelities are shown as errors."""


def _as_errors(change: Change) -> tuple[str, float, float]:
    """Fidelities as errors, times in microseconds."""
    title = _TITLES.get(change.quantity, change.quantity)
    if change.quantity.endswith("_fidelity"):
        return title, 1 - change.before, 1 - change.after
    if change.quantity in TIMES:
        return f"{title} µs", change.before * 1e6, change.after * 1e6
    return title, change.before, change.after


def _draw(calibration: CalibrationSet, path: Path) -> None:
    from io import BytesIO

    from iqm_spec.plots.calibration_map import ComponentErrors, calibration_map

    places = {
        name: ComponentErrors(_error(figures, "readout_fidelity"), _error(figures, "prx_fidelity"))
        for name, figures in calibration.qubits.items()
    }
    couplings = {
        locus: _error(figures, "cz_fidelity") for locus, figures in calibration.couplings.items()
    }
    when = calibration.calibrated_at
    title = f"{calibration.target}, set {calibration.id[:8]}"
    title += "" if when is None else f", {when:%Y-%m-%d %H:%M} UTC"
    figure = calibration_map(calibration.architecture, places, couplings, title)
    data = BytesIO()
    figure.savefig(data, format=path.suffix.lower().removeprefix("."), dpi=_DPI)
    write_bytes(path, data.getvalue())
