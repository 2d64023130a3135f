"""`iqm-spec cost`: fit, show and use time models."""

from __future__ import annotations

import click

from iqm_spec.cli.app import LazyGroup

SUBCOMMANDS = {
    "fit": "Fit a time model to measured jobs.",
    "predict": "Predict the QPU seconds of jobs.",
    "shots": "Compute the shots and credits that an error bar takes.",
    "show": "Show time models, and plot predicted against measured times.",
}
"""In the order of `--help`; each lives in `iqm_spec.cli.cost.<name>`."""


@click.group(
    cls=LazyGroup, package="iqm_spec.cli.cost", summaries=SUBCOMMANDS, no_args_is_help=True
)
def command() -> None:
    """Fit and use time models: how many QPU seconds a job takes, as a range.

    A model is fitted to measured jobs, in a table or a results folder. docs/cost-model.md explains
    how, and where a model does not apply.
    """
