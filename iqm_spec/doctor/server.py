"""What `doctor` asks of a server. Whatever is not told is told as unknown; nothing here raises."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.doctor.computer import LOOKED_AHEAD, Need, machine_checks, moment
from iqm_spec.doctor.local import Check, fine, problem, unknown, warning
from iqm_spec.errors import ExitCode, IqmSpecError, Refused, UsageError
from iqm_spec.model import StageName
from iqm_spec.stages.registry import STAGES
from iqm_spec.stages.server.server_info import EMULATOR, computer_of

if TYPE_CHECKING:
    from iqm_spec.model import Spec
    from iqm_spec.server_api.computers import Computer
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.server_api.retry import Retry
    from iqm_spec.server_api.token import Token


_GET_ONE = "get one from the server's dashboard and set IQM_TOKEN, or rehearse: `--server emulator`"
_SOON = 24 * 3600.0


def retry() -> Retry:
    """How often and how long `doctor` asks."""
    from iqm_spec.server_api.retry import DOCTOR_READS, Retry

    return Retry(DOCTOR_READS)


@frozen
class Credentials:
    """The credentials of the environment: where from, or in `trouble` why there are none."""

    variable: str
    token: Token | None
    trouble: str = ""
    hint: str = _GET_ONE

    @property
    def expires(self) -> float:
        """When it expires, in seconds since 1970; 0 where it does not tell."""
        from iqm_spec.server_api.token import expires_at

        return 0.0 if self.token is None else expires_at(self.token.reveal())


def credentials(environ: Mapping[str, str]) -> Credentials:
    """What IQM_TOKEN or IQM_TOKENS_FILE holds, as `run` would take it."""
    from iqm_spec.server_api.token import find_token

    variable = next((name for name in ("IQM_TOKEN", "IQM_TOKENS_FILE") if environ.get(name)), "")
    try:
        token = find_token(environ)
    except (UsageError, Refused) as error:
        return Credentials(variable, None, error.message, error.hint)
    if token is None:
        return Credentials("", None, "neither IQM_TOKEN nor IQM_TOKENS_FILE is set")
    return Credentials(variable, token)


@frozen
class Visit:
    """What the list of quantum computers told of a server.

    `computers` is None where the server did not list them; `unreachable` (with what to do about
    it and the exit code) and `refusal` say why.
    """

    computers: tuple[Computer, ...] | None
    unreachable: str = ""
    refusal: IqmSpecError | None = None
    token_expires: datetime | None = None
    """When the token expires, where the server tells."""
    hint: str = ""
    code: ExitCode = ExitCode.UNREACHABLE

    @property
    def aliases(self) -> tuple[str, ...]:
        """Of the computers, as far as they are known."""
        return tuple(computer.alias for computer in self.computers or ())


def visit(connection: Connection) -> Visit:
    """Ask for the list of quantum computers, and until when the token is valid."""
    from iqm_spec.errors import Unreachable
    from iqm_spec.server_api.computers import list_computers, read_token_expiry
    from iqm_spec.server_api.connection import TRY_LATER
    from iqm_spec.server_api.errors import Misconfigured

    try:
        computers, token = list_computers(connection, retry()), connection.token
        expires = None if token is None else read_token_expiry(connection, token, retry())
        return Visit(computers, token_expires=expires)
    except IqmSpecError as error:
        if not isinstance(error, Unreachable) and error.code != Misconfigured.code:
            return Visit(None, refusal=error)
        why = error.message.removeprefix(f"{connection.server.realm}: ")
        hint = "" if error.hint == TRY_LATER else error.hint
        return Visit(None, unreachable=why, hint=hint, code=error.exit_code)


def server_checks(url: str, asked: str, found: Visit, known: Credentials) -> list[Check]:
    """Server, credentials and list of computers. `asked` is the address as it was given."""
    shown = "the built-in emulator" if asked == EMULATOR else url
    moved = "" if asked in ("", EMULATOR) or _same(asked, url) else f" ({asked} is rewritten to it)"
    checks = [_reachable(f"{shown}{moved}", found)]
    checks.append(_credentials(known, found, emulator=asked == EMULATOR))
    if known.token is not None or asked == EMULATOR:
        checks.append(_listed(found))
    return checks


def _same(asked: str, url: str) -> bool:
    from urllib.parse import urlsplit

    return urlsplit(asked.strip()).hostname == urlsplit(url).hostname


def _reachable(shown: str, found: Visit) -> Check:
    if not found.unreachable:
        return fine("server", f"{shown} answers")
    return problem(
        "server",
        f"{shown}: {found.unreachable}",
        found.hint or "is the address right, and this machine online? Otherwise try again later",
        found.code,
    )


def _credentials(known: Credentials, found: Visit, *, emulator: bool) -> Check:
    name = "credentials"
    if emulator:
        return fine(name, "none are needed")
    if known.token is None:
        where = f"{known.variable}: " if known.variable not in known.trouble else ""
        return problem(name, f"{where}{known.trouble}", known.hint)
    told = f"{known.variable} is set"
    if found.refusal is not None and found.refusal.code == "refused.token":
        return problem(name, f"{told}, and the server does not accept it", _GET_ONE)
    told += ", and the server accepts it" if found.computers is not None else ""
    expires = known.expires
    if not expires and found.token_expires is not None:
        expires = found.token_expires.timestamp()
    left = expires - time.time()
    if not expires:
        return fine(name, told)
    now = datetime.now(UTC)
    if left <= 0:
        gone = f"{told}; by its own words it has expired"
        return warning(name, gone, _GET_ONE) if found.computers else problem(name, gone, _GET_ONE)
    told += f"; it expires {moment(datetime.fromtimestamp(expires, UTC), now)}"
    if left < _SOON:
        return warning(name, told, "jobs go on at the server; with a new token `resume` fetches")
    return fine(name, told)


def _listed(found: Visit) -> Check:
    name = "quantum computers"
    if found.computers is None:
        refusal = found.refusal
        if refusal is None or refusal.code == "refused.token":  # said of the server, the token
            return unknown(name, refusal.message if refusal else "the server cannot be asked")
        hint = refusal.hint or "is this the address of an IQM server? `--server URL` names another"
        return problem(name, refusal.message, hint)
    if not found.computers:
        hint = "ask the project's PI which quantum computers the token is for"
        return problem(name, "the server lists none", hint)
    return fine(name, ", ".join(found.aliases))


# --- the machines of a spec ----------------------------------------------------------------------


def spec_checks(
    spec: Spec,
    needs: Mapping[str, Need],
    connection: Connection,
    found: Visit,
    pins: Mapping[str, str | None],
) -> Iterator[Check]:
    """Targets, mocks and what they offer, for the spec's stages that go to a server.

    `pins` are the calibration sets that an earlier run of the spec took, by alias.
    """
    from iqm_spec.server_api.computers import read_computer_info

    server_stages = [stage for stage in spec.stages if STAGES[stage].needs_server]
    if not server_stages or found.unreachable:
        return
    for target, need in needs.items():
        for stage in server_stages:
            yield _target(stage, target, found)
        if not any(STAGES[stage].spends_credits for stage in server_stages):
            continue
        if found.computers is not None and target not in found.aliases:
            continue
        offer = read_computer_info(connection, target, retry(), LOOKED_AHEAD)
        yield from machine_checks(offer, need, spec.mode, datetime.now(UTC))
        yield calibration_check(connection, target, spec.calibration, pins.get(target))


def _target(stage: StageName, target: str, found: Visit) -> Check:
    from iqm_spec.server_api.computers import find_computer

    alias = computer_of(stage, target)
    if found.computers is None:
        return unknown(alias, "the server did not list its quantum computers")
    try:
        return fine(alias, f"listed as {find_computer(found.computers, alias).display_name}")
    except Refused as error:
        if not STAGES[stage].counts_are_random:
            return problem(alias, error.message, error.hint)
    hint = "the mock stage is waived then: nothing tests the jobs before the machine"
    return warning(alias, "the server has no such mock", hint)


def calibration_check(connection: Connection, alias: str, policy: str, pinned: str | None) -> Check:
    """Whether the calibration set that the spec means is there, beside today's default."""
    from iqm_spec.server_api.computers import read_architecture
    from iqm_spec.server_api.errors import CalibrationGone

    name = f"{alias} calibration"
    asked = pinned if policy == "pin" else None if policy == "latest" else policy
    try:
        default = read_architecture(connection, alias, "default", retry()).calibration_set_id
        if asked in (None, default):
            return fine(name, f"{default}, today's default")
        read_architecture(connection, alias, str(asked), retry())
    except CalibrationGone as error:
        return problem(name, error.message, error.hint)
    except IqmSpecError as error:
        return unknown(name, error.message, error.hint)
    told = f"{asked} is there; today's default is {default}"
    if policy != "pin":
        return fine(name, told)
    return warning(name, told, "an earlier run pinned it; `run --replan` takes today's")
