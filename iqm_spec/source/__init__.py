"""The text of a spec file (YAML, TOML) as a tree of plain data that knows where everything stands.

Reading the file within limits, its syntax errors, what an unquoted scalar means, the places of keys
and values, and the masking of credentials in what is shown.

Imports: canonical, diagnostics, errors, json_types.
"""

from iqm_spec.source.source import (
    ExternalValues,
    Override,
    Source,
    line_reader,
    parse_source,
    path_beside,
    read_source,
    shown_path,
)

__all__ = [
    "ExternalValues",
    "Override",
    "Source",
    "line_reader",
    "parse_source",
    "path_beside",
    "read_source",
    "shown_path",
]
