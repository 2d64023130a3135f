"""What JSON objects hold, by their `format`. Requests to a server have none: they are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from iqm_spec.store.structure import Digest, JsonObject, to_json


@frozen
class Platform:
    """The kind of machine that a run was made on."""

    machine: str
    system: str


@frozen
class Environment:
    """What ran it: versions of Python, this program and what it computes with; None: not there."""

    format: ClassVar[str] = "iqm-spec/environment/1"

    versions: Mapping[str, str | None]
    platform: Platform


@frozen
class StoredText:
    """A text file, such as a spec; `language` is `yaml` or `toml`."""

    format: ClassVar[str] = "iqm-spec/text/1"

    text: str
    language: str | None = None


@frozen
class StoredBinary:
    """A file that is no text, in base64."""

    format: ClassVar[str] = "iqm-spec/binary/1"

    base64: str


@frozen
class StoredInputs:
    """What a run was made of beside its spec.

    Architectures and error profiles by target (None is ideal), as `targets` writes them, and the
    digests of circuit files by their paths.
    """

    format: ClassVar[str] = "iqm-spec/inputs/1"

    architectures: Mapping[str, JsonObject]
    profiles: Mapping[str, JsonObject | None]
    files: Mapping[str, Digest]


@frozen
class StoredMachines:
    """Quantum computers as a server described them, by target: as in `StoredInputs`."""

    format: ClassVar[str] = "iqm-spec/machines/1"

    machines: Mapping[str, JsonObject]
    profiles: Mapping[str, JsonObject] | None = None


@frozen
class JobReportObject:
    """A job as the server reported it when it had ended."""

    format: ClassVar[str] = "iqm-spec/job-report/1"

    job: JsonObject


@frozen
class StoredCalibration:
    """The quality metrics of a calibration set of the quantum computer `alias`."""

    format: ClassVar[str] = "iqm-spec/calibration/1"

    alias: str
    calibration_set_id: str
    metrics: Any


OBJECTS: Mapping[str, type[Any]] = {
    of.format: of
    for of in (
        Environment,
        StoredText,
        StoredBinary,
        StoredInputs,
        StoredMachines,
        JobReportObject,
        StoredCalibration,
    )
}
"""Format of an object to the class of its fields."""

Content = (
    Environment
    | StoredText
    | StoredBinary
    | StoredInputs
    | StoredMachines
    | JobReportObject
    | StoredCalibration
)


def content_json(content: Content) -> dict[str, Any]:
    """The plain JSON of an object, with its format."""
    return {"format": content.format, **to_json(content)}
