"""`iqm-spec justify SPEC|RUN`: write a request for credits, or with `--closeout` a usage report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from iqm_spec.cli import output
from iqm_spec.cli.files import write_text
from iqm_spec.cli.options import (
    CostFlags,
    cost_flags,
    model_option,
    price_option,
    set_option,
    slot_option,
    spec_at_server,
)
from iqm_spec.diagnostics import printable
from iqm_spec.engine.prepare import UserSpec, prepare_run
from iqm_spec.engine.run import plan_of, preview_run
from iqm_spec.engine.saved import load_run
from iqm_spec.engine.session import requested_server_id, session_of
from iqm_spec.errors import Refused, UsageError
from iqm_spec.stages.interface import RunOptions
from iqm_spec.stages.registry import STAGES
from iqm_spec.stages.server.tariff import CostOptions
from iqm_spec.store import Store
from iqm_spec.store.structure import to_json


@frozen
class _Paper:
    """A paper in Markdown."""

    kind: str
    title: str
    markdown: str
    summary: Mapping[str, Any]
    """Entries of the answer of `--json`."""


@click.command()
@click.argument("what", metavar="SPEC|RUN")
@click.option(
    "--closeout", is_flag=True, help="Write the usage report of RUN instead of a request."
)
@click.option(
    "-o", "--output", "outputs", multiple=True, type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.md or FILE.html; repeatable. Default: Markdown on stdout.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@set_option
@cost_flags(price_option, model_option, slot_option)
@spec_at_server
def command(
    what: str,
    closeout: bool,
    outputs: Sequence[Path],
    force: bool,
    overrides: Sequence[str],
    costs: CostFlags,
    allowed_code: Sequence[str],
    server: str | None,
    results: Path,
    as_json: bool,
) -> int:
    """Write a request for credits; what only you can fill in is marked as a blank.

    Contains the circuits, shots and their statistical errors, jobs, QPU seconds, credits with their
    price and its source, results of the Aer and mock stages, and earlier spending. SPEC is a file.
    For --closeout, RUN is a run's id, a unique prefix of it, a spec's name, or `latest`. Nothing is
    submitted.
    """
    from iqm_spec.allocation.rendering import to_html

    for path in outputs:
        if path.suffix not in (".md", ".html"):
            raise UsageError(f"{path.name}: papers are written as .md or .html")
        if path.is_file() and not force:
            raise Refused(
                f"{printable(path.as_posix())} exists already and may have been filled in",
                hint="name another file, or overwrite this one with --force",
                code="refused.exists",
            )
    store = Store(results)
    if closeout:
        paper = _closeout(what, store)
    else:
        user_spec = UserSpec(Path(what), overrides, allowed_code)
        paper = _request(user_spec, costs.read(), store, server, results)
    for path in outputs:
        is_html = path.suffix == ".html"
        write_text(path, to_html(paper.markdown, paper.title) if is_html else paper.markdown)
    if as_json:
        files = [path.as_posix() for path in outputs]
        answer = {"kind": paper.kind, **paper.summary, "files": files, "markdown": paper.markdown}
        output.answer(answer)
    elif not outputs:
        click.echo(paper.markdown, nl=False)
    return 0


def _request(
    user_spec: UserSpec, options: CostOptions, store: Store, server: str | None, results: Path
) -> _Paper:
    from iqm_spec.allocation.papers import request_facts
    from iqm_spec.allocation.rendering import to_markdown

    assert isinstance(user_spec.path, Path)  # noqa: S101 - the command line names files
    if not user_spec.path.exists():
        raise UsageError(
            f"no spec at {user_spec.path.as_posix()}",
            hint="a request needs a spec's file; for the usage report of a run, add --closeout",
        )
    with session_of(server, results, keep=False) as session:
        run = prepare_run(
            user_spec,
            store,
            session,
            RunOptions(costs=options),
            output.say,
            offline=True,
            server_id=requested_server_id(server),
        )
        spec = run.checked.spec
        if not any(STAGES[stage].spends_credits for stage in spec.stages):
            raise Refused(
                f"{spec.name} has no hardware stage, so it needs no credits",
                hint="add `hardware` to `stages`, or use --set 'stages=[aer, mock, hardware]'",
                code="refused.justify",
            )
        plan, server_id = plan_of(run.checked, store, keep=False), requested_server_id(server)
        costs = preview_run(run, plan, store, server_id)
        facts = request_facts(plan, costs, store, server_id, spec.description)
    title = f"Request for IQM credits: {plan.name}"
    summary = {
        "spec": to_json(plan.header.spec),
        "qpu_seconds": costs.seconds.to_json(),
        "credits": costs.credits.to_json(),
    }
    return _Paper("request", title, to_markdown("request", facts), summary)


def _closeout(what: str, store: Store) -> _Paper:
    from iqm_spec.allocation.papers import usage_facts
    from iqm_spec.allocation.rendering import to_markdown
    from iqm_spec.engine.respec import source_of_run

    saved = load_run(store, what)
    source = source_of_run(store, saved)
    description = "" if source is None else str(source.tree.get("description") or "")
    facts = usage_facts(saved, store, description)
    summary = {
        "run": saved.state.id,
        "qpu_seconds_measured": facts.seconds,
        "credits_measured": facts.credits,
    }
    title = f"Usage report: {saved.plan.name}"
    return _Paper("closeout", title, to_markdown("usage", facts), summary)
