"""Commands that have nothing to compute load nothing that computes: seen in `sys.modules`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HEAVY = ("qiskit", "qiskit_aer", "iqm", "pandas", "scipy", "xarray", "pydantic", "distributed")
SPEC = """\
iqm_spec: 1
name: one
target: garnet
stages: [aer]
circuits:
  - generator: hardware_efficient
    args: {num_qubits: 2, angles: "${angle}"}
sweep:
  - grid: {angle: {linspace: [0.1, 1.0, 3]}}
"""


def loaded(folder: Path, *arguments: str) -> str:
    """Which heavy packages a command has loaded when it ends; it must succeed."""
    code = (
        "import sys\n"
        "from iqm_spec.cli.app import run\n"
        f"code = run({list(arguments)!r})\n"
        "seen = {name.split('.')[0] for name in sys.modules}\n"
        f"print(code, sorted(seen & set({HEAVY!r})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("startup")
    (path / "one.yaml").write_text(SPEC)
    assert "qiskit_aer" in loaded(path, "run", "one.yaml")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("run", "--help"),
        ("schema",),
        ("validate", "one.yaml"),
        ("run", "one.yaml"),
        ("run", "one.yaml", "--dry-run"),
        ("resume", "latest"),
        ("status",),
        ("status", "latest"),
        ("ledger",),
        ("export", "latest"),
        ("verify",),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded(folder: Path, arguments: tuple[str, ...]) -> None:
    assert loaded(folder, *arguments) == "0 []"


def test_a_dry_run_at_a_server_loads_no_iqm_client(folder: Path) -> None:
    """What is only read from a server is asked for without it."""
    spec = SPEC.replace("stages: [aer]", "stages: [aer, mock]").replace("name: one", "name: two")
    (folder / "two.yaml").write_text(spec)
    seen = loaded(folder, "run", "two.yaml", "--dry-run", "--server", "emulator")
    assert "'iqm'" not in seen
    assert "pydantic" not in seen
