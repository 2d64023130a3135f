"""JSON objects: immutable files named by the sha256 of their bytes, and what each `format` holds.

Every file is checked against its name when it is read. Requests to a server have no format: they
are its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TypeVar, cast

from attrs import frozen

from iqm_spec.canonical import canonical, sha256
from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.store.files import Folder, TempFile, open_regular
from iqm_spec.store.json_text import read_json
from iqm_spec.store.layout import LARGEST_VALUE, OBJECTS, object_path
from iqm_spec.store.structure import Digest, JsonObject, MisfitError, structure, to_json


@frozen
class Platform:
    """The kind of machine that a run was made on."""

    machine: str
    system: str


@frozen
class Environment:
    """Versions of Python, this program and its packages (None: not installed), and the platform."""

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
    """The inputs of a run beside its spec.

    Architectures and error profiles by target (None is ideal), as `targets` writes them, and the
    digests of circuit files by their paths.
    """

    format: ClassVar[str] = "iqm-spec/inputs/1"

    architectures: Mapping[str, JsonObject]
    profiles: Mapping[str, JsonObject | None]
    files: Mapping[str, Digest]


@frozen
class StoredMachines:
    """Quantum computers as a server described them, by target: as in `StoredInputs`.

    `calibrated` are error profiles of their calibration sets, where the server gave the figures.
    """

    format: ClassVar[str] = "iqm-spec/machines/1"

    machines: Mapping[str, JsonObject]
    profiles: Mapping[str, JsonObject] | None = None
    calibrated: Mapping[str, JsonObject] | None = None


@frozen
class StoredProfile:
    """The errors by which the circuits of a plan were placed on the qubits of `target`."""

    format: ClassVar[str] = "iqm-spec/placement-profile/1"

    target: str
    profile: JsonObject


@frozen
class JobReportObject:
    """A job as the server reported it when it had ended."""

    format: ClassVar[str] = "iqm-spec/job-report/1"

    job: JsonObject


@frozen
class StoredCalibration:
    """A calibration set of the quantum computer `alias`, as its server gave it.

    `metrics` are its quality metrics, `observations` its own values, `architecture` is the dynamic
    quantum architecture under it; folders of earlier versions have the metrics alone.
    """

    format: ClassVar[str] = "iqm-spec/calibration/1"

    alias: str
    calibration_set_id: str
    metrics: Any
    observations: Any = None
    architecture: Any = None


FORMATS: Mapping[str, type[Any]] = {
    of.format: of
    for of in (
        Environment,
        StoredText,
        StoredBinary,
        StoredInputs,
        StoredMachines,
        StoredProfile,
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
    | StoredProfile
    | JobReportObject
    | StoredCalibration
)


def content_json(content: Content) -> dict[str, Any]:
    """The plain JSON of an object, with its format."""
    return {"format": content.format, **to_json(content)}


C = TypeVar("C", bound=Content)

_CHUNK = 1 << 20
_MISSING = "is missing"

CHECKSUM_MISMATCH = "has a checksum mismatch: its sha256 is not the one in its name"


def put_json(folder: Folder, value: Json) -> str:
    """Stores the canonical bytes of `value`; returns their sha256."""
    data = canonical(value)
    if len(data) > LARGEST_VALUE:
        raise ValueError(f"a JSON object of {len(data)} bytes is too large: use a pack")
    path = object_path(folder.root, sha256(data), "json")
    if not is_settled(folder, path):
        folder.write(path, data)
    return path.stem


def get_json(root: Path, digest: str) -> Json:
    """The value that `put_json` stored."""
    path = object_path(root, digest, "json")
    with opened(path) as file:
        data = file.read(LARGEST_VALUE + 1)
    if len(data) > LARGEST_VALUE or sha256(data) != digest:
        raise corrupt(path, CHECKSUM_MISMATCH)
    value = parse(path, data)
    try:
        check_content(value)
    except MisfitError as error:
        raise corrupt(path, f"cannot be read: {error}") from error
    return value


def check_content(value: Json) -> None:
    """MisfitError where an object does not fit its format."""
    of = FORMATS.get(str(value.get("format"))) if isinstance(value, dict) else None
    if of is not None:
        structure(value, of)


def put(folder: Folder, content: Content) -> str:
    """Stores an object of one of the formats of this module; returns its digest."""
    return put_json(folder, content_json(content))


def get(root: Path, digest: str, of: type[C]) -> C:
    """The object that `put` stored; StoreCorrupt where it has another format."""
    value = get_json(root, digest)
    path = object_path(root, digest, "json")
    if not isinstance(value, dict) or value.get("format") != of.format:
        raise corrupt(path, f"cannot be read: it is no {of.format}")
    try:
        return structure(value, of)
    except MisfitError as error:
        raise corrupt(path, f"cannot be read: {error}") from error


def put_file(folder: Folder, data: bytes) -> str:
    """Stores a file's bytes in a JSON object: as text where they are UTF-8, else in base64."""
    try:
        return put(folder, StoredText(data.decode()))
    except UnicodeDecodeError:
        return put(folder, StoredBinary(base64.b64encode(data).decode()))


def get_file(root: Path, digest: str) -> bytes:
    """The bytes that `put_file` stored; StoreCorrupt where the object is something else."""
    match get_json(root, digest):
        case {"format": "iqm-spec/text/1", "text": str(text)}:
            return text.encode()
        case {"format": "iqm-spec/binary/1", "base64": str(text)}:
            return base64.b64decode(text)
        case _:
            raise corrupt(object_path(root, digest, "json"), "holds no file")


def place_object(folder: Folder, temp: TempFile, suffix: str) -> str:
    """Names a finished temporary file by its sha256, unless that object exists already."""
    path = object_path(folder.root, temp.digest, suffix)
    if not is_settled(folder, path):
        folder.place(temp, path)
    return path.stem


def is_settled(folder: Folder, path: Path) -> bool:
    """True where an object exists, has the right checksum, and survives a loss of power."""
    if not path.exists():
        return False
    check_file(path)
    folder.settle(path.parent)
    return True


def check_object(root: Path, digest: str) -> None:
    """Raises StoreCorrupt unless an object or a pack of that digest is there, and is intact."""
    pack = object_path(root, digest, "jsonl")
    check_file(pack if pack.exists() else object_path(root, digest, "json"))


def check_file(path: Path) -> None:
    """Raises StoreCorrupt unless the file's sha256 is its name. Reads it once, in pieces."""
    with opened(path) as file:
        if hash_of(file) != path.stem:
            raise corrupt(path, CHECKSUM_MISMATCH)


def hash_of(file: BinaryIO) -> str:
    """Sha256 of the rest of a file, in bounded memory."""
    hasher = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A stored file for reading; one that is missing or cannot be read is StoreCorrupt."""
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError as error:
        raise corrupt(path, _MISSING) from error
    except OSError as error:
        raise corrupt(path, f"cannot be read ({error.strerror})") from error


def parse(path: Path, data: bytes) -> Json:
    """The JSON value in some bytes of a stored file; StoreCorrupt where there is none."""
    try:
        return cast("Json", read_json(data))
    except (ValueError, RecursionError) as error:
        raise corrupt(path, "holds something that is not JSON") from error


def corrupt(path: Path, what: str) -> StoreCorrupt:
    """The error for a bad file of the folder, with how to repair it."""
    hint = (
        f"`git checkout -- {path}` brings the committed file back, or copy it from a "
        "colleague's folder; `iqm-spec verify` lists every bad file"
    )
    if path.parent.parent.name == OBJECTS:
        first_step = "" if what == _MISSING else "move it away, and "
        hint += (
            f". Without a copy: {first_step}`iqm-spec run SPEC --replan` makes plans, circuits and "
            "simulated counts again. It cannot make measured counts: keep what is left of them"
        )
    return StoreCorrupt(f"{path} {what}", hint=hint)
