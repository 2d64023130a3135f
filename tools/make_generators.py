"""Write docs/generators.md from the registry of generators.

python -m tools.make_generators          write it
python -m tools.make_generators --check  exit 1 where it is not up to date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from iqm_spec.circuits import LARGEST_FILE, REQUIRED, Generator, Parameter
from iqm_spec.circuits.circuit_files import MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.generator import MOST_GATES
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.qpy import VERSIONS as QPY

PAGE = Path(__file__).parents[1] / "docs" / "generators.md"

_KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "text": "text",
    "bits": "bits in quotes",
    "ints": "list of whole numbers",
    "floats": "number, or list of numbers",
    "texts": "bits in quotes, or a list of them",
    "edges": "list of pairs",
    "any": "anything",
}

_HEAD = f"""\
# Generators

Made by `python -m tools.make_generators` from `iqm_spec/circuits/generators/`.

```yaml
circuits:
  - generator: ghz
    args: {{num_qubits: "${{n}}"}}
```

Every circuit measures into one classical register `c`, at its end. Bitstrings are written as
Qiskit prints them, qubit 0 last, and in quotes. Angles are in radians. Random circuits have their
own `seed` (the spec's `seed` is only for the simulation). A circuit depends only on its arguments;
`random_clifford` and `quantum_volume`, which Qiskit draws, also depend on Qiskit's version. A
circuit has at most {MOST_GATES:,} gates.

Other generators:

- `mqt:NAME` is [MQT Bench](https://mqt.readthedocs.io/projects/bench/)'s circuit of that name at
  its algorithm level, with `num_qubits` and the arguments of its function:
  `pip install 'iqm-spec[mqt]'`.
- `python:package.module:function` calls your function with the `args`; it returns a measured
  `QuantumCircuit`. The module runs only with `--allow-code package.module`. The sha256 of the
  module's source is part of the circuit's identity: an edit makes it another circuit. Modules that
  it imports are not part of it.
- An installed package provides generators in the entry-point group `iqm_spec.generators`: each
  names an `iqm_spec.circuits.Generator`, or a function as above. The package's version is part of
  the circuit's identity.

Circuits also come from files: `qasm:` names an OpenQASM 2 or 3 file, `qpy:` a QPY file of one
circuit (versions {QPY.start} to {QPY.stop - 1}), `stim:` a Stim file ([decoding.md](decoding.md)).
They are below the spec's folder, have at most {LARGEST_FILE // 2**20} MiB, {MOST_BITS:,} qubits and
{MOST_OPERATIONS:,} operations with their gates expanded, and include only `qelib1.inc` or
`stdgates.inc`. `parameters` binds free parameters of a QPY file, and `input float` and
`input angle` of OpenQASM 3. OpenQASM 3 is read slowly, 20,000 gates in ten seconds, but only once
per sweep.

A gate that a file defines is what its body says, even if Qiskit has another gate of that name. In
OpenQASM 3, everything that is known before the circuit runs is evaluated: `const` and numeric
variables, `for` loops over ranges and sets, `while` and `switch` on numbers, `def` subroutines
(inlined; they return a measurement, or bits that they declare), `let` aliases, index sets and
slices, functions of numbers. A classical bit that is measured several times has the last outcome.
"""


def page() -> str:
    """docs/generators.md."""
    return _HEAD + "".join(f"\n{section}" for section in map(_section, BUILT_IN.values()))


def _section(generator: Generator) -> str:
    return "\n".join(_lines(generator)) + "\n"


def _lines(generator: Generator) -> Iterator[str]:
    yield f"## {generator.name}"
    yield ""
    yield generator.summary
    yield ""
    yield "| argument | value | default | meaning |"
    yield "|---|---|---|---|"
    for parameter in generator.parameters:
        cells = (f"`{parameter.name}`", _value(parameter), _default(parameter), parameter.doc)
        yield f"| {' | '.join(cells)} |"
    yield ""
    example = json.dumps(dict(generator.example))
    yield f"```yaml\n- generator: {generator.name}\n  args: {example}\n```"


def _value(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    if low is None or high is None:
        return _KINDS[parameter.kind]
    return f"{_KINDS[parameter.kind]}, {low} to {high}"


def _default(parameter: Parameter) -> str:
    if parameter.default is REQUIRED:
        return "required"
    return (
        "" if parameter.default is None else f"`{json.dumps(parameter.default)}`".replace('"', "")
    )


def main() -> int:
    """Write the page, or tell whether it is up to date."""
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text() == page() else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
