"""What `doctor` says of a server, from what it told."""

from __future__ import annotations

import pytest

from iqm_spec.doctor.local import exit_code
from iqm_spec.doctor.server import Credentials, Visit, credentials, server_checks
from iqm_spec.errors import ExitCode, Refused
from iqm_spec.server_api.computers import Computer
from iqm_spec.server_api.errors import BadAnswer
from iqm_spec.server_api.token import Token

URL = "https://resonance.iqm.tech"
LISTED = Visit((Computer("1", "garnet", "Garnet"),))
TOKEN = Credentials("IQM_TOKEN", Token(lambda: "secret"))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", f"{URL} answers"),
        (f"{URL}/", f"{URL} answers"),
        (
            "https://cocos.resonance.meetiqm.com",
            f"{URL} (https://cocos.resonance.meetiqm.com is rewritten to it) answers",
        ),
        ("emulator", "the built-in emulator answers"),
    ],
)
def test_old_hosts_are_told(asked: str, found: str) -> None:
    checks = server_checks(URL, asked, LISTED, TOKEN)
    assert checks[0].finding == found
    assert exit_code(checks) is ExitCode.DONE


def test_a_server_that_lists_nothing() -> None:
    checks = server_checks(URL, "", Visit(()), TOKEN)
    assert exit_code(checks) is ExitCode.REFUSED
    assert checks[2].finding == "the server lists none"


def test_a_server_that_is_no_iqm_server() -> None:
    odd = Visit(None, refusal=BadAnswer("is this an IQM server?"))
    checks = server_checks(URL, "", odd, TOKEN)
    assert [check.status.value for check in checks] == ["ok", "ok", "problem"]
    assert checks[2].finding == "is this an IQM server?"


def test_a_token_that_is_not_accepted() -> None:
    no = Visit(None, refusal=Refused("401", code="refused.token"))
    assert exit_code(server_checks(URL, "", no, TOKEN)) is ExitCode.REFUSED


@pytest.mark.parametrize(
    ("environ", "variable", "trouble"),
    [
        ({}, "", "neither"),
        ({"IQM_TOKEN": "abc"}, "IQM_TOKEN", ""),
        ({"IQM_TOKEN": "a b"}, "IQM_TOKEN", "odd characters"),
        ({"IQM_TOKENS_FILE": "/nowhere"}, "IQM_TOKENS_FILE", "cannot be read"),
        ({"IQM_TOKEN": "a", "IQM_TOKENS_FILE": "b"}, "IQM_TOKEN", "both set"),
    ],
)
def test_credentials_of_an_environment(
    environ: dict[str, str], variable: str, trouble: str
) -> None:
    found = credentials(environ)
    assert found.variable == variable
    assert trouble in found.trouble
    assert (found.token is None) == bool(trouble)
