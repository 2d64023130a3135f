"""`iqm-spec init [FILE]`: a spec to start from, explained line by line."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.errors import JobFailed, Refused

TEMPLATE = """\
# yaml-language-server: $schema=experiment-v1.schema.json
# (help while you type: `iqm-spec schema > experiment-v1.schema.json` beside this file)
iqm_spec: 1
name: {name}
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


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("experiment.yaml"))
def command(file: Path) -> None:
    """Write a small spec to FILE (default: experiment.yaml); never over a file that exists."""
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in file.stem.lower()).strip("-._")
    text = TEMPLATE.format(name=name or "experiment")
    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError as error:
        raise Refused(f"{file.as_posix()} exists and is left alone") from error
    except OSError as error:
        raise JobFailed(f"{file.as_posix()} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {file.as_posix()}; now: iqm-spec run {file.as_posix()}")
