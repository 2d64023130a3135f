"""`iqm-spec schema`: print the JSON Schema of the spec language, for editors and other tools."""

from __future__ import annotations

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of specs."""
    from iqm_spec.spec.schema import spec_schema

    output.print_json(spec_schema())
