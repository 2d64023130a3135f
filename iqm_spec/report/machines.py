"""The machines: what of each was in use, its calibration sets, the noise of the simulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from iqm_spec.native import Template
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plots.chip import MOST_COMPONENTS, Used, chip_map
from iqm_spec.report.document import (
    Block,
    CaptionedPicture,
    Column,
    Facts,
    Fold,
    Pictures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.names import clean, listed, thinned
from iqm_spec.report.subject import Subject
from iqm_spec.stages.server.stored_machines import read_calibrations
from iqm_spec.store.objects import StoredCalibration
from iqm_spec.targets import Architecture, ErrorProfile
from iqm_spec.targets.quality_metrics import observations

_MOST_MACHINES, _MOST_ROWS = 12, 400
_MOST_CIRCUITS = 2000
"""Circuits that are looked at for the qubits in use."""


def machines(subject: Subject) -> Section | None:
    """None where the run kept no machines."""
    if subject.inputs is None:
        return None
    blocks: list[Block] = []
    used = _used(subject)
    for alias, machine in list(subject.inputs.architectures.items())[:_MOST_MACHINES]:
        blocks += _machine(subject, alias, machine, used.get(alias, Used({})))
    return Section("machines", "Machines and calibration", tuple(blocks)) if blocks else None


def _used(subject: Subject) -> dict[str, Used]:
    """Per machine, how many points each component and coupling serves."""
    points = subject.saved.plan.points
    shown = [points[i] for i in thinned(len(points), _MOST_CIRCUITS)]
    natives = natives_of(subject.store, subject.saved.plan, shown)
    count: dict[str, Counter[str]] = {}
    pairs: dict[str, set[tuple[str, str]]] = {}
    pairs_of: dict[Template, set[tuple[str, str]]] = {}
    for point in shown:
        template = natives[point.circuit_key].template
        names = template.structure.components
        if template not in pairs_of:
            pairs_of[template] = {
                (names[op.qubits[0]], names[op.qubits[1]])
                for op in template.structure.ops
                if op.name in ("cz", "move")
            }
        count.setdefault(point.target, Counter()).update(names)
        pairs.setdefault(point.target, set()).update(pairs_of[template])
    return {
        alias: Used(
            {name: f"in {n:,} of {len(shown):,} circuits" for name, n in sorted(numbers.items())},
            frozenset(pairs[alias]),
        )
        for alias, numbers in count.items()
    }


def _machine(subject: Subject, alias: str, machine: Architecture, used: Used) -> Iterator[Block]:
    name = clean(alias, 40)
    caption = f"{name}: {len(used.components)} of {len(machine.components)} components in use."
    sets = dict.fromkeys(
        clean(row.calibration_set_id, 60)
        for row in subject.rows
        if row.record and row.point.target == alias and row.calibration_set_id
    )
    if len(machine.components) <= MOST_COMPONENTS:
        drawing = chip_map(machine, used)
        yield Pictures((CaptionedPicture.of(f"machine-{alias}", drawing, caption),))
    profile = subject.inputs.profiles.get(alias) if subject.inputs else None
    yield Facts(
        (
            ("Architecture", f"{machine.num_qubits} qubits, digest {machine.digest[:16]}"),
            ("Source of the architecture", clean(machine.source) or "the server, at planning"),
            ("Calibration set planned for", clean(machine.calibration_set_id or "none")),
            ("Calibration sets measured under", listed(list(sets)) or "none"),
            ("Noise of the simulation", clean(profile.source) if profile else "none"),
        )
    )
    for stored in read_calibrations(subject.store, subject.saved.calibrations):
        if stored.alias == alias:
            yield from _calibration(stored, used)
    if profile is not None:
        yield Text(f"{name}: {_summary(profile, used)}")
        tables = _tables(profile, used, machine.components)
        yield Fold(f"Error figures of {name} that the simulation used", tables)


def _calibration(calibration: StoredCalibration, used: Used) -> Iterator[Block]:
    """What the server reports of a set: medians over the components in use, least, greatest."""
    figures: dict[str, list[float]] = {}
    for observation in observations(calibration.metrics):
        if observation.domain != "gates" and _in_use(observation.locus, used):
            figures.setdefault(observation.title, []).append(observation.value)
    if not figures:
        return
    name = clean(calibration.calibration_set_id, 60)
    rows = tuple(
        (
            clean(figure, 60),
            *(f"{number:.4g}" for number in (median(values), min(values), max(values))),
            f"{len(values):,}",
        )
        for figure, values in sorted(figures.items())[:_MOST_ROWS]
    )
    titles = ("median", "least", "greatest", "of")
    columns = (Column("figure"), *(Column(title, number=True) for title in titles))
    yield Table(f"Calibration set {name}, components in use (times in seconds)", columns, rows)


def _summary(profile: ErrorProfile, used: Used) -> str:
    """Medians of the components in use."""
    names = [name for name in used.components if name in profile.t1]
    parts = []
    if names:
        parts.append(f"T1 {median(profile.t1[n] for n in names) / 1000:.3g} µs")
        parts.append(f"T2 {median(profile.t2[n] for n in names) / 1000:.3g} µs")
    read = [sum(profile.readout[n]) / 2 for n in names if n in profile.readout]
    if read:
        parts.append(f"readout error {median(read):.3g}")
    for gate, errors in sorted(profile.depolarizing.items()):
        own = [error for locus, error in errors.items() if _in_use(locus, used)]
        if own:
            parts.append(f"{clean(gate, 20)} depolarizing {median(own):.3g}")
    return f"medians over the components in use: {', '.join(parts)}." if parts else "no figures."


def _in_use(locus: tuple[str, ...], used: Used) -> bool:
    if len(locus) == 1:
        return locus[0] in used.components
    return locus in used.edges or tuple(reversed(locus)) in used.edges


def _tables(profile: ErrorProfile, used: Used, order: Sequence[str]) -> tuple[Block, ...]:
    names = [name for name in order if name in profile.t1 and name in used.components]
    place = {name: i for i, name in enumerate(order)}
    prx: Mapping[tuple[str, ...], float] = profile.depolarizing.get("prx", {})
    rows = tuple(
        (
            clean(name, 20),
            f"{profile.t1[name] / 1000:.3g}",
            f"{profile.t2[name] / 1000:.3g}",
            _error(prx.get((name,))),
            *(_error(error) for error in profile.readout.get(name, (None, None))),
        )
        for name in names
    )
    titles = ("T1 µs", "T2 µs", "prx depolarizing", "reads 1 for 0", "reads 0 for 1")
    columns = (Column("component"), *(Column(error, number=True) for error in titles))
    pairs = tuple(
        (clean(gate, 20), clean("-".join(locus), 40), _error(error))
        for gate, errors in sorted(profile.depolarizing.items())
        for locus, error in sorted(
            errors.items(), key=lambda item: [place.get(n, 0) for n in item[0]]
        )
        if len(locus) > 1 and _in_use(locus, used)
    )
    tables: list[Block] = [Table("Components in use", columns, rows[:_MOST_ROWS])]
    if pairs:
        columns = (Column("gate"), Column("coupling"), Column("depolarizing", number=True))
        tables.append(Table("Couplings in use", columns, pairs[:_MOST_ROWS]))
    tables += [Text(clean(error), "note") for error in profile.assumptions[:8]]
    return tuple(tables)


def _error(error: float | None) -> str:
    return "" if error is None else f"{error:.3g}"
