"""Checks of this computer: versions and the results folder; and the exit code of all checks."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from attrs import evolve, frozen
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from iqm_spec.errors import MOST_URGENT_FIRST, ExitCode
from iqm_spec.json_types import Json

PACKAGE = "iqm-spec"
DEPENDENCIES = ("iqm-client", "qiskit", "qiskit-aer")
"""Packages whose versions are checked."""

_REINSTALL = "reinstall: `pip install --force-reinstall iqm-spec`"


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@frozen
class Check:
    """One check: `finding` is its result in words, `hint` what to do about it.

    `code` is the exit code of a problem, DONE for all other checks.
    """

    name: str
    status: Status
    finding: str
    hint: str = ""
    code: ExitCode = ExitCode.DONE

    def to_json(self) -> dict[str, Json]:
        """The check's entry in the answer of `doctor --json`."""
        return {
            "name": self.name,
            "status": self.status.value,
            "found": self.finding,
            "hint": self.hint,
        }

    @property
    def softened(self) -> Check:
        """The check of something that is not needed: a problem becomes a warning."""
        if self.status is not Status.PROBLEM:
            return self
        return evolve(self, status=Status.WARNING, code=ExitCode.DONE)


def fine(name: str, finding: str, hint: str = "") -> Check:
    """A check that passed."""
    return Check(name, Status.OK, finding, hint)


def warning(name: str, finding: str, hint: str) -> Check:
    """A check whose result may matter."""
    return Check(name, Status.WARNING, finding, hint)


def problem(name: str, finding: str, hint: str, code: ExitCode = ExitCode.REFUSED) -> Check:
    """A check whose result would end a run with `code`."""
    return Check(name, Status.PROBLEM, finding, hint, code)


def unknown(name: str, finding: str, hint: str = "") -> Check:
    """A check without a result."""
    return Check(name, Status.UNKNOWN, finding, hint)


def exit_code(checks: Iterable[Check]) -> ExitCode:
    """The exit code of the problem with the highest priority: SPEC, then `MOST_URGENT_FIRST`."""
    codes = {check.code for check in checks}
    order = (ExitCode.SPEC, *MOST_URGENT_FIRST)
    return next((code for code in order if code in codes), ExitCode.DONE)


# --- versions ------------------------------------------------------------------------------------


def environment_checks() -> list[Check]:
    """Versions of Python and `DEPENDENCIES`, against the requirements of this iqm-spec.

    Reads the metadata of the packages, and imports none.
    """
    own = metadata.metadata(PACKAGE)
    requirements = map(Requirement, metadata.requires(PACKAGE) or ())
    ranges = {
        r.name.lower(): str(r.specifier) for r in requirements if "extra" not in str(r.marker)
    }
    python = ".".join(map(str, sys.version_info[:3]))
    checks = [
        version_check("python", python, str(own["Requires-Python"] or "")),
        fine(PACKAGE, str(own["Version"])),
    ]
    for name in DEPENDENCIES:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = None
        checks.append(version_check(name, installed, ranges.get(name, "")))
    return checks


def version_check(name: str, version: str | None, required_range: str) -> Check:
    """Whether a version is in a range such as `>=36,<37`; `version` is None if not installed."""
    if version is None:
        return problem(name, "not installed", _REINSTALL, ExitCode.FAILED)
    if lies_in(version, required_range):
        return fine(name, version)
    text = f"{version}; iqm-spec requires {required_range}"
    return problem(name, text, _REINSTALL, ExitCode.FAILED)


def lies_in(version: str, version_range: str) -> bool:
    """Whether a version is in a range such as `>=36,<37`."""
    return SpecifierSet(version_range).contains(version, prereleases=True)


# --- the results folder --------------------------------------------------------------------------


def folder_check(root: Path) -> Check:
    """Whether results can be written. Leaves no file behind, and creates no folder."""
    existing = next(path for path in (root, *root.absolute().parents) if path.exists())
    name, shown = "results folder", root.as_posix()
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        return problem(
            name,
            f"{shown} cannot be written: {error.strerror}",
            "choose another folder with --results, or make it writable",
            ExitCode.FAILED,
        )
    return fine(name, f"{shown} is writable" if existing == root else f"{shown} can be created")
