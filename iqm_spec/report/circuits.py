"""Circuits before and after transpiling, and where they lie on the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from iqm_spec.model import NativeCircuit
from iqm_spec.plan.circuits import circuits_of, natives_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import PlannedPoint, collapsed
from iqm_spec.plan.readout import is_calibration
from iqm_spec.plots.chip import MOST_COMPONENTS, Used, chip_map
from iqm_spec.plots.circuit import circuit_drawing, native_wires, qiskit_wires
from iqm_spec.report.document import Block, CaptionedPicture, Fold, Pictures, Section, Text
from iqm_spec.report.logical import Missing, logical
from iqm_spec.report.names import clean, point_name, thinned
from iqm_spec.report.subject import Subject

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


MOST_SHOWN = 6
_OPEN = 2
_MOST_LOOKED_AT = 2000


def circuits(subject: Subject) -> Section:
    """Some of the circuits, those of different size first."""
    every = subject.saved.plan.points
    sample = [every[i] for i in thinned(len(every), _MOST_LOOKED_AT)]
    natives_of_sample = natives_of(subject.store, subject.saved.plan, sample)
    # one point of each circuit, place and size: angles alone make no other drawing
    distinct: dict[object, PlannedPoint] = {}
    for point in sample:
        place = natives_of_sample[point.circuit_key].template.structure.components
        key = point.name, point.target, place, str(point.summary)
        distinct.setdefault(key, point)
    points = list(distinct.values())
    shown = [points[i] for i in thinned(len(points), MOST_SHOWN)]
    natives = circuits_of(subject.store, subject.saved.plan, shown)
    before = logical(subject, shown)
    blocks: list[Block] = []
    for number, point in enumerate(shown):
        own = tuple(_blocks(subject, point, natives[point.circuit_key], before[point.id]))
        title = f"{point_name(point)} on {clean(point.target, 40)}"
        if number < _OPEN:
            blocks += [Text(title, "title"), *own]
        else:
            blocks.append(Fold(title, own))
    if len(points) > len(shown):
        title = f"{len(shown)} of {len(points):,} circuits that differ in size or place are drawn."
        blocks.insert(0, Text(title))
    for line in collapsed(subject.saved.plan.points):
        blocks.insert(0, Text(f"Little is left of it: {clean(line, 400)}.", "note"))
    return Section("circuits", "Circuits and qubits", tuple(blocks))


def _blocks(
    subject: Subject, point: PlannedPoint, native: NativeCircuit, before: QuantumCircuit | Missing
) -> Iterator[Block]:
    figures = []
    if is_calibration(point):
        yield Text(
            "It calibrates the readout, and is written in the machine's own gates: nothing is "
            "transpiled.",
            "note",
        )
    elif isinstance(before, Missing):
        yield Text(f"Its circuit before transpiling is not shown: {clean(before.why)}.", "note")
    else:
        wired = qiskit_wires(before)
        caption = f"Before transpiling: {count(len(wired.names), 'qubit')}, depth {before.depth()}."
        label = f"{point_name(point)}. {caption}"
        drawing = circuit_drawing(wired)
        figures.append(CaptionedPicture.of(f"before-{point.id}", drawing, caption, label))
    gates = native.counts()
    listed = ", ".join(f"{number:,} {name}" for name, number in gates.items())
    size = f"{count(len(native.components), 'component')}, depth {native.depth()}"
    caption = f"After transpiling: {size}; {listed}."
    label = f"{point_name(point)}. {caption}"
    drawing = circuit_drawing(native_wires(native))
    figures.append(CaptionedPicture.of(f"after-{point.id}", drawing, caption, label))
    machine = subject.inputs.architectures.get(point.target) if subject.inputs else None
    if machine is not None and len(machine.components) <= MOST_COMPONENTS:
        used = _used(native)
        names = ", ".join(used.components)
        caption = f"{clean(machine.alias, 40)}: in use are {clean(names)}."
        figures.append(CaptionedPicture.of(f"map-{point.id}", chip_map(machine, used), caption))
    yield Pictures(tuple(figures))


def _used(native: NativeCircuit) -> Used:
    names = native.components
    measured: Mapping[str, int] = {
        names[op.qubits[0]]: op.clbits[0] for op in native.ops if op.name == "measure" and op.clbits
    }
    descriptions = {
        n: f"measured to bit {measured[n]}" if n in measured else "in use" for n in names
    }
    pairs = {
        (names[op.qubits[0]], names[op.qubits[1]])
        for op in native.ops
        if op.name in ("cz", "move") and len(op.qubits) == 2
    }
    return Used(descriptions, frozenset(pairs))
