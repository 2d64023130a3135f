"""`iqm-spec doctor [SPEC]`: find what would stop a run. Submits and stores nothing."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from attrs import field, frozen

from iqm_spec.cli import output
from iqm_spec.cli.options import (
    allow_code_option,
    json_option,
    results_option,
    server_option,
    set_option,
)
from iqm_spec.diagnostics import Diagnostic, printable, render
from iqm_spec.doctor.computer import needs_of
from iqm_spec.doctor.local import (
    Check,
    environment_checks,
    exit_code,
    fine,
    folder_check,
    problem,
    warning,
)
from iqm_spec.doctor.server import (
    Credentials,
    Visit,
    credentials,
    retry,
    server_checks,
    spec_checks,
    visit,
)
from iqm_spec.engine.session import EMULATOR_STATE, session_of
from iqm_spec.errors import ExitCode, IqmSpecError
from iqm_spec.plan.label import count
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.check_machines import MachineSource, beside_built_in
from iqm_spec.spec.examine import examine
from iqm_spec.spec.sweep_points import all_points
from iqm_spec.stages.registry import any_needs_server
from iqm_spec.stages.server.server_info import EMULATOR
from iqm_spec.stages.server.stored_machines import machines_key, stored_machines
from iqm_spec.store import Store
from iqm_spec.targets import Architecture, ErrorProfile

if TYPE_CHECKING:
    from iqm_spec.server_api.computers import ArchitectureRead
    from iqm_spec.server_api.connection import Connection


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@set_option
@allow_code_option
@server_option
@results_option
@json_option
def command(
    spec: Path | None,
    overrides: Sequence[str],
    allowed_code: Sequence[str],
    server: str | None,
    results: Path,
    as_json: bool,
) -> int:
    """Check versions, results folder, server and credentials, and whether SPEC can run there.

    Submits and stores nothing. Exit code 3 if the spec has errors, 4 if the server would refuse the
    credentials, target or mode, 5 if this computer does not meet the requirements, 6 if the server
    cannot be reached.
    """
    address = server or os.environ.get("IQM_SERVER_URL") or ""
    checks = [*environment_checks(), folder_check(results)]
    checked: CheckedSpec | None = None
    diagnostics: list[Diagnostic] = []
    with _visit(address, results) as visited:
        of_server = server_checks(
            visited.connection.server.url, address, visited.visit, visited.credentials
        )
        of_spec: list[Check] = []
        if spec is not None:
            checked, diagnostics, notices = examine(
                spec, overrides, allowed_code, machines=visited.machines
            )
            of_spec = _spec_checks(spec, checked, diagnostics, notices, visited, results)
    needs_no_server = checked is not None and not any_needs_server(checked.spec.stages)
    checks += [check.softened for check in of_server] if needs_no_server else of_server
    checks += of_spec
    code = int(exit_code(checks))
    if as_json:
        output.answer(
            {
                "checks": [check.to_json() for check in checks],
                "diagnostics": [diagnostic.to_json() for diagnostic in diagnostics],
            },
            code,
        )
    else:
        _show(checks, diagnostics, overrides)
    return code


@frozen
class _VisitedServer:
    """A server, its first answers, and the architectures read from it."""

    connection: Connection
    server_id: str
    credentials: Credentials
    visit: Visit
    _architectures: dict[str, ArchitectureRead | None] = field(factory=dict)

    @property
    def machines(self) -> MachineSource:
        """Built-in machines and those that the server lists."""
        return beside_built_in(self._architecture, self._error_profile)

    def _architecture(self, alias: str) -> Architecture | None:
        read = self._read(alias)
        return None if read is None else read.architecture

    def _error_profile(self, alias: str) -> ErrorProfile | None:
        from iqm_spec.server_api.computers import read_error_profile

        read = self._read(alias)
        return None if read is None else read_error_profile(self.connection, read, retry())

    def _read(self, alias: str) -> ArchitectureRead | None:
        from iqm_spec.server_api.computers import read_architecture

        if alias not in self.visit.aliases:
            return None
        if alias not in self._architectures:
            try:
                read = read_architecture(self.connection, alias, "default", retry())
                self._architectures[alias] = read
            except IqmSpecError:
                self._architectures[alias] = None
        return self._architectures[alias]


@contextmanager
def _visit(address: str, results: Path) -> Iterator[_VisitedServer]:
    """Visit the server, with a token or without. The emulator stores nothing of this visit."""
    from iqm_spec.server_api.address import DEFAULT_SERVER, parse_server
    from iqm_spec.server_api.connection import connect

    with ExitStack() as stack:
        if address == EMULATOR:
            folder = results
            if not (results / EMULATOR_STATE).is_dir():
                folder = Path(stack.enter_context(TemporaryDirectory()))
            session = stack.enter_context(session_of(EMULATOR, folder))
            assert session is not None  # noqa: S101 - the emulator needs no credentials
            connection, known = session.connection, Credentials(EMULATOR, None)
        else:
            server = parse_server(address) if address else DEFAULT_SERVER
            known = credentials(os.environ)
            connection = connect(server, known.token)
        yield _VisitedServer(connection, connection.server.server_id, known, visit(connection))


def _spec_checks(
    path: Path,
    checked: CheckedSpec | None,
    diagnostics: Sequence[Diagnostic],
    notices: Sequence[str],
    visited: _VisitedServer,
    results: Path,
) -> list[Check]:
    shown = path.as_posix()
    if checked is None:
        text = f"{shown}: {count(len(diagnostics), 'error')}"
        return [problem("spec", text, f"`iqm-spec validate {shown}`", ExitCode.SPEC)]
    needs = needs_of(all_points(checked.spec))
    total = sum(need.circuits for need in needs.values())
    checks = [fine("spec", f"{shown}: valid, {count(total, 'point')}")]
    checks += [warning("spec", notice, "use the new form") for notice in notices]
    machines = stored_machines(Store(results), machines_key(checked.digest, visited.server_id))
    pins = {} if machines is None else machines.calibration_sets
    checks += spec_checks(checked.spec, needs, visited.connection, visited.visit, pins)
    return checks


def _show(
    checks: Sequence[Check], diagnostics: Sequence[Diagnostic], overrides: Sequence[str]
) -> None:
    width = output.console().width
    for check in checks:
        body = printable(f"{check.name}: {check.finding}")
        click.echo(_wrapped(f"{check.status:8} ", body, width))
        if check.hint:
            click.echo(_wrapped(" " * 9, f"-> {printable(check.hint)}", width))
    if diagnostics:
        from iqm_spec.source import line_reader

        output.say(f"\n{render(diagnostics, line_reader(overrides))}")


def _wrapped(head: str, text: str, width: int) -> str:
    return textwrap.fill(
        text, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )
