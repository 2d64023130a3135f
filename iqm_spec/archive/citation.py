"""License and people of an archive, as the user gives them: nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json

_LARGEST = 1 << 20
_PERSON = re.compile(r"\s*([^<>]{1,200}?)\s*(?:<\s*([^<>\s]+)\s*>)?\s*")
_ORCID_WITHIN = re.compile(r"(?:\d{4}-){3}\d{3}[\dX]|orcid\.org", re.IGNORECASE)
_ORCID = re.compile(r"(?:https?://orcid\.org/)?((?:\d{4}-){3}\d{3}[\dX])")
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_URL = re.compile(r"https?://[^\s<>\"]{3,500}")

_HOW = 'use --author "Family, Given <https://orcid.org/0000-0002-1825-0097>"'


@frozen
class Person:
    """A person. `orcid` is a URL; `family` and `given` are set if the name has both parts."""

    name: str
    orcid: str | None = None
    family: str | None = None
    given: str | None = None
    affiliation: str | None = None

    def to_cff(self) -> dict[str, Json]:
        """The entry in a CITATION.cff. A name without parts is not split."""
        entry: dict[str, Json] = {"name": self.name}
        if self.family is not None:
            entry = {"family-names": self.family}
            entry |= {} if self.given is None else {"given-names": self.given}
        entry |= {} if self.affiliation is None else {"affiliation": self.affiliation}
        return entry if self.orcid is None else {**entry, "orcid": self.orcid}


@frozen
class License:
    """A license: its URL, and its SPDX identifier if it has one."""

    url: str
    spdx: str | None = None


@frozen
class Citation:
    """How to cite an archive. `file` has the bytes of the user's CITATION.cff, if there is one."""

    license: License
    people: tuple[Person, ...]
    title: str | None = None
    file: bytes | None = None


def given_citation(license: str | None, authors: Sequence[str], *, anonymous: bool) -> Citation:
    """The citation from options; raises UsageError if license or people are missing."""
    if license is None:
        raise UsageError(
            "an archive needs a license; without one, nobody may use it",
            hint="--license CC-BY-4.0 and CC0-1.0 are usual for data (https://spdx.org/licenses)",
        )
    if not authors and not anonymous:
        raise UsageError(
            "an archive needs authors",
            hint=f"{_HOW} for each author, --citation CITATION.cff, or --anonymous",
        )
    if authors and anonymous:
        raise UsageError("--anonymous and --author exclude each other", hint="give only one")
    return Citation(license_of(license), tuple(map(person_of, authors)))


def license_of(text: str) -> License:
    """The license of an SPDX identifier or URL."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if _URL.fullmatch(text):
        return License(text)
    try:
        known = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        known = " "
    if " " in known or known.startswith("LicenseRef-"):
        raise UsageError(
            f"{text[:80]!r} is neither an SPDX license nor a URL",
            hint="CC-BY-4.0 and CC0-1.0 are usual for data; https://spdx.org/licenses lists all",
        )
    return License(f"https://spdx.org/licenses/{known}", known)


def person_of(text: str) -> Person:
    """`Name <ORCID>`, `Family, Given <ORCID>`, or a name alone."""
    match = _PERSON.fullmatch(text)
    if match is None or not match[1].isprintable() or "@" in text:
        raise UsageError(f"{text[:80]!r} is not a valid author", hint=_HOW)
    name, orcid = match[1], None if match[2] is None else orcid_of(match[2])
    family, comma, given = (part.strip() for part in name.partition(","))
    if _ORCID_WITHIN.search(name):
        raise UsageError(f"{text[:80]!r}: put the ORCID iD in angle brackets", hint=_HOW)
    if comma and family and given:
        return Person(f"{given} {family}", orcid, family, given)
    return Person(name, orcid)


def orcid_of(text: str) -> str:
    """The URL of an ORCID iD with a valid check digit (ISO 7064 MOD 11-2)."""
    match = _ORCID.fullmatch(text)
    if match is None:
        why = "write it as 0000-0002-1825-0097"
        raise UsageError(f"{text[:80]!r} is not an ORCID iD: {why}", hint=_HOW)
    total = 0
    for digit in match[1].replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    if match[1][-1] != "0123456789X"[(12 - total % 11) % 11]:
        why = "its check digit is wrong"
        raise UsageError(f"{text[:80]!r} is not an ORCID iD: {why}", hint=_HOW)
    return f"https://orcid.org/{match[1]}"


def date_of(text: str) -> str:
    """The date, if it has the form YYYY-MM-DD; else raises UsageError."""
    if not _DATE.fullmatch(text):
        raise UsageError(f"{text[:40]!r} is not a date", hint="write e.g. 2026-11-23")
    return text


def read_citation(path: Path, license: str | None) -> Citation:
    """The citation from a CITATION.cff; `license` is used if the file has none."""
    data, fields = _read(path)
    own = fields.get("license") or fields.get("license-url")
    if isinstance(own, list):
        own = own[0] if len(own) == 1 else None
    if own and license and license_of(str(own)) != license_of(license):
        raise UsageError(
            f"{path.name} has the license {own}, and --license {license} differs",
            hint="remove --license, or correct one of them",
        )
    if not own and license is None:
        raise UsageError(
            f"{path.name} has no license", hint="add `license:` to it, or give --license"
        )
    authors = fields.get("authors")
    if not isinstance(authors, list) or not authors:
        raise UsageError(f"{path.name} has no authors", hint="add `authors:` to it")
    title = fields.get("title")
    people = tuple(_person(path, author) for author in authors)
    return Citation(
        license_of(str(own or license)), people, title if isinstance(title, str) else None, data
    )


def _read(path: Path) -> tuple[bytes, Mapping[str, Any]]:
    """The bytes and the fields of a CITATION.cff."""
    import yaml

    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{path.as_posix()} cannot be read: {error.strerror}", hint="name a CITATION.cff"
        ) from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path.name} is too large for a CITATION.cff", hint="name another file")
    try:
        fields = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506 - creates only texts
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        raise UsageError(
            f"{path.name} is not a CITATION.cff: invalid YAML{line}", hint=_FORMAT
        ) from error
    if not isinstance(fields, dict) or "cff-version" not in fields:
        raise UsageError(
            f"{path.name} is not a CITATION.cff: it has no `cff-version`", hint=_FORMAT
        )
    return data, fields


_FORMAT = "https://citation-file-format.github.io describes the format"


def _person(path: Path, author: Any) -> Person:
    if not isinstance(author, dict):
        raise UsageError(
            f"{path.name} has an author that is not a mapping", hint="correct `authors:`"
        )
    texts = {key: value for key, value in author.items() if isinstance(value, str) and value}
    family = " ".join(texts[k] for k in ("name-particle", "family-names") if k in texts)
    given = texts.get("given-names")
    name = texts.get("name") or " ".join(part for part in (given, family) if part)
    if not name:
        raise UsageError(f"{path.name} has an author without a name", hint="correct `authors:`")
    orcid = orcid_of(texts["orcid"]) if "orcid" in texts else None
    return Person(name, orcid, family or None, given, texts.get("affiliation"))
