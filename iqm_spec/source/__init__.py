"""Spec files as trees of plain data in which every key and value knows its place in the text."""

from iqm_spec.source.lines import line_reader
from iqm_spec.source.read import parse_source, read_source, shown_path
from iqm_spec.source.source import Elsewhere, Patch, Source, beside

__all__ = [
    "Elsewhere",
    "Patch",
    "Source",
    "beside",
    "line_reader",
    "parse_source",
    "read_source",
    "shown_path",
]
