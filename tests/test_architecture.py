"""The layout that docs/architecture.md promises: imports go down only, heavy ones wait."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import iqm_spec

PACKAGE = Path(iqm_spec.__file__).parent

LAYERS = [
    {"json_types", "version"},
    {"canonical", "diagnostics", "cache"},
    {"errors", "memory"},
    {"model", "iqm_client"},
    {"native"},
    {"source", "targets", "analysis", "store"},
    {"circuits", "server"},
    {"transpile"},
    {"spec", "crosscheck"},
    {"plan"},
    {"cost"},
    {"stages"},
    {"emulator"},
    {"engine"},
    {"results"},
    {"importing", "doctor"},
    {"papers"},
    {"study"},
    {"replay", "report"},
    {"archive", "api"},
    {"cli"},
]
"""Rooms from the foundations up; a room imports itself and what stands above it in this list."""

HEAVY = {
    "qiskit",
    "qiskit_aer",
    "iqm",
    "exa",
    "pandas",
    "scipy",
    "mqt",
    "dask",
    "matplotlib",
    "distributed",
    "starlette",
    "uvicorn",
    "pydantic",
    "rocrate",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def of_every_module(test: Callable[[Path], None]) -> Callable[[], None]:
    """One test for all modules: a test for each takes longer to count than to run."""

    def whole() -> None:
        for path in MODULES:
            try:
                test(path)
            except AssertionError as error:
                error.add_note(str(path.relative_to(PACKAGE)))
                raise

    return whole


def room(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "iqm_spec" and len(parts) > 1 else None


def level(name: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if name in layer)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Modules that a file imports, each with whether it does so when it is itself imported."""
    tree = parsed(path)
    lazy = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.If)
        for node in ast.walk(outer)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in lazy) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found += [(name, id(node) not in lazy) for name in names]
    return found


@of_every_module
def test_imports_go_down_only(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    own = relative.parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    for name, _ in imports(path):
        other = room(name)
        if other and any((PACKAGE / name).exists() for name in (other, f"{other}.py")):
            assert other == own or level(other) < level(own), f"{relative} imports {name}"


@of_every_module
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    eager = {name for name, at_once in imports(path) if at_once}
    assert not {name for name in eager if name.split(".")[0] in HEAVY}


@of_every_module
def test_iqm_client_stands_behind_one_module(path: Path) -> None:
    if path == PACKAGE / "iqm_client.py":
        return
    vendor = {name for name, _ in imports(path) if name.split(".")[0] in ("iqm", "exa")}
    assert not vendor, "import it from iqm_spec.iqm_client"


@of_every_module
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if path.is_relative_to(PACKAGE / "cli"):
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("print", "sys.exit", "exit")


def test_importing_every_room_stays_light() -> None:
    names = [
        ".".join(("iqm_spec", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in MODULES
        if path.name != "__main__.py"
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        f"print(sorted({HEAVY!r} & {{name.split('.')[0] for name in sys.modules}}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
