"""Write docs/errors.md and docs/spec.md from the code table and the schema, and copy the schema.

python -m tools.make_reference          write them
python -m tools.make_reference --check  exit 1 if one of them is not up to date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from iqm_spec.errors import ExitCode
from iqm_spec.spec.codes import CODES, GROUPS
from iqm_spec.spec.phrases import describe_schema
from iqm_spec.spec.schema import field_schemas, resolve_reference, spec_schema

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "iqm_spec" / "spec" / "experiment-v1.schema.json"

_EXITS = {
    ExitCode.DONE: "done",
    ExitCode.USAGE: "the command line is invalid",
    ExitCode.SPEC: "the spec has errors; diagnostics say where",
    ExitCode.REFUSED: (
        "refused: budget, requirement, no consent, no credentials, limits, "
        "a certificate or proxy that does not work"
    ),
    ExitCode.FAILED: "the server or the simulator rejected or failed a job",
    ExitCode.UNREACHABLE: "the server cannot be reached; safe to resume",
    ExitCode.CORRUPT: "the results folder is corrupt",
    ExitCode.UNKNOWN: "the outcome of a submission is unknown",
    ExitCode.WAITING: "submitted and still waiting",
    ExitCode.BUG: "a bug of this program",
    ExitCode.INTERRUPTED: "Ctrl-C",
}


def errors_page() -> str:
    """docs/errors.md."""
    return "\n".join(_errors()) + "\n"


def _errors() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield "Made by `python -m tools.make_reference` from `iqm_spec/spec/codes.py`."
    yield ""
    yield "## Exit codes"
    yield ""
    yield "If several apply, the exit code is the first of 70, 7, 8, 130, 5, 6, 4, 9, 0."
    yield ""
    yield "| code | meaning |"
    yield "|---|---|"
    for code in ExitCode:
        yield f"| {code.value} | {_EXITS[code]} |"
    yield ""
    yield "## Errors in a spec"
    yield ""
    yield from _MISTAKES.strip().split("\n")
    for prefix, title in GROUPS.items():
        yield ""
        yield f"### {title}"
        for name, entry in CODES.items():
            if name.startswith(prefix):
                yield ""
                yield f"**{name}: {entry.title}.** {entry.text}"
                if entry.example:
                    yield ""
                    yield f"```yaml\n{entry.example}\n```"


def spec_page() -> str:
    """docs/spec.md."""
    return "\n".join(_spec()) + "\n"


def _spec() -> Iterator[str]:
    yield "# The spec file"
    yield ""
    yield "Made by `python -m tools.make_reference` from `schemas/experiment-v1.schema.json`."
    yield ""
    yield from _INTRODUCTION.strip().split("\n")
    yield from _table("Fields of a spec", "", field_schemas())
    for section in ("aer", "transpile", "options", "budget", "executor"):
        yield from _table(f"`{section}`", section, field_schemas(section))
    yield from _requirements()
    yield from _analyses()
    yield from _table("An entry of `circuits`", "circuits", field_schemas("circuits"))
    yield from _table("A block of `sweep`", "sweep", field_schemas("sweep"))
    yield ""
    yield "The values of an axis are a list of numbers, texts, true or false, or of flat lists of"
    yield "these, or one function with its arguments:"
    yield ""
    for name, schema in spec_schema()["$defs"]["value_function"]["properties"].items():
        yield f"- `{name}`: {schema['description']} `{json.dumps(schema['examples'][0])}`"


def _table(title: str, section: str, given: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    if section:
        described = spec_schema()["properties"].get(section, {})
        yield resolve_reference(described).get("description", "")
        yield ""
    yield "| field | value | default | meaning |"
    yield "|---|---|---|---|"
    needed = spec_schema()["then"]["required"] if not section else []
    for name, schema in given.items():
        default = "**required**" if name in needed else _default(schema)
        yield f"| `{name}` | {_cell(_value(schema))} | {default} | {_cell(schema['description'])} |"


def _requirements() -> Iterator[str]:
    yield ""
    yield "## `require`"
    yield ""
    yield field_schemas()["require"]["description"]
    yield ""
    for stage, schema in field_schemas("require").items():
        for name, inner in schema["properties"].items():
            bounds = "".join(f".{bound}" for bound in inner.get("properties", {}))
            yield f"- `require.{stage}.{name}{bounds}`: {inner['description']}"


def _analyses() -> Iterator[str]:
    yield ""
    yield "## `analysis`"
    yield ""
    yield field_schemas()["analysis"]["description"] + " See [analysis.md](analysis.md)."
    yield ""
    for name, schema in field_schemas("analysis").items():
        yield f"- `analysis.{name}`: {schema['description']}"
        for option, inner in schema.get("properties", {}).items():
            value = _default(resolve_reference(inner))
            default = f" Default: {value}." if value else ""
            yield f"  - `{option}`: {resolve_reference(inner)['description']}{default}"


def _value(schema: Mapping[str, Any]) -> str:
    if "x-words" in schema:
        return str(schema["x-words"])
    if "x-expected" in schema:
        return str(schema["x-expected"])
    branches = schema.get("anyOf")
    if not branches:
        return describe_schema(schema)
    templated = any(branch.get("$ref") == "#/$defs/template" for branch in branches)
    return f"{describe_schema(branches[0])}{', or `${axis}`' if templated else ''}"


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_MISTAKES = """
Each error is printed as `file:line:column: error[CODE]: message`, with the source line and a hint.
`--json` returns the same as data. A command reports all errors of a file at once. An error in a
`--set PATH=VALUE` has the file `--set`; its line is the number of the override.
"""

_INTRODUCTION = """
A spec is one YAML or TOML file. With this first line, editors check and complete it:

```yaml
# yaml-language-server: $schema=../schemas/experiment-v1.schema.json
```

## Axes

`"${axis}"` marks a value that changes from point to point. Alone, it keeps the type of the axis's
value; inside a longer text, it becomes text. `$${` is a literal `${`. A circuit runs at the
distinct values of the axes that it uses. An axis that nothing uses is an error.

`target: "${machine}"` runs the same circuits on several machines. The axis is like any other:
`sweep: [{grid: {machine: [garnet, sirius]}}]`, as in `experiments/qft.yaml`.

A group of a `zip` may be `{from: data.csv}`. The columns of a .csv, .json or .npz file are axes:
all of them, or those of `columns: [theta, phi]`, or with other names `columns: {theta: t_col}`. CSV
has a first line of names; a value without quotes has the type that it has in a spec (a number,
true, false, a text), a value in double quotes is text. JSON maps names to lists, or lists mappings.
Arrays of an NPZ file have one dimension, or two for an axis of lists. The points are the same as
for values in the spec. The spec's digest includes the file's sha256, not its path. The files are
stored with the run.

## Inheritance

`extends: base.yaml` inherits the fields of another YAML or TOML file. Mappings merge field by
field; a list, a value or null of this file replaces that of the base. The base is in the spec's
folder or below, has `iqm_spec: 1`, too, and extends nothing itself. It need not be a complete spec,
and provides the `name` if this file has none. Its paths are relative to it. The digest is that of
the same spec in one file. `--set` is applied after the merge.

## Overrides

`--set PATH=VALUE` replaces one field: `--set shots=2000`, `--set aer.noise=ideal`,
`--set circuits.0.args.num_qubits=4`, or by the circuit's name `--set circuits.ghz.shots=100`. The
value is read as YAML and checked like the file.

## Strict reading

The file is read strictly, so that every reader reads the same: no duplicate keys, no `010`, no
`on`, no anchors, no dates ([errors.md](errors.md), S1). `1000`, `1e3` and `1000.0` are the same
value. YAML and TOML of the same spec have the same digest. Comments, the order of keys and
`description` do not change it.

The URLs of older guides are accepted as `target` and rewritten with a notice:

| target | read as |
|---|---|
| `https://cocos.resonance.meetiqm.com/garnet` | `target: garnet` |
| the same with `:timeslot`, `garnet:timeslot` | `target: garnet`, `mode: timeslot` |
| the same with `:mock`, `garnet:mock` | `target: garnet`, stages aer and mock at most |

A URL's host never selects the server; `--server` and IQM_SERVER_URL do.
"""


def pages() -> dict[Path, str]:
    """What this tool keeps up to date, by path."""
    return {
        ROOT / "docs" / "errors.md": errors_page(),
        ROOT / "docs" / "spec.md": spec_page(),
        ROOT / "schemas" / SCHEMA.name: SCHEMA.read_text(encoding="utf-8"),
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or only compare them."""
    stale = [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(path.relative_to(ROOT))
        if "--check" not in arguments:
            path.write_text(pages()[path], encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
