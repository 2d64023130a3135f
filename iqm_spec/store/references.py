"""Which objects a stored value names.

`REFERENCES` tells, per format, the fields that hold the digest of an object, a list of such or a
mapping to such: what they name must be there. 64 hex digits anywhere else may be the digest of
anything (a job key, a circuit file); where it is an object's, that counts as in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from iqm_spec.json_types import Json

REFERENCES: Mapping[str, frozenset[str]] = {
    "iqm-spec/event/1": frozenset(
        {
            "plan",
            "text",
            "inputs",
            "analyses",
            "calibrations",
            "environment",
            "records",
            "derived",
            "memory",
            "body",
            "machines",
            "report",
        }
    ),
    "iqm-spec/plan/1": frozenset({"circuits"}),
    "iqm-spec/inputs/1": frozenset({"files"}),
}
"""Format of an event, of a JSON object or of a pack's header to the fields that name objects."""

_ANY_DIGEST = re.compile(rb'"([0-9a-f]{64})"')


def mentions(data: bytes) -> set[bytes]:
    """Every string in some JSON bytes that looks like a digest."""
    return set(_ANY_DIGEST.findall(data))


def references(value: Json) -> Iterator[str]:
    """What a value names by the fields of its format, as text: digests, if all is well."""
    if isinstance(value, dict):
        fields = value.get("fields", value)
        for key in REFERENCES.get(str(value.get("format")), ()):
            if isinstance(fields, dict):
                yield from _leaves(fields.get(key))


def _leaves(item: Json) -> Iterator[str]:
    """The digests of one value, of a list or of a mapping; null refers to nothing."""
    if isinstance(item, dict):
        yield from map(str, item.values())
    elif isinstance(item, list):
        yield from map(str, item)
    elif item is not None:
        yield str(item)
