"""The layout of docs/architecture.md: rooms import what they say, heavy libraries wait."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tools.rooms import (
    FOUNDATIONS,
    PACKAGE,
    ROOMS,
    declared_foundations,
    declared_rooms,
    imported_names,
    imported_rooms,
    parsed,
)

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
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text()


def of_every_module(test: Callable[[Path], None]) -> Callable[[], None]:
    """One test for all modules: a test for each takes longer to count than to run."""

    def test_all() -> None:
        for path in MODULES:
            try:
                test(path)
            except AssertionError as error:
                error.add_note(str(path.relative_to(PACKAGE)))
                raise

    return test_all


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_what_its_docstring_says(name: str) -> None:
    assert declared_rooms(name) == imported_rooms(name), "`python -m tools.rooms --write`"


def test_foundations_import_only_those_before_them() -> None:
    order = declared_foundations()
    assert sorted(order) == FOUNDATIONS
    for place, name in enumerate(order):
        assert imported_rooms(name) <= set(order[:place]), name


def test_rooms_import_in_one_direction() -> None:
    graph = {name: imported_rooms(name) for name in (*ROOMS, *FOUNDATIONS)}
    list(TopologicalSorter(graph).static_order())  # CycleError names a circle


def test_the_page_lists_every_room_below_those_that_it_imports() -> None:
    listed = re.findall(r"^\| `(\w+)/`", PAGE, re.MULTILINE)
    assert sorted(listed) == ROOMS
    for place, name in enumerate(listed):
        above = {*listed[:place], *FOUNDATIONS}
        assert imported_rooms(name) <= above, name


def test_the_page_names_files_that_exist() -> None:
    root = PACKAGE.parent
    for name in re.findall(r"`([\w/]+\.(?:py|json|css|j2))`", PAGE):
        assert (PACKAGE / name).exists() or (root / name).exists(), name


@of_every_module
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    eager = {name for name, at_once in imported_names(path) if at_once}
    assert not {name for name in eager if name.split(".")[0] in HEAVY}


@of_every_module
def test_iqm_client_stands_behind_one_module(path: Path) -> None:
    if path == PACKAGE / "iqm_client.py":
        return
    vendor = {name for name, _ in imported_names(path) if name.split(".")[0] in ("iqm", "exa")}
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
