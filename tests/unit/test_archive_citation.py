"""License and people of an archive: taken as they are given, refused where they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from iqm_spec.archive.citation import (
    License,
    Person,
    date_of,
    given_citation,
    license_of,
    orcid_of,
    person_of,
    read_citation,
)
from iqm_spec.archive.contents import inside
from iqm_spec.errors import UsageError

ORCID = "https://orcid.org/0000-0002-1825-0097"


@pytest.mark.parametrize(
    ("text", "person"),
    [
        (f"Carberry, Josiah <{ORCID}>", Person("Josiah Carberry", ORCID, "Carberry", "Josiah")),
        ("Josiah Carberry <0000-0002-1825-0097>", Person("Josiah Carberry", ORCID)),
        ("  Josiah Carberry ", Person("Josiah Carberry")),
        ("Sofía Ångström-Öz", Person("Sofía Ångström-Öz")),
        ("The Team, ", Person("The Team,")),
    ],
)
def test_people(text: str, person: Person) -> None:
    assert person_of(text) == person


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<0000-0002-1825-0097>",
        "A <0000-0002-1825-0098>",
        "A <https://example.org/0000-0002-1825-0097>",
        "A <b@example.org>",
        "A <0000-0002-1825-009x>",
        "A\nB",
        "A <0000-0002-1825-0097> B",
        "x" * 300,
    ],
)
def test_who_is_nobody(text: str) -> None:
    with pytest.raises(UsageError) as error:
        person_of(text)
    assert error.value.hint


@pytest.mark.parametrize(
    "text", ["Doe, Jane 0000-0002-1825-0097", "Jane https://orcid.org/0000-0002-1825-0097"]
)
def test_an_orcid_without_brackets_is_no_name(text: str) -> None:
    with pytest.raises(UsageError, match="angle brackets"):
        person_of(text)


@pytest.mark.parametrize(
    "orcid", ["0000-0002-1694-233X", "0000-0001-5109-3700", "0000-0002-1825-0097"]
)
def test_check_digits(orcid: str) -> None:
    """Examples of ORCID's own documentation; each with another last digit is none."""
    assert orcid_of(orcid) == f"https://orcid.org/{orcid}"
    for digit in "0123456789X":
        if digit != orcid[-1]:
            with pytest.raises(UsageError):
                orcid_of(orcid[:-1] + digit)


@pytest.mark.parametrize(
    ("text", "license"),
    [
        ("cc-by-4.0", License("https://spdx.org/licenses/CC-BY-4.0", "CC-BY-4.0")),
        ("CC0-1.0", License("https://spdx.org/licenses/CC0-1.0", "CC0-1.0")),
        ("https://example.org/terms", License("https://example.org/terms")),
    ],
)
def test_licenses(text: str, license: License) -> None:
    assert license_of(text) == license


@pytest.mark.parametrize(
    "text", ["", "CC-BY-4", "MIT OR ISC", "free", "LicenseRef-mine", "http://", "file:///etc"]
)
def test_no_licenses(text: str) -> None:
    with pytest.raises(UsageError, match="neither an SPDX license"):
        license_of(text)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-1-1", "today", "2026-02-3x", ""])
def test_no_days(text: str) -> None:
    with pytest.raises(UsageError):
        date_of(text)


def test_license_and_people_are_asked_for() -> None:
    for license, authors, anonymous in [
        (None, ["A"], False),
        ("MIT", [], False),
        ("MIT", ["A"], True),
        (None, [], True),
    ]:
        with pytest.raises(UsageError) as error:
            given_citation(license, authors, anonymous=anonymous)
        assert error.value.hint
    assert given_citation("MIT", [], anonymous=True).people == ()


CFF = """\
cff-version: 1.2.0
message: Cite it.
title: "GHZ states: five of them"
license: CC-BY-4.0
authors:
  - {family-names: Beethoven, name-particle: van, given-names: Ludwig, affiliation: Vienna}
  - {name: The Team, orcid: https://orcid.org/0000-0002-1825-0097}
"""


def cff(folder: Path, text: str) -> Path:
    path = folder / "CITATION.cff"
    path.write_text(text)
    return path


def test_a_citation_file(tmp_path: Path) -> None:
    found = read_citation(cff(tmp_path, CFF), None)
    assert found.title == "GHZ states: five of them"
    assert found.license.spdx == "CC-BY-4.0"
    assert found.file == CFF.encode()
    assert found.people == (
        Person("Ludwig van Beethoven", None, "van Beethoven", "Ludwig", "Vienna"),
        Person("The Team", ORCID),
    )
    other = CFF.replace("license: CC-BY-4.0\n", "")
    assert read_citation(cff(tmp_path, other), "CC0-1.0").license.spdx == "CC0-1.0"


@pytest.mark.parametrize(
    ("text", "license", "message"),
    [
        (CFF, "MIT", "has the license CC-BY-4.0"),
        (CFF.replace("license: CC-BY-4.0\n", ""), None, "has no license"),
        (CFF.replace("license: CC-BY-4.0", "license: [MIT, ISC]"), None, "has no license"),
        (CFF[: CFF.index("authors")], None, "has no authors"),
        (CFF.replace("name: The Team, ", ""), None, "without a name"),
        (CFF + "  - nobody\n", None, "not a mapping"),
        ("a: 1\nb: [", None, "invalid YAML, line 2"),
        ("- a\n", None, "no `cff-version`"),
        ("x" * (1 << 20) + "y", None, "too large"),
    ],
)
def test_a_citation_file_that_is_wrong(
    text: str, license: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read_citation(cff(tmp_path, text), license)
    assert error.value.hint


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("circuits/bell.qasm", True),
        ("bell.qasm", True),
        ("../bell.qasm", False),
        ("a/../../b", False),
        ("/home/me/bell.qasm", False),
        ("C:bell.qasm", False),
        ("at:3/bell: one.qasm", True),
        ("a\\..\\b", False),
        ("a\nb", False),
        ("a\u202eb", False),
        ("\ud800", False),
        ("a\u00a0b \u6f22 \U0001f600", True),
        ("-a/...", True),
        ("", False),
    ],
)
def test_paths_that_stay_inside(path: str, safe: bool) -> None:
    assert inside(path) is safe
