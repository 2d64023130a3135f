"""Figures of the code's structure: of the working tree, and beside it those of a git revision.

Run: `python -m tools.structure [REV]` prints a Markdown table and says what each figure counts.
`--places NAME` lists what a figure counted, as `file:line  text`, for the working tree.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from statistics import mean, median

from attrs import frozen
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGE = "iqm_spec"

STATE = frozenset({"header", "intent", "fields"})
"""Names of stored state: a plan's header, a job's intent, the fields of a run or a job."""

STAGES = frozenset({"aer", "mock", "hardware"})

FILLER = re.compile(
    "told|found|one|it|held|whole|wanted|heard|said|asked|given|seen|kept|some|here"
    "|apart|alone|everything"
)
"""Names that do not say what they hold."""

DELAY_NAME = re.compile(
    r"(^|_)(backoff|delay|pause|poll|interval|retry|retries|timeout|wait|patience)s?(_|$)"
)
"""A number bound to such a name decides how long something waits."""

DELAY_OWNERS = re.compile(r"Patience|Retry|Backoff")
"""In a class named so, every number that a field starts with decides a delay."""


@frozen
class Module:
    """A module of the package: its dotted name, its file inside the package, its text and tree."""

    name: str
    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The first folder or module under the package."""
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return len(self.text.splitlines())


@frozen
class Place:
    """A line that a figure counted."""

    path: str
    line: int
    text: str


@frozen
class Figure:
    """A figure, how it is written, what it counts, and the places that make it up."""

    name: str
    value: float
    counts: str
    places: tuple[Place, ...] = ()

    @property
    def written(self) -> str:
        """`1,234`, or `5.1` where the value is not whole."""
        return f"{self.value:,.0f}" if self.value == int(self.value) else f"{self.value:,.1f}"


def modules_of(tree: Path) -> list[Module]:
    """Modules of the package in a tree, sorted by name."""
    folder = tree / PACKAGE
    modules = []
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        parts = (PACKAGE, *inside.with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        modules.append(Module(name, inside.as_posix(), text, ast.parse(text)))
    return sorted(modules, key=lambda module: module.name)


def imports_of(module: Module, names: frozenset[str]) -> set[str]:
    """Modules among `names` that a module imports anywhere; not itself."""
    imported = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                imported.add(inner if inner in names else node.module)
    return (imported & names) - {module.name}


def size_figures(modules: Sequence[Module]) -> list[Figure]:
    """Files and their lengths."""
    lengths = [module.lines for module in modules]
    longest = max(modules, key=lambda module: module.lines)
    return [
        Figure("files", len(modules), f"Python files of {PACKAGE}/"),
        Figure("lines", sum(lengths), "their lines, blank lines and comments too"),
        Figure("median module", median(lengths), "lines of the middle module"),
        Figure(
            "longest module",
            longest.lines,
            "lines of the longest module",
            (Place(longest.path, 1, f"{longest.lines} lines"),),
        ),
    ]


def import_figures(modules: Sequence[Module]) -> list[Figure]:
    """Who imports whom."""
    names = frozenset(module.name for module in modules)
    imported = {module.name: imports_of(module, names) for module in modules}
    importers = Counter(name for targets in imported.values() for name in targets)
    single = [module for module in modules if importers[module.name] == 1]
    importing = {target: name for name, targets in imported.items() for target in targets}
    fan_out = mean(len(targets) for targets in imported.values())
    return [
        Figure(
            "modules with one importer",
            len(single),
            "modules that exactly one other module of the package imports, anywhere in it",
            tuple(Place(m.path, 1, f"imported by {importing[m.name]}") for m in single),
        ),
        Figure(
            "average fan-out",
            round(fan_out, 1),
            "other modules of the package that a module imports, on average",
        ),
    ]


def any_lines(modules: Sequence[Module]) -> Figure:
    """Lines of code that say `Any`."""
    places = []
    for module in modules:
        tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
        lines = {
            token.start[0]
            for token in tokens
            if token.type == tokenize.NAME and token.string == "Any"
        }
        places += [_place(module, line) for line in sorted(lines)]
    counts = "lines of code with the name Any, imports of it too; no comments, no docstrings"
    return Figure("lines with Any", len(places), counts, tuple(places))


def state_by_string(modules: Sequence[Module]) -> Figure:
    """Where stored state is read or written by a quoted key."""
    places = [
        _place(module, node)
        for module in modules
        for node in ast.walk(module.tree)
        if _reads_state_by_string(node)
    ]
    counts = (
        'x["key"], x.get("key"), x.pop("key"), x.setdefault("key") and "key" in x, where x is a '
        f"name or an attribute called {_listed(STATE)}"
    )
    return Figure("stored state by string", len(places), counts, tuple(places))


def _reads_state_by_string(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str())):
            pass
        case ast.Call(
            func=ast.Attribute(value=owner, attr="get" | "pop" | "setdefault"),
            args=[ast.Constant(value=str()), *_],
        ):
            pass
        case ast.Compare(
            left=ast.Constant(value=str()), ops=[ast.In() | ast.NotIn()], comparators=[owner]
        ):
            pass
        case _:
            return False
    return _last_name(owner) in STATE


def delays(modules: Sequence[Module]) -> list[Figure]:
    """Where it is decided how long the program waits before it goes on or tries again."""
    places = []
    for module in modules:
        if module.room in ("emulator", "circuits"):
            continue
        lines = {node.lineno for node in _delaying(module.tree)}
        places += [_place(module, line) for line in sorted(lines)]
    files = {place.path for place in places}
    counts = (
        "lines that call sleep(...) or .wait(seconds), bind a number to a name with backoff, "
        "delay, pause, poll, interval, retry, timeout, wait or patience, or start a field of a "
        "class named Retry..., Backoff... or Patience... with a number; without emulator/, which "
        "plays the server, and circuits/, where a delay is a gate"
    )
    return [
        Figure("places that decide a delay", len(places), counts, tuple(places)),
        Figure("modules that decide a delay", len(files), "modules with such a line"),
    ]


def _delaying(tree: ast.Module) -> Iterator[ast.stmt | ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function, args=arguments, keywords=keywords):
                called = _last_name(function)
                timed = bool(arguments) or any(k.arg == "timeout" for k in keywords)
                if called == "sleep" or (
                    called == "wait" and isinstance(function, ast.Attribute) and timed
                ):
                    yield node
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
                if _is_number(node.value) and any(DELAY_NAME.search(n.lower()) for n in names):
                    yield node
            case ast.ClassDef(name=name, body=body) if DELAY_OWNERS.search(name):
                for field in body:
                    if isinstance(field, ast.AnnAssign) and _is_number(field.value):
                        yield field


def _is_number(value: ast.expr | None) -> bool:
    """A number, a tuple of numbers, or what is computed of numbers alone."""
    if value is None:
        return False
    leaves = [node for node in ast.walk(value) if isinstance(node, ast.Constant | ast.Name)]
    return bool(leaves) and all(
        isinstance(leaf, ast.Constant)
        and isinstance(leaf.value, int | float)
        and not isinstance(leaf.value, bool)
        for leaf in leaves
    )


def stage_names(modules: Sequence[Module]) -> list[Figure]:
    """Where code outside `stages/` knows a stage by its name."""
    places = []
    for module in modules:
        if module.room == "stages":
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.Attribute(value=owner, attr=name) if name.lower() in STAGES:
                    named = _last_name(owner) == "Stage"
                case ast.Constant(value=str() as text):
                    named = text in STAGES
                case _:
                    named = False
            if named:
                places.append(_place(module, node))
    counts = 'Stage.AER, Stage.MOCK, Stage.HARDWARE, "aer", "mock" and "hardware" outside stages/'
    files = {place.path for place in places}
    return [
        Figure("stage names outside stages/", len(places), counts, tuple(places)),
        Figure("modules with stage names", len(files), "modules outside stages/ with such a name"),
    ]


def repeated_names(modules: Sequence[Module]) -> list[Figure]:
    """Names that stand for more than one class or module."""
    classes: dict[str, list[Place]] = {}
    stems: dict[str, list[Place]] = {}
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append(_place(module, node))
        stem = Path(module.path).stem
        if stem not in ("__init__", "__main__"):
            stems.setdefault(stem, []).append(Place(module.path, 1, f"{stem}.py"))

    def figure(name: str, places: Mapping[str, list[Place]], counts: str) -> Figure:
        repeated = {key: some for key, some in sorted(places.items()) if len(some) > 1}
        return Figure(
            name, len(repeated), counts, tuple(p for some in repeated.values() for p in some)
        )

    return [
        figure(
            "class names defined more than once",
            classes,
            "names of classes at the top of a module that another module defines too",
        ),
        figure(
            "module names used more than once",
            stems,
            "names of files that stand in more than one folder, but for __init__ and __main__",
        ),
    ]


def filler_bindings(modules: Sequence[Module]) -> Figure:
    """Variables and arguments whose names say nothing."""
    places = []
    for module in modules:
        for node in ast.walk(module.tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                    bound = FILLER.fullmatch(name) is not None
                case _:
                    bound = False
            if bound:
                places.append(_place(module, node))
    counts = f"variables, loop variables and arguments called {FILLER.pattern.replace('|', ', ')}"
    return Figure("bindings that are filler words", len(places), counts, tuple(places))


def private_functions(modules: Sequence[Module]) -> list[Figure]:
    """How much of the code is helpers of one module."""
    functions, private, once = 0, 0, []
    for module in modules:
        uses = Counter(
            name
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Name | ast.Attribute) and (name := _last_name(node))
        )
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            functions += 1
            if node.name.startswith("_") and not node.name.endswith("__"):
                private += 1
                if uses[node.name] == 1:
                    once.append(_place(module, node))
    share = 100 * private / functions if functions else 0.0
    return [
        Figure(
            "private functions, %",
            round(share, 1),
            "share of functions and methods whose names begin with one underscore",
        ),
        Figure(
            "private functions named once",
            len(once),
            "those that their module names at one place only, apart from their definition",
            tuple(once),
        ),
    ]


def required(tree: Path) -> list[Requirement]:
    """What the package of a tree requires without extras."""
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def install_figures(needs: Sequence[Requirement]) -> list[Figure]:
    """Sizes of what is installed where this runs, and of what `needs` takes of it."""
    sizes = installed_sizes()
    needed, missing = _closure(needs)
    largest = sorted(needed, key=lambda name: -sizes[name])
    note = f"; not installed here: {', '.join(sorted(missing))}" if missing else ""
    return [
        Figure("direct dependencies", len(needs), "requirements of pyproject.toml without extras"),
        Figure("packages needed", len(needed), f"these and what they require in turn{note}"),
        Figure(
            "installed size of these, MB",
            round(sum(sizes[name] for name in needed) / 1e6, 1),
            "their installed files, without compiled modules (*.pyc)",
            tuple(Place(name, 0, f"{sizes[name] / 1e6:.1f} MB") for name in largest),
        ),
        Figure(
            "installed size of the environment, MB",
            round(sum(sizes.values()) / 1e6, 1),
            "files of every package that is installed where this runs; the same for a revision",
        ),
    ]


@cache
def installed() -> Mapping[str, Distribution]:
    """Distributions by normalized name, without the package itself."""
    by_name = {str(canonicalize_name(d.metadata["Name"])): d for d in distributions()}
    return {name: d for name, d in by_name.items() if name != canonicalize_name(PACKAGE)}


@cache
def installed_sizes() -> Mapping[str, int]:
    """Bytes of the installed files of each distribution, without compiled modules."""
    sizes = {}
    for name, distribution in installed().items():
        files = {path for path in distribution.files or () if path.suffix != ".pyc"}
        located = [Path(str(distribution.locate_file(path))) for path in files]
        sizes[name] = sum(path.stat().st_size for path in located if path.is_file())
    return sizes


def _closure(needs: Sequence[Requirement]) -> tuple[set[str], set[str]]:
    """Names of installed packages that are needed, and of those that are not installed."""
    needed: set[str] = set()
    missing: set[str] = set()
    looked_up: set[tuple[str, str]] = set()
    waiting = [(need, "") for need in needs]
    while waiting:
        need, extra = waiting.pop()
        if need.marker is not None and not need.marker.evaluate({"extra": extra}):
            continue
        name = str(canonicalize_name(need.name))
        if name not in installed():
            missing.add(name)
            continue
        needed.add(name)
        for chosen in ("", *need.extras):
            if (name, chosen) not in looked_up:
                looked_up.add((name, chosen))
                lines = installed()[name].requires or []
                waiting += [(Requirement(line), chosen) for line in lines]
    return needed, missing


def measure(tree: Path) -> list[Figure]:
    """All figures of a tree that holds the package and its pyproject.toml."""
    modules = modules_of(tree)
    return [
        *size_figures(modules),
        *import_figures(modules),
        any_lines(modules),
        state_by_string(modules),
        *delays(modules),
        *stage_names(modules),
        *repeated_names(modules),
        filler_bindings(modules),
        *private_functions(modules),
        *install_figures(required(tree)),
    ]


def measure_revision(revision: str) -> list[Figure]:
    """The figures of a git revision, read from an archive of it in a temporary folder."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", revision, PACKAGE, "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        raise SystemExit(f"git archive {revision}: {archive.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        return measure(Path(folder))


def table(now: Sequence[Figure], before: Sequence[Figure] | None, revision: str | None) -> str:
    """Figures as a Markdown table, and below it what each counts."""
    if before is None:
        rows = [f"| {figure.name} | {figure.written} |" for figure in now]
        head = "| figure | working tree |\n|---|---:|"
    else:
        pairs = zip(now, before, strict=True)
        rows = [f"| {figure.name} | {old.written} | {figure.written} |" for figure, old in pairs]
        head = f"| figure | {revision} | working tree |\n|---|---:|---:|"
    notes = [f"- **{figure.name}**: {figure.counts}." for figure in now]
    return "\n".join([head, *rows, "", *notes])


def _place(module: Module, at: int | ast.AST) -> Place:
    line = at if isinstance(at, int) else int(getattr(at, "lineno", 1))
    return Place(module.path, line, module.text.splitlines()[line - 1].strip())


def _last_name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or the places of a figure."""
    parser = argparse.ArgumentParser(prog="python -m tools.structure", description=__doc__)
    parser.add_argument("revision", nargs="?", help="a git revision to compare with")
    parser.add_argument(
        "--places", metavar="NAME", help="list what the figure of this name counted"
    )
    options = parser.parse_args(arguments)
    now = measure(ROOT)
    if options.places:
        chosen = [figure for figure in now if figure.name == options.places]
        if not chosen:
            names = ", ".join(figure.name for figure in now if figure.places)
            raise SystemExit(f"no figure is called {options.places!r}; those with places: {names}")
        for place in chosen[0].places:
            where = f"{place.path}:{place.line}" if place.line else place.path
            print(f"{where}  {place.text}")
        return 0
    before = measure_revision(options.revision) if options.revision else None
    print(table(now, before, options.revision))
    return 0


if __name__ == "__main__":
    sys.exit(main())
