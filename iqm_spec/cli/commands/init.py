"""`iqm-spec init [FILE]`: write a spec to start from, with comments."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.diagnostics import printable
from iqm_spec.errors import JobFailed, Refused, UsageError

YAML = """\
# yaml-language-server: $schema=experiment-v1.schema.json
# (help while you type: `iqm-spec schema > experiment-v1.schema.json` beside this file)
iqm_spec: 1
name: "{name}"
description: What this experiment is to show
target: garnet               # garnet, emerald, sirius, deneb, or an alias that your server lists
stages: [aer]                # later: [aer, mock, hardware]
shots: 1000
seed: 7                      # of the simulation; the same seed gives the same counts

circuits:
  - generator: ghz           # or `qasm: path/to/circuit.qasm`
    args: {{num_qubits: "${{n}}"}}

sweep:
  - grid: {{n: [2, 3, 4]}}     # one point per value; several axes multiply

aer: {{noise: device}}         # device: the machine's error profile; ideal: none
require:
  aer: {{hellinger_fidelity: {{min: 0.5}}}}   # relative to a perfect device at these shots
"""

TOML = """\
#:schema experiment-v1.schema.json
# (help while you type: `iqm-spec schema > experiment-v1.schema.json` beside this file)
iqm_spec = 1
name = "{name}"
description = "What this experiment is to show"
target = "garnet"             # garnet, emerald, sirius, deneb, or an alias that your server lists
stages = ["aer"]              # later: ["aer", "mock", "hardware"]
shots = 1000
seed = 7                      # of the simulation; the same seed gives the same counts

[[circuits]]
generator = "ghz"             # or qasm = "path/to/circuit.qasm"
args = {{num_qubits = "${{n}}"}}

[[sweep]]
grid = {{n = [2, 3, 4]}}        # one point per value; several axes multiply

[aer]
noise = "device"              # device: the machine's error profile; ideal: none

[require.aer]
hellinger_fidelity = {{min = 0.5}}   # relative to a perfect device at these shots
"""

TEMPLATES = {".yaml": YAML, ".yml": YAML, ".toml": TOML}
"""The spec to write, by the suffix of the file's name."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("experiment.yaml"))
def command(file: Path) -> None:
    """Write a small spec to FILE (default: experiment.yaml). Never overwrites a file.

    Writes YAML if FILE ends in .yaml or .yml, TOML if it ends in .toml.
    """
    path = printable(file.as_posix())
    template = TEMPLATES.get(file.suffix)
    if template is None:
        raise UsageError(
            f"{path}: a spec's file name ends in .yaml, .yml or .toml",
            hint="`iqm-spec init experiment.yaml`",
        )
    try:
        _write(file, template.format(name=_name(file)))
    except FileExistsError as error:
        raise Refused(f"{path} exists already and is not overwritten") from error
    except OSError as error:
        raise JobFailed(f"{path} cannot be written: {error.strerror}", code="disk") from error
    click.echo(f"wrote {path}; now: iqm-spec run {path}")


def _write(file: Path, text: str) -> None:
    """Write a new file completely, or leave none."""
    with file.open("x", encoding="utf-8") as handle:
        try:
            handle.write(text)
            handle.flush()
        except OSError:
            file.unlink(missing_ok=True)
            raise


def _name(file: Path) -> str:
    """A spec's name from a file's: lower-case ASCII letters, digits and `._-`."""
    stem = file.stem.lower()
    valid = (c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in stem)
    return "".join(valid)[:64].strip("-._") or "experiment"
