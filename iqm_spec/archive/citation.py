"""Licence and people of an archive, as they were given: nothing of it is guessed."""

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

_HOW = 'write --author "Family, Given <https://orcid.org/0000-0002-1825-0097>"'


@frozen
class Person:
    """Somebody by the name as it was given; `orcid` is a URL, `family` and `given` where told."""

    name: str
    orcid: str | None = None
    family: str | None = None
    given: str | None = None
    affiliation: str | None = None

    def to_cff(self) -> dict[str, Json]:
        """The entry in a CITATION.cff: a whole name is never taken apart."""
        told: dict[str, Json] = {"name": self.name}
        if self.family is not None:
            told = {"family-names": self.family}
            told |= {} if self.given is None else {"given-names": self.given}
        told |= {} if self.affiliation is None else {"affiliation": self.affiliation}
        return told if self.orcid is None else {**told, "orcid": self.orcid}


@frozen
class Licence:
    """A licence by its SPDX identifier, or where none fits by its address alone."""

    url: str
    spdx: str | None = None


@frozen
class Citation:
    """How an archive is to be cited. `file` holds the bytes of a CITATION.cff that was given."""

    licence: Licence
    people: tuple[Person, ...]
    title: str | None = None
    file: bytes | None = None


def given_citation(licence: str | None, authors: Sequence[str], *, anonymous: bool) -> Citation:
    """From the command line; UsageError where licence or people are missing."""
    if licence is None:
        raise UsageError(
            "an archive needs a licence, or nobody may use it",
            hint="--license CC-BY-4.0 and CC0-1.0 are usual for data (https://spdx.org/licenses)",
        )
    if not authors and not anonymous:
        raise UsageError(
            "an archive names its authors",
            hint=f"{_HOW}, once for each; --citation CITATION.cff, or --anonymous for none",
        )
    if authors and anonymous:
        raise UsageError("--anonymous and --author exclude each other", hint="give one of them")
    return Citation(licence_of(licence), tuple(map(person_of, authors)))


def licence_of(text: str) -> Licence:
    """A licence by SPDX identifier or URL."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if _URL.fullmatch(text):
        return Licence(text)
    try:
        known = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        known = " "
    if " " in known or known.startswith("LicenseRef-"):
        raise UsageError(
            f"{text[:80]!r} is no licence that SPDX knows, and no URL",
            hint="CC-BY-4.0 and CC0-1.0 are usual for data; all are on https://spdx.org/licenses",
        )
    return Licence(f"https://spdx.org/licenses/{known}", known)


def person_of(text: str) -> Person:
    """`Name <ORCID>`, `Family, Given <ORCID>`, or a name alone."""
    match = _PERSON.fullmatch(text)
    if match is None or not match[1].isprintable() or "@" in text:
        raise UsageError(f"{text[:80]!r} is no author", hint=_HOW)
    name, orcid = match[1], None if match[2] is None else orcid_of(match[2])
    family, comma, given = (part.strip() for part in name.partition(","))
    if _ORCID_WITHIN.search(name):
        raise UsageError(f"{text[:80]!r}: an ORCID iD stands in angle brackets", hint=_HOW)
    if comma and family and given:
        return Person(f"{given} {family}", orcid, family, given)
    return Person(name, orcid)


def orcid_of(text: str) -> str:
    """The URL of an ORCID iD whose check digit (ISO 7064 MOD 11-2) fits."""
    match = _ORCID.fullmatch(text)
    if match is None or _check_digit(match[1]) != match[1][-1]:
        why = "its last digit does not fit" if match else "it is not as 0000-0002-1825-0097"
        raise UsageError(f"{text[:80]!r} is no ORCID iD: {why}", hint=_HOW)
    return f"https://orcid.org/{match[1]}"


def _check_digit(orcid: str) -> str:
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    value = (12 - total % 11) % 11
    return "X" if value == 10 else str(value)


def date_of(text: str) -> str:
    """A day as YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        raise UsageError(f"{text[:40]!r} is no day", hint="write it as 2026-11-23")
    return text


def read_citation(path: Path, licence: str | None) -> Citation:
    """From a CITATION.cff; `licence` stands in where the file names none."""
    data = _read(path)
    told = _parsed(path, data)
    own = told.get("license") or told.get("license-url")
    if isinstance(own, list):
        own = own[0] if len(own) == 1 else None
    if own and licence and licence_of(str(own)) != licence_of(licence):
        raise UsageError(
            f"{path.name} says {own}, --license {licence}", hint="leave --license out, or mend one"
        )
    if not own and licence is None:
        raise UsageError(
            f"{path.name} names no licence", hint="add `license:` to it, or give --license"
        )
    authors = told.get("authors")
    if not isinstance(authors, list) or not authors:
        raise UsageError(f"{path.name} names no authors", hint="add `authors:` to it")
    title = told.get("title")
    people = tuple(_person(path, one) for one in authors)
    return Citation(
        licence_of(str(own or licence)), people, title if isinstance(title, str) else None, data
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{path.as_posix()} cannot be read: {error.strerror}", hint="name a CITATION.cff"
        ) from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path.name} is too large for a CITATION.cff", hint="name another file")
    return data


def _parsed(path: Path, data: bytes) -> Mapping[str, Any]:
    import yaml

    try:
        told = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts alone
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = "" if where is None else f", line {where.line + 1}"
        raise UsageError(
            f"{path.name} is no CITATION.cff: it is no YAML{line}",
            hint="https://citation-file-format.github.io tells how one is written",
        ) from error
    if not isinstance(told, dict) or "cff-version" not in told:
        raise UsageError(
            f"{path.name} is no CITATION.cff: it has no `cff-version`",
            hint="https://citation-file-format.github.io tells how one is written",
        )
    return told


def _person(path: Path, told: Any) -> Person:
    if not isinstance(told, dict):
        raise UsageError(f"{path.name} has an author that is no mapping", hint="mend `authors:`")
    texts = {key: value for key, value in told.items() if isinstance(value, str) and value}
    family = " ".join(texts[k] for k in ("name-particle", "family-names") if k in texts)
    given = texts.get("given-names")
    name = texts.get("name") or " ".join(part for part in (given, family) if part)
    if not name:
        raise UsageError(f"{path.name} has an author without a name", hint="mend `authors:`")
    orcid = orcid_of(texts["orcid"]) if "orcid" in texts else None
    return Person(name, orcid, family or None, given, texts.get("affiliation"))
