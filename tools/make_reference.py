"""Write docs/errors.md and docs/spec.md from the code table and the schema, and copy the schema.

python -m tools.make_reference          write them
python -m tools.make_reference --check  exit 1 where one of them is not up to date
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
    ExitCode.USAGE: "the command line cannot be understood",
    ExitCode.SPEC: "the spec is wrong; diagnostics say where",
    ExitCode.REFUSED: (
        "refused: budget, requirement, no consent, no credentials, limits, "
        "a certificate or proxy that has to be mended"
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
    yield "Where several apply, the first of 70, 7, 8, 130, 5, 6, 4, 9, 0."
    yield ""
    yield "| code | meaning |"
    yield "|---|---|"
    for code in ExitCode:
        yield f"| {code.value} | {_EXITS[code]} |"
    yield ""
    yield "## Mistakes in a spec"
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
    yield from _table("The whole spec", "", field_schemas())
    for section in ("aer", "transpile", "options", "budget", "executor"):
        yield from _table(f"`{section}`", section, field_schemas(section))
    yield from _requirements()
    yield from _analyses()
    yield from _table("An entry of `circuits`", "circuits", field_schemas("circuits"))
    yield from _table("A block of `sweep`", "sweep", field_schemas("sweep"))
    yield ""
    yield "Values of an axis: a list of numbers, texts, true or false, or of flat lists of these;"
    yield "or one function with its arguments:"
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
        default = "**needed**" if name in needed else _default(schema)
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
    yield field_schemas()["analysis"]["description"] + " [analysis.md](analysis.md) tells how."
    yield ""
    for name, schema in field_schemas("analysis").items():
        yield f"- `analysis.{name}`: {schema['description']}"
        for option, inner in schema.get("properties", {}).items():
            told = _default(resolve_reference(inner))
            default = f" Default: {told}." if told else ""
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
Each is told as `file:line:column: error[CODE]: message`, with the source line and a hint; `--json`
gives the same as data. All mistakes of a file are told in one run. A mistake in a
`--set PATH=VALUE` has the file `--set`; its line counts the overrides.
"""

_INTRODUCTION = """
A spec is one YAML or TOML file. With this first line editors check and complete it:

```yaml
# yaml-language-server: $schema=../schemas/experiment-v1.schema.json
```

`"${axis}"` stands wherever a value may change from point to point. Alone in its text it keeps the
type of the axis's value; inside a longer text it is text; `$${` is a literal `${`. A circuit runs
at the distinct values of the axes it uses, and an axis that nothing uses is an error.

The file is read strictly, so that every reader reads the same: no duplicate keys, no `010`, no
`on`, no anchors, no dates ([errors.md](errors.md), S1). `1000`, `1e3` and `1000.0` are one value.
YAML and TOML of the same spec have the same digest, and no comment, order of keys or
`description` moves it.

`target: "${machine}"` runs the same circuits on several machines: an axis as any other,
`sweep: [{grid: {machine: [garnet, sirius]}}]`, as in `experiments/qft.yaml`.

`extends: base.yaml` puts the fields of another YAML or TOML file below this one's. Mappings merge
field by field; a list, a value or null of this file replaces the base's. The base lies in the
spec's folder or below, names `iqm_spec: 1` too, and extends nothing itself; it need not be a whole
spec, and gives a `name` where this file has none. Paths in it are relative to it. The spec means
what it would mean in one file: the digest is the same. `--set` comes after the merge.

A group of a `zip` may be `{from: data.csv}`: the columns of a .csv, .json or .npz file are axes,
all of them or those of `columns: [theta, phi]`, under other names with `columns: {theta: t_col}`.
CSV has a line of names first; a value without quotes is what it is in a spec (a number, true,
false, a text), in double quotes it is text. JSON maps names to lists, or lists mappings. Arrays of
an NPZ file have one dimension, or two for an axis of lists. Points are those of values written
here; the spec's digest holds the file's sha256, and not its path. The files are kept with the run.

`--set PATH=VALUE` replaces one field: `--set shots=2000`, `--set aer.noise=ideal`,
`--set circuits.0.args.num_qubits=4`, or by the circuit's name `--set circuits.ghz.shots=100`. The
value is read as YAML and checked like the file.

The URLs of older guides are understood as `target` and rewritten with a notice:

| written | read as |
|---|---|
| `https://cocos.resonance.meetiqm.com/garnet` | `target: garnet` |
| the same with `:timeslot`, `garnet:timeslot` | `target: garnet`, `mode: timeslot` |
| the same with `:mock`, `garnet:mock` | `target: garnet`, stages aer and mock at most |

A URL's host never chooses the server; `--server` and IQM_SERVER_URL do.
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
