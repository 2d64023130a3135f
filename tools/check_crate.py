"""Validates archives of the experiments' runs with the public validator of RO-Crates.

The validator (roc-validator) has an environment of its own, .venv-crate: it does not go together
with what this project pins. It asks the web for the RO-Crate context once, and keeps it there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
VALIDATOR = ROOT / ".venv-crate" / "bin" / "rocrate-validator"
CACHE = ROOT / ".venv-crate" / "http-cache"
ARCHIVES = ROOT / "experiments" / "archives"
PROFILES = ("ro-crate-1.1", "process-run-crate", "workflow-run-crate")
RUNS = ("ghz", "bell", "rabi")
AUTHOR = "Carberry, Josiah <https://orcid.org/0000-0002-1825-0097>"
"""The person that ORCID made up for examples."""


def archive(run: str, results: Path, target: Path) -> None:
    """Write the archive of a stored run of an experiment."""
    asked = ["archive", run, "--results", str(results), "-o", str(target)]
    told = ["--license", "CC-BY-4.0", "--author", AUTHOR, "--agent", AUTHOR]
    subprocess.run([sys.executable, "-m", "iqm_spec", *asked, *told], check=True)


def invalid(crate: Path, profile: str, severity: str = "required") -> str:
    """What the validator says against an archive; empty where it is valid."""
    command = [str(VALIDATOR), "-y", "--disable-color", "validate", "-p", profile, "-l", severity]
    command += ["--no-paging", "-v", "--cache-path", str(CACHE), str(crate)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or "the validator failed"


def main() -> int:
    """Validate; the exit code tells whether all were valid."""
    if not VALIDATOR.exists():
        print("there is no .venv-crate: `make crate-check` makes it", file=sys.stderr)
        return 2
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        shutil.copytree(ARCHIVES, results)
        for run in RUNS:
            crate = Path(folder) / f"{run}.zip"
            archive(run, results, crate)
            for profile in PROFILES:
                told = invalid(crate, profile)
                bad += bool(told)
                print(f"{run}: {profile}: {'invalid' if told else 'valid'}\n{told}", end="")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
