"""Which rooms (folders of iqm_spec) import which: `python -m tools.rooms`; `--write` stores it.

The docstring of a room ends with a line `Imports: a, b, c.` that names the rooms and foundations it
imports; tests/test_architecture.py holds the code to it.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "iqm_spec"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
FOUNDATIONS = sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__"))

_IMPORTS = re.compile(r"^Imports: (.*?)\.$", re.DOTALL | re.MULTILINE)
_FOUNDATIONS = re.compile(r"^Foundations: (.*?)\.$", re.DOTALL | re.MULTILINE)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported_names(path: Path) -> tuple[tuple[str, bool], ...]:
    """Dotted names that a module imports, each with whether that happens on import."""
    tree = parsed(path)
    late = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.If)
        for node in ast.walk(outer)
    }
    names: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        at_once = id(node) not in late
        if isinstance(node, ast.Import):
            names += [(alias.name, at_once) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append((node.module, at_once))
            names += [(f"{node.module}.{alias.name}", at_once) for alias in node.names]
    return tuple(names)


def imported_rooms(name: str) -> set[str]:
    """Rooms and foundations that a room or a foundation imports, itself aside."""
    folder = PACKAGE / name
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    parts = (dotted.split(".") for path in paths for dotted, _ in imported_names(path))
    imported = {part[1] for part in parts if part[0] == "iqm_spec" and len(part) > 1}
    return (imported & {*ROOMS, *FOUNDATIONS}) - {name}


def declared_rooms(name: str) -> set[str] | None:
    """What the docstring of a room says that it imports; None where it does not say."""
    return _listed(_IMPORTS, PACKAGE / name / "__init__.py")


def declared_foundations() -> list[str]:
    """The foundations in the order of the package's docstring: each imports only those before."""
    match = _FOUNDATIONS.search(ast.get_docstring(parsed(PACKAGE / "__init__.py")) or "")
    return [] if match is None else re.findall(r"\w+", match[1])


def _listed(pattern: re.Pattern[str], path: Path) -> set[str] | None:
    match = pattern.search(ast.get_docstring(parsed(path)) or "")
    return None if match is None else set(re.findall(r"\w+", match[1]))


def _write(name: str) -> None:
    """Put what a room imports at the end of its docstring."""
    path = PACKAGE / name / "__init__.py"
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(parsed(path), clean=False)
    if docstring is None:
        raise SystemExit(f"{path} has no docstring")
    line = textwrap.fill(f"Imports: {', '.join(sorted(imported_rooms(name)))}.", 99)
    body = _IMPORTS.sub("", docstring).rstrip()
    path.write_text(text.replace(docstring, f"{body}\n\n{line}\n", 1), encoding="utf-8")


def main() -> None:
    """Print what each room imports, or write it to the rooms' docstrings."""
    for name in ROOMS:
        if "--write" in sys.argv[1:]:
            _write(name)
        else:
            print(f"{name}: {', '.join(sorted(imported_rooms(name)))}")


if __name__ == "__main__":
    main()
