"""What `doctor` finds out on this machine: versions, the results folder; and how findings add up.

What it asks of a server is in `doctor_server`, what it makes of a machine in `doctor_machine`.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from attrs import evolve, frozen

from iqm_spec.errors import MOST_URGENT_FIRST, ExitCode
from iqm_spec.json_types import Json

PACKAGE = "iqm-spec"
ASKED_FOR = ("iqm-client", "qiskit", "qiskit-aer")
"""Packages whose versions decide what works."""

_RENEW = "make the environment again: `pip install --force-reinstall iqm-spec`"


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@frozen
class Check:
    """One thing that was looked at: what was found, and in `hint` what to do about it.

    `code` is the exit code that a problem stands for; nothing else has one.
    """

    name: str
    status: Status
    found: str
    hint: str = ""
    code: ExitCode = ExitCode.DONE

    def to_json(self) -> dict[str, Json]:
        """The check's entry in the answer of `doctor --json`."""
        return {
            "name": self.name,
            "status": self.status.value,
            "found": self.found,
            "hint": self.hint,
        }

    @property
    def softened(self) -> Check:
        """The check where what it looked at is not needed: a problem is a warning."""
        if self.status is not Status.PROBLEM:
            return self
        return evolve(self, status=Status.WARNING, code=ExitCode.DONE)


def fine(name: str, found: str, hint: str = "") -> Check:
    """A check that ended well."""
    return Check(name, Status.OK, found, hint)


def warning(name: str, found: str, hint: str) -> Check:
    """A check whose finding may matter."""
    return Check(name, Status.WARNING, found, hint)


def problem(name: str, found: str, hint: str, code: ExitCode = ExitCode.REFUSED) -> Check:
    """A check whose finding would end a run with `code`."""
    return Check(name, Status.PROBLEM, found, hint, code)


def unknown(name: str, found: str, hint: str = "") -> Check:
    """A check that nothing could be found out of."""
    return Check(name, Status.UNKNOWN, found, hint)


def exit_code(checks: Iterable[Check]) -> ExitCode:
    """Of all problems, the one that is told first: that of the spec, then as everywhere."""
    codes = {check.code for check in checks}
    order = (ExitCode.SPEC, *MOST_URGENT_FIRST)
    return next((code for code in order if code in codes), ExitCode.DONE)


# --- versions ------------------------------------------------------------------------------------


def environment_checks() -> list[Check]:
    """Python and the packages that matter, against what this version of iqm-spec asks for.

    Only what is written of the packages is read; none is imported.
    """
    own = metadata.metadata(PACKAGE)
    ranges = required(metadata.requires(PACKAGE) or ())
    python = ".".join(map(str, sys.version_info[:3]))
    return [
        version_check("python", python, str(own["Requires-Python"] or "")),
        fine(PACKAGE, str(own["Version"])),
        *(version_check(name, _installed(name), ranges.get(name, "")) for name in ASKED_FOR),
    ]


def required(requirements: Iterable[str]) -> dict[str, str]:
    """By package, the versions that some requirements ask for, those of extras left out."""
    found = {}
    for text in requirements:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)(;.*)?\Z", text)
        if match and "extra" not in (match[3] or ""):
            found[match[1].lower()] = match[2].strip(" ()")
    return found


def version_check(name: str, version: str | None, wanted: str) -> Check:
    """Whether a version lies in a range such as `>=36,<37`; None: it is not installed."""
    if version is None:
        return problem(name, "not installed", _RENEW, ExitCode.FAILED)
    if lies_in(version, wanted):
        return fine(name, version)
    told = f"{version}; iqm-spec is made for {wanted}"
    return problem(name, told, _RENEW, ExitCode.FAILED)


def lies_in(version: str, wanted: str) -> bool:
    """Whether a version is in a range of `>=`, `>`, `<=`, `<`, `==` and `!=`, parts by commas."""
    ours = _numbers(version)
    for part in filter(None, (text.strip() for text in wanted.split(","))):
        match = re.fullmatch(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)", part)
        if match is None:
            continue
        theirs = _numbers(match[2])
        fits: Mapping[str, bool] = {
            ">=": ours >= theirs,
            ">": ours > theirs,
            "<=": ours <= theirs,
            "<": ours < theirs,
            "==": ours == theirs,
            "!=": ours != theirs,
        }
        if not fits[match[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """The release of a version without trailing zeros: 36.0.0 is 36."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


# --- the results folder --------------------------------------------------------------------------


def folder_check(root: Path) -> Check:
    """Whether results can be written; nothing is left behind, and no folder is made."""
    there = next(path for path in (root, *root.absolute().parents) if path.exists())
    name, shown = "results folder", root.as_posix()
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        return problem(
            name,
            f"{shown} cannot be written: {error.strerror}",
            "name another with --results, or make it writable",
            ExitCode.FAILED,
        )
    return fine(name, f"{shown} is writable" if there == root else f"{shown} can be made")
