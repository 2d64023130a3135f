"""Blocks of a sweep: `sweep:` of a spec (plain JSON that the schema has seen) to `Block`s.

Below that, what a block holds: iteration, membership and size, without all assignments in memory.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import lt
from typing import cast

from attrs import evolve

from iqm_spec.diagnostics import Problem, TreePath, nearest
from iqm_spec.json_types import Json
from iqm_spec.model import AxisValue, Block, Values, distinguishable
from iqm_spec.spec.sweep_values import VALUE_FUNCTIONS, ValueFunctionError, evaluate_function

MAX_POINTS = 1_000_000
"""Assignments in one block; more is refused before anything is expanded."""

ReportProblem = Callable[[Problem], None]
Dimension = tuple[tuple[str, ...], tuple[tuple[AxisValue, ...], ...]]


def parse_blocks(raw: Sequence[Json], path: TreePath, report: ReportProblem) -> tuple[Block, ...]:
    """The blocks that could be understood; `path` is the place of the list in the spec's tree."""
    blocks: list[tuple[int, Block]] = []
    for index, item in enumerate(raw):
        if isinstance(item, Mapping):
            block = _parse_block(item, (*path, index), report)
            if block is not None:
                blocks.append((index, block))
    if not raw:
        report(Problem(path, "S304", "the sweep is empty", "leave `sweep` out, or give it a block"))
    # points that two blocks with the same axes both hold
    for later, (index, block) in enumerate(blocks):
        for other_index, other in blocks[:later]:
            entry = None
            if set(other.axes) == set(block.axes):
                entry = shared_assignment(block, other)
            if entry is not None:
                report(
                    Problem(
                        (*path, index),
                        "S303",
                        f"blocks {other_index + 1} and {index + 1} both hold {_described(entry)}",
                        "exclude it from one of them, or write `repeat: k`",
                    )
                )
    return tuple(block for _, block in blocks)


def _parse_block(raw: Mapping[str, Json], path: TreePath, report: ReportProblem) -> Block | None:
    problems: list[Problem] = []
    columns = _columns(raw, path, problems.append)
    block = Block(columns, priority=cast("float", raw.get("priority", 0)))
    if not problems:
        if not block.axes:
            hint = "give it `grid`, `zip` or `points`"
            problems.append(Problem(path, "S304", "this block has no axes", hint))
        for name, count in Counter(block.axes).items():
            if count > 1:
                text = f"the axis `{name}` is given more than once in this block"
                problems.append(Problem(path, "S308", text))
        total = full_size(block)
        if total > MAX_POINTS:
            problems.append(
                Problem(
                    path,
                    "S307",
                    f"this block multiplies to {total:,} points; {MAX_POINTS:,} are allowed",
                    "use fewer values, or `zip` axes that belong together",
                )
            )
    if not problems:
        block = _with_exceptions(block, raw, path, problems.append)
    for problem in problems:
        report(problem)
    return None if problems else block


def _columns(
    raw: Mapping[str, Json], path: TreePath, report: ReportProblem
) -> tuple[Dimension, ...]:
    grid = [
        ((name,), tuple((value,) for value in _axis(values, (*path, "grid", name), report)))
        for name, values in _mapping(raw.get("grid")).items()
    ]
    zipped = [
        _zip_group(_mapping(group), (*path, "zip", i), report)
        for i, group in enumerate(_sequence(raw.get("zip")))
    ]
    listed = (
        [_listed(_sequence(raw["points"]), (*path, "points"), report)] if "points" in raw else []
    )
    return tuple(column for column in (*grid, *zipped, *listed) if column[0])


def _axis(raw: Json, path: TreePath, report: ReportProblem) -> tuple[AxisValue, ...]:
    """Values of one axis; duplicates and empty lists are reported."""
    if isinstance(raw, Mapping):
        ((name, arguments),) = raw.items() if len(raw) == 1 else ((next(iter(raw), ""), None),)
        if name not in VALUE_FUNCTIONS:
            return ()  # the schema has named the functions already
        try:
            computed = evaluate_function(name, arguments)
        except ValueFunctionError as error:
            report(Problem((*path, name), "S306", f"axis `{path[-1]}`: {error}"))
            return ()
        if not _rise(computed) and len(set(computed)) != len(computed):
            text = f"axis `{path[-1]}`: `{name}` gives a value twice"
            report(Problem((*path, name), "S303", text))
        return computed
    values = tuple(axis_value(value) for value in _sequence(raw))
    if not values:
        report(Problem(path, "S304", f"the axis `{path[-1]}` has no values"))
    first: dict[tuple[AxisValue, ...], int] = {}
    for place, value in enumerate(values):
        other = first.setdefault(distinguishable((value,)), place)
        if other != place:
            report(
                Problem(
                    (*path, place),
                    "S303",
                    f"the axis `{path[-1]}` holds {_shown(repr(value))} twice, as its values"
                    f" {other + 1} and {place + 1}",
                    "to measure the same point several times, write `repeat: k`",
                )
            )
            break
    return values


def _rise(values: Sequence[AxisValue]) -> bool:
    """True where each number is larger than the one before: none is there twice.

    A set of a million numbers takes more memory than the numbers.
    """
    numbers = all(isinstance(value, int | float) for value in values)
    return numbers and all(map(lt, values, islice(values, 1, None)))


def axis_value(raw: Json) -> AxisValue:
    """A scalar as it is, a flat list as a tuple."""
    if isinstance(raw, list | tuple):
        return cast("AxisValue", tuple(raw))
    return cast("AxisValue", raw)


def _zip_group(raw: Mapping[str, Json], path: TreePath, report: ReportProblem) -> Dimension:
    axes: dict[str, tuple[AxisValue, ...]] = {}
    quiet: list[Problem] = []
    for name, values in raw.items():
        # a value may come twice in a zipped axis: only the rows must differ
        axes[name] = _axis(values, (*path, name), quiet.append)
    for problem in quiet:
        if problem.code != "S303":
            report(problem)
    lengths = {name: len(values) for name, values in axes.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        report(Problem(path, "S305", f"zipped axes must have equally many values: {listed}"))
        return (), ()
    rows = tuple(zip(*axes.values(), strict=True))
    _report_twice(rows, path, report)
    return tuple(axes), rows


def _listed(raw: Sequence[Json], path: TreePath, report: ReportProblem) -> Dimension:
    entries = [_mapping(item) for item in raw]
    if not entries:
        report(Problem(path, "S304", "`points` is empty"))
        return (), ()
    axes = tuple(entries[0])
    for place, entry in enumerate(entries):
        if set(entry) != set(axes):
            odd = sorted(set(entry) ^ set(axes))
            report(
                Problem(
                    (*path, place),
                    "S308",
                    "the points of a block must all give the same axes;"
                    f" this one differs from the first in {', '.join(f'`{o}`' for o in odd)}",
                    "put points with other axes into a block of their own",
                )
            )
            return (), ()
    rows = tuple(tuple(axis_value(entry[axis]) for axis in axes) for entry in entries)
    _report_twice(rows, path, report, at_row=True)
    return axes, rows


def _report_twice(
    rows: Sequence[tuple[AxisValue, ...]],
    path: TreePath,
    report: ReportProblem,
    *,
    at_row: bool = False,
) -> None:
    first: dict[tuple[AxisValue, ...], int] = {}
    for place, row in enumerate(rows):
        other = first.setdefault(distinguishable(row), place)
        if other != place:
            report(
                Problem(
                    (*path, place) if at_row else path,
                    "S303",
                    f"points {other + 1} and {place + 1} here are the same",
                    "to measure the same point several times, write `repeat: k`",
                )
            )
            return


def _with_exceptions(
    block: Block, raw: Mapping[str, Json], path: TreePath, report: ReportProblem
) -> Block:
    """`block` with its `exclude` and `include`, each entry checked."""
    exclude = [
        entry
        for i, item in enumerate(_sequence(raw.get("exclude")))
        if (entry := _exclusion(block, _mapping(item), (*path, "exclude", i), report))
    ]
    block = evolve(block, exclude=tuple(exclude))
    for i, item in enumerate(_sequence(raw.get("include"))):
        entry = _inclusion(block, _mapping(item), (*path, "include", i), report)
        if entry:
            block = evolve(block, include=(*block.include, entry))
    if exclude and next(block_rows(block), None) is None:
        report(Problem((*path, "exclude"), "S304", "`exclude` leaves no point of this block"))
    return block


def _exclusion(
    block: Block, raw: Mapping[str, Json], path: TreePath, report: ReportProblem
) -> Values | None:
    entry = _known_axes(block, raw, path, report)
    if entry is None:
        return None
    if not occurs(block, entry):
        text = f"no point of this block has {_described(entry)}"
        hint = "an exclusion that matches nothing is most likely a slip; correct or remove it"
        report(Problem(path, "S309", text, hint))
        return None
    return tuple(entry.items())


def _inclusion(
    block: Block, raw: Mapping[str, Json], path: TreePath, report: ReportProblem
) -> Values | None:
    entry = _known_axes(block, raw, path, report)
    if entry is None:
        return None
    missing = [name for name in block.axes if name not in entry]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        report(Problem(path, "S308", f"an included point gives every axis; missing: {listed}"))
        return None
    if membership(block)(entry):
        report(Problem(path, "S303", f"the block holds {_described(entry)} already"))
        return None
    return tuple((name, entry[name]) for name in block.axes)


def _known_axes(
    block: Block, raw: Mapping[str, Json], path: TreePath, report: ReportProblem
) -> dict[str, AxisValue] | None:
    """The entry as an assignment, or None after a report of an axis that the block lacks."""
    for name in raw:
        if name not in block.axes:
            text = f"this block has no axis `{name}`"
            hint = nearest(name, block.axes) or f"its axes are {', '.join(block.axes)}"
            report(Problem((*path, name), "S302", text, hint, on_key=True))
            return None
    return {name: axis_value(value) for name, value in raw.items()}


def _described(entry: Mapping[str, AxisValue]) -> str:
    return ", ".join(f"{name} = {_shown(str(value))}" for name, value in entry.items())


def _shown(text: str) -> str:
    """A value as a spec has it."""
    return {"True": "true", "False": "false", "None": "null"}.get(text, text)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list | tuple) else ()


# --- what a block holds --------------------------------------------------------------------------

Row = tuple[AxisValue, ...]
"""Values of one assignment in the order of `Block.axes`."""


def block_rows(block: Block) -> Iterator[Row]:
    """Assignments of `block` in order: the last dimension fastest, `include` at the end."""
    product = itertools.product(*(dimension for _, dimension in block.columns))
    flat = (tuple(itertools.chain.from_iterable(parts)) for parts in product)
    if block.exclude:
        dropped = [_matcher(block.axes, dict(entry)) for entry in block.exclude]
        flat = (row for row in flat if not any(matches(row, drop) for drop in dropped))
    yield from flat
    for entry in block.include:
        named = dict(entry)
        yield tuple(named[axis] for axis in block.axes)


def full_size(block: Block) -> int:
    """Number of assignments before `exclude` and `include`."""
    return math.prod(len(dimension) for _, dimension in block.columns)


def projected_size(block: Block, axes: Sequence[str]) -> int:
    """At least the number of distinct values of `axes`, by multiplying: nothing is expanded."""
    count = 1
    for names, dimension in block.columns:
        places = [place for place, name in enumerate(names) if name in axes]
        if len(places) == len(names):
            count *= len(dimension)
        elif places:
            count *= len({distinguishable(tuple(row[i] for i in places)) for row in dimension})
    return count + len(block.include)


def projected_rows(block: Block, axes: Sequence[str]) -> Iterator[Row]:
    """Distinct values of `axes`, all of the block's own, in order of appearance."""
    places = [block.axes.index(axis) for axis in axes]
    if not block.exclude and not block.include:
        # the other dimensions multiply the rows without changing `axes`
        narrow = Block(tuple(column for column in block.columns if set(column[0]) & set(axes)))
        block, places = narrow, [narrow.axes.index(axis) for axis in axes]
    picked = (tuple(row[place] for place in places) for row in block_rows(block))
    if not block.exclude and not block.include and len(axes) == len(block.axes):
        yield from picked
        return
    yield from distinct_rows(picked)


def distinct_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Each row once, in order of appearance; true is not 1."""
    keys: set[Row] = set()
    for row in rows:
        key = distinguishable(row)
        if key not in keys:
            keys.add(key)
            yield row


def membership(block: Block) -> Callable[[Mapping[str, AxisValue]], bool]:
    """A quick test whether `block` holds an assignment of all its axes."""
    dimensions = [
        (names, frozenset(map(distinguishable, dimension))) for names, dimension in block.columns
    ]
    dropped = [_matcher(block.axes, dict(entry)) for entry in block.exclude]
    included = {_flat(block, dict(entry)) for entry in block.include}

    def holds(row: Mapping[str, AxisValue]) -> bool:
        if _flat(block, row) in included:
            return True
        flat = tuple(row[axis] for axis in block.axes)
        return all(
            distinguishable(tuple(row[name] for name in names)) in dimension
            for names, dimension in dimensions
        ) and not any(matches(flat, drop) for drop in dropped)

    return holds


def _flat(block: Block, row: Mapping[str, AxisValue]) -> Row:
    return distinguishable(tuple(row[axis] for axis in block.axes))


def matches(row: Row, entry: Sequence[tuple[int, AxisValue]]) -> bool:
    """Whether `row` has every value of `entry` at its position."""
    return all(
        row[place] == value and distinguishable((row[place],)) == distinguishable((value,))
        for place, value in entry
    )


def shared_assignment(first: Block, second: Block) -> Mapping[str, AxisValue] | None:
    """An assignment that both blocks hold, which have equal axes."""
    small, large = sorted((first, second), key=full_size)
    in_small, in_large = membership(small), membership(large)
    # only what occurs on every axis of the other can be shared: most blocks differ on one
    known: dict[str, set[Row]] = {}
    for names, dimension in large.columns:
        for place, name in enumerate(names):
            known[name] = {distinguishable((row[place],)) for row in dimension}

    def occurs_in_large(names: Sequence[str], row: Row) -> bool:
        pairs = zip(names, row, strict=True)
        return all(distinguishable((value,)) in known[name] for name, value in pairs)

    columns = tuple(
        (names, tuple(row for row in dimension if occurs_in_large(names, row)))
        for names, dimension in small.columns
    )
    product = (
        dict(zip(small.axes, row, strict=True)) for row in block_rows(Block(columns, small.exclude))
    )
    listed = (dict(entry) for entry in small.include)
    in_both = (entry for entry in itertools.chain(product, listed) if in_large(entry))
    back = (dict(entry) for entry in large.include if in_small(dict(entry)))
    return next(itertools.chain(in_both, back), None)


def occurs(block: Block, entry: Mapping[str, AxisValue]) -> bool:
    """Whether a partial assignment matches anything in the product of the block's dimensions."""
    for names, dimension in block.columns:
        partial = [(place, entry[name]) for place, name in enumerate(names) if name in entry]
        if partial and not any(matches(row, partial) for row in dimension):
            return False
    return True


def _matcher(axes: Sequence[str], entry: Mapping[str, AxisValue]) -> list[tuple[int, AxisValue]]:
    return [(axes.index(name), value) for name, value in entry.items()]
