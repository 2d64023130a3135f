"""`iqm-spec cost`: time models, from measured jobs to predictions and pictures."""

from __future__ import annotations

import click

from iqm_spec.cli.app import LazyGroup

SUBCOMMANDS = {
    "fit": "Fit a time model to measured jobs.",
    "predict": "Predict the QPU seconds of jobs.",
    "shots": "Tell the shots and credits that an error bar asks for.",
    "show": "Show time models, and predicted against measured as a picture.",
}
"""In the order of `--help`; each lives in `iqm_spec.cli.cost.<name>`."""


@click.group(
    cls=LazyGroup, package="iqm_spec.cli.cost", summaries=SUBCOMMANDS, no_args_is_help=True
)
def command() -> None:
    """Fit and use time models: how many QPU seconds a job takes, as a range.

    A model comes from measured jobs, in a table or a results folder; how it is made and where it
    does not apply is in docs/cost-model.md.
    """
