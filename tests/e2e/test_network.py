"""Networks and credentials that are of no use, through the command line: who mends what, and how.

Nothing here waits a minute, and nothing is unknown that was never sent.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import Scripted, http

import iqm_spec
from iqm_spec.emulator import Emulator, Options
from iqm_spec.stages.server.attempts import Phase, read_all_attempts
from iqm_spec.store import Store
from tests.certificates import Authority
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., subprocess.CompletedProcess[str]]
LOCAL = """\
iqm_spec: 1
name: pair
target: garnet
shots: 100
circuits: [{generator: ghz, args: {num_qubits: 2}}]
"""
SPEC = (
    LOCAL
    + """\
stages: [hardware]
require: {mock: {waived: "the network is what is tested"}}
"""
)


def jwt(seconds: float) -> str:
    claims = json.dumps({"exp": int(time.time() + seconds)}).encode()
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pair.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def tokens(tmp_path: Path) -> Callable[[float], dict[str, str]]:
    """Writes a tokens file that is good for so many seconds; gives the environment."""
    path = tmp_path / "tokens.json"

    def write(seconds: float) -> dict[str, str]:
        path.write_text(json.dumps({"access_token": jwt(seconds)}))
        return {"IQM_TOKENS_FILE": str(path)}

    return write


@pytest.fixture
def slow_emulator(tmp_path: Path) -> Iterator[Emulator]:
    with start(Options(state=tmp_path / "slow", queue_seconds=6, speed=1)) as emulator:
        yield emulator


def test_a_certificate_that_is_not_trusted(
    spec: Path, tmp_path: Path, answer: Ask, cli: Cli
) -> None:
    authority = Authority(tmp_path)
    with Scripted([http(404)] * 9, authority.server("localhost")) as server:
        url = f"https://localhost:{server.port}"
        env = {
            "IQM_TOKEN": "token-that-must-not-leak",
            "REQUESTS_CA_BUNDLE": "",
            "CURL_CA_BUNDLE": "",
        }
        begun = time.monotonic()
        told = answer("run", spec, "--server", url, "--yes", env=env, exit_code=4)
        checks = answer("doctor", "--server", url, env=env, exit_code=4)["checks"]
        shown = cli("run", spec, "--server", url, "--yes", env=env)
    assert time.monotonic() - begun < 40
    why = "the certificate of the server is not trusted"
    assert told["error"]["code"] == "refused.network"
    assert told["error"]["message"] == f"{url}: {why}"
    assert "set REQUESTS_CA_BUNDLE" in shown.stderr
    (found,) = [check for check in checks if check["name"] == "server"]
    assert (found["status"], found["found"]) == ("problem", f"{url}: {why}")
    assert "set REQUESTS_CA_BUNDLE" in found["hint"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_an_organization_hold_on_this_machine(
    tmp_path: Path, answer: Ask, variable: str
) -> None:
    authority = Authority(tmp_path)
    listed = {"quantum_computers": [{"alias": "garnet", "id": "1", "display_name": "Garnet"}]}
    with Scripted([http(200, listed)] * 9, authority.server("localhost")) as server:
        env = {"IQM_TOKEN": "token", "REQUESTS_CA_BUNDLE": "", "HTTPS_PROXY": "http://[::1]:9"}
        env[variable] = str(authority.bundle)
        checks = answer("doctor", "--server", f"https://localhost:{server.port}", env=env)["checks"]
    (found,) = [check for check in checks if check["name"] == "server"]
    assert (found["status"], found["found"]) == ("ok", f"https://localhost:{server.port} answers")


def test_a_tokens_file_that_has_expired_at_the_start(
    spec: Path, emulator: Emulator, tokens: Ask, answer: Ask
) -> None:
    env = tokens(-5)
    given = ("--server", emulator.url)
    told = answer("run", spec, *given, "--yes", env=env, exit_code=4)
    assert told["error"]["code"] == "refused.token"
    assert "has expired" in told["error"]["message"]
    checks = answer("doctor", spec, *given, env=env, exit_code=4)["checks"]
    (found,) = [check for check in checks if check["name"] == "credentials"]
    assert found["status"] == "problem"
    assert "has expired" in found["found"]
    done = answer("run", spec, *given, "--yes", env=tokens(600))
    told = answer("resume", done["run"], env=tokens(-5), exit_code=4)
    assert told["error"]["code"] == "refused.token"


def test_a_tokens_file_that_expires_while_jobs_run(
    spec: Path, slow_emulator: Emulator, tokens: Ask, answer: Ask
) -> None:
    env = tokens(4)
    told = answer("run", spec, "--server", slow_emulator.url, "--yes", env=env, exit_code=4)
    (stage,) = told["stages"]
    assert (stage["status"], stage["submitted"]) == ("refused", 1)
    assert "has expired" in str(stage["verdict"])
    assert "their ids are kept" in str(stage["verdict"])
    done = answer("resume", told["run"], env=tokens(600))
    assert done["stages"][0]["status"] == "passed"
    assert len(slow_emulator.submissions()) == 1


def test_a_tokens_file_that_expires_before_a_submission(
    spec: Path,
    emulator: Emulator,
    tokens: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(seconds: float) -> iqm_spec.api.stored.Run:
        def tell(line: str) -> None:
            lines.append(line)
            if line.startswith("about to"):
                tokens(seconds)

        monkeypatch.setenv("IQM_TOKENS_FILE", tokens(600)["IQM_TOKENS_FILE"])
        return iqm_spec.run(spec, tmp_path / "results", emulator.url, yes=True, tell=tell)

    lines: list[str] = []
    monkeypatch.delenv("IQM_TOKEN", raising=False)
    begun = time.monotonic()
    (verdict,) = run(-5).verdicts
    assert time.monotonic() - begun < 30
    assert (verdict.status, verdict.stage) == ("refused", "hardware")
    assert "the job was not sent: the access token" in str(verdict.reasons)
    assert emulator.submissions() == []
    (attempt,) = read_all_attempts(Store(tmp_path / "results"))
    assert attempt.phase is Phase.REJECTED
    (verdict,) = run(600).verdicts
    assert verdict.status == "passed"
    assert len(emulator.submissions()) == 1


def test_an_address_of_a_guide_means_the_server(spec: Path, cli: Cli) -> None:
    spec.write_text(LOCAL)
    given = ("run", spec, "--dry-run")
    note = (
        "note: the server https://cocos.resonance.meetiqm.com/garnet:timeslot is read as "
        "https://resonance.iqm.tech; the quantum computer belongs in the spec: `target: garnet` "
        "with `mode: timeslot`"
    )
    url = "https://cocos.resonance.meetiqm.com/garnet:timeslot"
    for more, env in ((("--server", url), {}), ((), {"IQM_SERVER_URL": url})):
        done = cli(*given, *more, "--json", columns=500, env=env)
        assert done.returncode == 0, done.stderr
        assert note in done.stderr
        assert json.loads(done.stdout)["exit"] == 0
    refused = cli(*given, "--server", "https://resonance.iqm.tech/api/v1")
    assert refused.returncode == 2
    assert "write https://resonance.iqm.tech" in refused.stderr
