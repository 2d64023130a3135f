"""Checks of a server. What the server does not report is `unknown`; nothing here raises."""

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


_OBTAIN = (
    "get a token from the server's dashboard and set IQM_TOKEN, or rehearse with "
    "`--server emulator`"
)
_SOON = 24 * 3600.0


def retry() -> Retry:
    """How often and how long `doctor` repeats a request."""
    from iqm_spec.server_api.retry import DOCTOR_READS, Retry

    return Retry(DOCTOR_READS)


@frozen
class Credentials:
    """The credentials of the environment: `variable` has them, or `trouble` says why not."""

    variable: str
    token: Token | None
    trouble: str = ""
    hint: str = _OBTAIN

    @property
    def expires(self) -> float:
        """When the token expires, in seconds since 1970; 0 if the token does not say."""
        from iqm_spec.server_api.token import expires_at

        return 0.0 if self.token is None else expires_at(self.token.reveal())


def credentials(environ: Mapping[str, str]) -> Credentials:
    """The token of IQM_TOKEN or IQM_TOKENS_FILE, as `run` would use it."""
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
    """A server's first answers.

    `computers` is None if the server did not list them; then `unreachable` (with `hint` and
    `code`) or `refusal` says why.
    """

    computers: tuple[Computer, ...] | None
    unreachable: str = ""
    refusal: IqmSpecError | None = None
    token_expires: datetime | None = None
    """When the token expires, if the server reports it."""
    hint: str = ""
    code: ExitCode = ExitCode.UNREACHABLE

    @property
    def aliases(self) -> tuple[str, ...]:
        """Aliases of the quantum computers; empty if they are unknown."""
        return tuple(computer.alias for computer in self.computers or ())


def visit(connection: Connection) -> Visit:
    """Read the list of quantum computers, and when the token expires."""
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
        why = error.message.removeprefix(f"{connection.server.server_id}: ")
        hint = "" if error.hint == TRY_LATER else error.hint
        return Visit(None, unreachable=why, hint=hint, code=error.exit_code)


def server_checks(url: str, address: str, answers: Visit, known: Credentials) -> list[Check]:
    """Server, credentials and list of computers. `address` is the server as the user wrote it."""
    from urllib.parse import urlsplit

    is_emulator = address == EMULATOR
    shown = "the built-in emulator" if is_emulator else url
    hosts = {urlsplit(text.strip()).hostname for text in (address or url, url)}
    if not is_emulator and len(hosts) > 1:
        shown = f"{url} ({address} is rewritten to it)"
    reachable = fine("server", f"{shown} answers")
    if answers.unreachable:
        hint = "check the address and your network connection, or try again later"
        text = f"{shown}: {answers.unreachable}"
        reachable = problem("server", text, answers.hint or hint, answers.code)
    checks = [reachable, _credentials(known, answers, emulator=is_emulator)]
    if known.token is not None or is_emulator:
        checks.append(_listed(answers))
    return checks


def _credentials(known: Credentials, answers: Visit, *, emulator: bool) -> Check:
    name = "credentials"
    if emulator:
        return fine(name, "none are needed")
    if known.token is None:
        where = f"{known.variable}: " if known.variable not in known.trouble else ""
        return problem(name, f"{where}{known.trouble}", known.hint)
    text = f"{known.variable} is set"
    if answers.refusal is not None and answers.refusal.code == "refused.token":
        return problem(name, f"{text}, and the server does not accept it", _OBTAIN)
    text += ", and the server accepts it" if answers.computers is not None else ""
    expires = known.expires
    if not expires and answers.token_expires is not None:
        expires = answers.token_expires.timestamp()
    left = expires - time.time()
    if not expires:
        return fine(name, text)
    now = datetime.now(UTC)
    if left <= 0:
        text += "; according to its expiry date it has expired"
        return (warning if answers.computers else problem)(name, text, _OBTAIN)
    text += f"; it expires {moment(datetime.fromtimestamp(expires, UTC), now)}"
    if left < _SOON:
        hint = "jobs continue at the server; with a new token, `resume` fetches them"
        return warning(name, text, hint)
    return fine(name, text)


def _listed(answers: Visit) -> Check:
    name = "quantum computers"
    if answers.computers is None:
        refusal = answers.refusal
        if refusal is None or refusal.code == "refused.token":  # reported by another check
            return unknown(name, refusal.message if refusal else "the server does not answer")
        hint = refusal.hint or "check that this is an IQM server; `--server URL` selects another"
        return problem(name, refusal.message, hint)
    if not answers.computers:
        hint = "ask your project's PI which quantum computers the token gives access to"
        return problem(name, "the server lists none", hint)
    return fine(name, ", ".join(answers.aliases))


# --- the machines of a spec ----------------------------------------------------------------------


def spec_checks(
    spec: Spec,
    needs: Mapping[str, Need],
    connection: Connection,
    answers: Visit,
    pins: Mapping[str, str | None],
) -> Iterator[Check]:
    """Checks of targets and mocks, for the spec's stages at a server.

    `pins` are the calibration sets of an earlier run of the spec, by alias.
    """
    from iqm_spec.server_api.computers import read_computer_info

    server_stages = [stage for stage in spec.stages if STAGES[stage].needs_server]
    if not server_stages or answers.unreachable:
        return
    for target, need in needs.items():
        for stage in server_stages:
            yield _target(stage, target, answers)
        if not any(STAGES[stage].spends_credits for stage in server_stages):
            continue
        if answers.computers is not None and target not in answers.aliases:
            continue
        info = read_computer_info(connection, target, retry(), LOOKED_AHEAD)
        yield from machine_checks(info, need, spec.mode, datetime.now(UTC))
        yield calibration_check(connection, target, spec.calibration, pins.get(target))


def _target(stage: StageName, target: str, answers: Visit) -> Check:
    from iqm_spec.server_api.computers import find_computer

    alias = computer_of(stage, target)
    if answers.computers is None:
        return unknown(alias, "the server did not list its quantum computers")
    try:
        return fine(alias, f"listed as {find_computer(answers.computers, alias).display_name}")
    except Refused as error:
        if not STAGES[stage].counts_are_random:
            return problem(alias, error.message, error.hint)
    hint = "the mock stage will be waived: nothing tests the jobs before the machine"
    return warning(alias, "the server does not have this mock", hint)


def calibration_check(connection: Connection, alias: str, policy: str, pinned: str | None) -> Check:
    """Whether the spec's calibration set exists, and which set is today's default."""
    from iqm_spec.server_api.computers import read_architecture
    from iqm_spec.server_api.errors import CalibrationGone

    name = f"{alias} calibration"
    set_id = pinned if policy == "pin" else None if policy == "latest" else policy
    try:
        default = read_architecture(connection, alias, "default", retry()).calibration_set_id
        if set_id in (None, default):
            return fine(name, f"{default}, today's default")
        read_architecture(connection, alias, str(set_id), retry())
    except CalibrationGone as error:
        return problem(name, error.message, error.hint)
    except IqmSpecError as error:
        return unknown(name, error.message, error.hint)
    text = f"{set_id} exists; today's default is {default}"
    if policy != "pin":
        return fine(name, text)
    return warning(name, text, "an earlier run pinned this set; `run --replan` uses today's")
