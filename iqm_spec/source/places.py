"""Places of keys and values in a text, compact: an integer each, in a tree shaped like the data."""

from __future__ import annotations

from attrs import Factory, define

from iqm_spec.diagnostics import Span, TreePath

_BITS = 24
_MASK = (1 << _BITS) - 1

Place = int
"""Line, column and width packed into one integer; width 0 stands for the rest of the line."""


@define
class PlaceTree:
    """Places of a mapping or a list: its own, those of its keys, and its children's.

    `children` is a dict for a mapping, a list for a list; `keys` stays empty for a list.
    """

    place: Place
    children: dict[str, PlaceTree | Place] | list[PlaceTree | Place]
    keys: dict[str, Place] = Factory(dict)


def pack(line: int, column: int, width: int) -> Place:
    """One integer of a line and a column that count from 1, and a width in characters."""
    return (line << 2 * _BITS) | (column << _BITS) | min(width, _MASK)


def unpack(place: Place, line_length: int | None = None) -> Span:
    """The span of `place`; `line_length` serves where the place reaches to the end of its line."""
    column, width = (place >> _BITS) & _MASK, place & _MASK
    end = column + width
    if not width:
        end = max(column, (line_length or 0) + 1)
    return Span(place >> 2 * _BITS, column, end)


def line_of(place: Place) -> int:
    """The line that `place` is on."""
    return place >> 2 * _BITS


def find_place(root: PlaceTree, path: TreePath, *, on_key: bool = False) -> Place:
    """Place of the value at `path`, or of its key with `on_key`.

    Where there is nothing at `path`, the place of the nearest thing around it: its key's, if any.
    """
    node: PlaceTree | Place = root
    key: Place | None = None
    for step in path:
        child = _child(node, step) if isinstance(node, PlaceTree) else None
        if child is None:
            on_key = True
            break
        key = node.keys.get(str(step)) if isinstance(node, PlaceTree) else None
        node = child
    if on_key and key is not None:
        return key
    return node.place if isinstance(node, PlaceTree) else node


def has_place(root: PlaceTree, path: TreePath) -> bool:
    """Whether anything stands at `path`."""
    node: PlaceTree | Place | None = root
    for step in path:
        node = _child(node, step) if isinstance(node, PlaceTree) else None
    return node is not None


def _child(branch: PlaceTree, step: str | int) -> PlaceTree | Place | None:
    children = branch.children
    if isinstance(children, dict):
        return children.get(step) if isinstance(step, str) else None
    if isinstance(step, int) and 0 <= step < len(children):
        return children[step]
    return None
