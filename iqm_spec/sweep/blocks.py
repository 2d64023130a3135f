"""What a sweep block holds: iteration, membership and size, without holding all assignments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from iqm_spec.model import AxisValue, Block, told_apart

Row = tuple[AxisValue, ...]
"""Values of one assignment in the order of `Block.axes`."""


def rows(block: Block) -> Iterator[Row]:
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


def size(block: Block) -> int:
    """Number of assignments of `block`."""
    if not block.exclude:
        return full_size(block) + len(block.include)
    return sum(1 for _ in rows(block))


def projected_size(block: Block, axes: Sequence[str]) -> int:
    """At least the number of distinct values of `axes`, by multiplying: nothing is expanded."""
    found = 1
    for names, dimension in block.columns:
        places = [place for place, name in enumerate(names) if name in axes]
        if len(places) == len(names):
            found *= len(dimension)
        elif places:
            found *= len({told_apart(tuple(row[i] for i in places)) for row in dimension})
    return found + len(block.include)


def projected(block: Block, axes: Sequence[str]) -> Iterator[Row]:
    """Distinct values of `axes`, all of the block's own, in order of appearance."""
    places = [block.axes.index(axis) for axis in axes]
    if not block.exclude and not block.include:
        block, places = _narrow(block, axes)
    picked = (tuple(row[place] for place in places) for row in rows(block))
    if not block.exclude and not block.include and len(axes) == len(block.axes):
        yield from picked
        return
    yield from distinct(picked)


def distinct(given: Iterable[Row]) -> Iterator[Row]:
    """Each row once, in order of appearance; true is not 1."""
    seen: set[Row] = set()
    for row in given:
        key = told_apart(row)
        if key not in seen:
            seen.add(key)
            yield row


def membership(block: Block) -> Callable[[Mapping[str, AxisValue]], bool]:
    """A quick test whether `block` holds an assignment of all its axes."""
    dimensions = [
        (names, frozenset(map(told_apart, dimension))) for names, dimension in block.columns
    ]
    dropped = [_matcher(block.axes, dict(entry)) for entry in block.exclude]
    included = {_flat(block, dict(entry)) for entry in block.include}

    def holds(row: Mapping[str, AxisValue]) -> bool:
        if _flat(block, row) in included:
            return True
        flat = tuple(row[axis] for axis in block.axes)
        return all(
            told_apart(tuple(row[name] for name in names)) in dimension
            for names, dimension in dimensions
        ) and not any(matches(flat, drop) for drop in dropped)

    return holds


def _flat(block: Block, row: Mapping[str, AxisValue]) -> Row:
    return told_apart(tuple(row[axis] for axis in block.axes))


def matches(row: Row, wanted: Sequence[tuple[int, AxisValue]]) -> bool:
    """Whether `row` has every wanted value at its place."""
    return all(
        row[place] == value and told_apart((row[place],)) == told_apart((value,))
        for place, value in wanted
    )


def shared(one: Block, other: Block) -> Mapping[str, AxisValue] | None:
    """An assignment that both blocks hold, which have equal axes."""
    small, large = sorted((one, other), key=full_size)
    in_small, in_large = membership(small), membership(large)
    # only what occurs on every axis of the other can be shared: most blocks differ on one
    known = {axis: _values(large, axis) for axis in large.axes}
    columns = tuple(
        (names, tuple(row for row in dimension if _all_known(names, row, known)))
        for names, dimension in small.columns
    )
    product = (
        dict(zip(small.axes, row, strict=True)) for row in rows(Block(columns, small.exclude))
    )
    listed = (dict(entry) for entry in small.include)
    found = (entry for entry in itertools.chain(product, listed) if in_large(entry))
    back = (dict(entry) for entry in large.include if in_small(dict(entry)))
    return next(itertools.chain(found, back), None)


def _all_known(names: Sequence[str], row: Row, known: Mapping[str, frozenset[Row]]) -> bool:
    return all(told_apart((v,)) in known[name] for name, v in zip(names, row, strict=True))


def _values(block: Block, axis: str) -> frozenset[Row]:
    """What an axis holds in the product of the block's dimensions."""
    names, dimension = next(column for column in block.columns if axis in column[0])
    place = names.index(axis)
    return frozenset(told_apart((row[place],)) for row in dimension)


def occurs(block: Block, entry: Mapping[str, AxisValue]) -> bool:
    """Whether a partial assignment matches anything in the product of the block's dimensions."""
    for names, dimension in block.columns:
        wanted = [(place, entry[name]) for place, name in enumerate(names) if name in entry]
        if wanted and not any(matches(row, wanted) for row in dimension):
            return False
    return True


def _narrow(block: Block, axes: Sequence[str]) -> tuple[Block, list[int]]:
    """Only the dimensions that hold one of `axes`: the others multiply without changing it."""
    kept = tuple(column for column in block.columns if set(column[0]) & set(axes))
    narrow = Block(kept)
    return narrow, [narrow.axes.index(axis) for axis in axes]


def _matcher(axes: Sequence[str], entry: Mapping[str, AxisValue]) -> list[tuple[int, AxisValue]]:
    return [(axes.index(name), value) for name, value in entry.items()]
