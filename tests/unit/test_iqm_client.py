"""What is imported of iqm-client, and what is sent in its words without it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import frozen
from scripted import Scripted, http

from iqm_spec import iqm_client
from iqm_spec.errors import JobFailed
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import Connection, connect
from iqm_spec.server_api.jobs import cancel, read_job, submit
from iqm_spec.server_api.payload import job_body, normalized
from iqm_spec.server_api.retry import READS, Retry
from iqm_spec.server_api.token import find_token

TOKEN = "s3cr3t-AbCdEf0123456789"
ID = "6a455e7e-ade9-4808-a8a7-dab2b6dff23e"
LISTED: Json = {
    "quantum_computers": [
        {"id": ID, "alias": "garnet", "display_name": "Garnet", "proxy_path": None}
    ]
}
JOB: Json = {"id": ID, "type": "circuit", "status": "waiting"}
OUR_OWN = ("host", "user-agent", "connection")
"""Headers that differ: the port, the signature, and that no connection is kept."""


@pytest.mark.slow
def test_every_name_is_where_it_is_looked_for() -> None:
    lost = iqm_client.missing()
    assert not lost, f"iqm-client has moved {', '.join(lost)}: correct iqm_spec/iqm_client.py"


def test_types_and_names_are_of_the_same_modules() -> None:
    """What mypy is told of the names is what is imported."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(iqm_client.__file__).read_text())
    told = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("iqm.", "exa."))
        for alias in node.names
    }
    assert told == dict(iqm_client.NAMES)


@pytest.mark.parametrize("module", ["json", "iqm_spec.no_such_module"])
def test_a_name_that_moved_is_told(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iqm_client, "NAMES", {"Moved": module, "load": "json"})
    assert iqm_client.missing() == [f"{module}.Moved"]
    with pytest.raises(JobFailed, match=f"has no `Moved` in `{module}`") as caught:
        iqm_client.Moved  # noqa: B018
    assert "pip install 'iqm-client>=" in caught.value.hint


def test_a_name_that_is_none_of_iqm_clients() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        iqm_client.nonsense  # noqa: B018


# --- requests ------------------------------------------------------------------------------------


@frozen
class Sent:
    """A request as it left, less what is each program's own."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, request: bytes) -> Sent:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {key.lower(): value for key, value in pairs if key.lower() not in OUR_OWN}
        url = urlsplit(target)
        return cls(method, url.path, dict(parse_qsl(url.query)), headers, body)


def vendor(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> Any:
    """iqm-client's own client of a server, which has listed its quantum computers."""
    from iqm.iqm_server_client.iqm_server_client import IQMServerClient

    for name in ("IQM_TOKEN", "IQM_TOKENS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return IQMServerClient(server.url, quantum_computer="garnet", token=TOKEN)


def both(
    ours: Callable[[Connection], object],
    theirs: Callable[[Any], object],
    answer: Json,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Sent, Sent]:
    """The same request as the two programs send it."""
    with Scripted([http(200, LISTED), http(200, answer), http(200, answer)]) as server:
        client = vendor(server, monkeypatch)
        theirs(client)
        ours(connect(Server("test", server.url), find_token({"IQM_TOKEN": TOKEN}), 5.0))
        _, their_request, our_request = server.requests
    return Sent.of(our_request), Sent.of(their_request)


def executor(client: Any) -> Any:
    """iqm-client's jobs at a server, by the client that it has."""
    from iqm.iqm_server_client.iqm_server_executor import IQMServerExecutor

    made = IQMServerExecutor.__new__(IQMServerExecutor)
    made.client = client
    return made


def payload() -> bytes:
    ops = (Op("r", (0,), (0.5, -0.0)), Op("cz", (0, 1)), Op("measure", (0,), (), (0,)))
    circuit = NativeCircuit(("QB1", "QB2"), (("c", 1),), ops)
    return job_body([("ä-1", circuit)], 100, ID, {})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the model tries its own old circuits
@pytest.mark.parametrize("use_timeslot", [False, True])
def test_a_submission_leaves_as_iqm_client_sends_it(
    use_timeslot: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = payload()
    job = iqm_client.PostJobsRequest.model_validate_json(body)
    our, their = both(
        lambda ours: submit(ours, "garnet", body, use_timeslot, ""),
        lambda client: executor(client).submit_job(job, use_timeslot=use_timeslot),
        JOB,
        monkeypatch,
    )
    assert (our.method, our.path, our.query) == (their.method, their.path, their.query)
    assert our.query == {"use_timeslot": str(use_timeslot).lower()}
    lengths = [int(one.headers["content-length"]) for one in (our, their)]
    assert lengths == [len(our.body), len(their.body)]
    assert {**our.headers, "content-length": ""} == {**their.headers, "content-length": ""}
    assert our.body == body
    assert normalized(json.loads(our.body)) == normalized(json.loads(their.body))


@pytest.mark.slow
def test_the_bytes_of_a_body_leave_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    body, params = payload(), {"use_timeslot": "false", "tag": "a b&ü/:"}
    our, their = both(
        lambda ours: submit(ours, "garnet", body, False, "a b&ü/:"),
        lambda client: client.send_request(
            requests.post, "jobs/garnet/circuit", params=params, json_data=body.decode()
        ),
        JOB,
        monkeypatch,
    )
    assert our == their


@pytest.mark.slow
def test_cancelling_leaves_as_iqm_client_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    our, their = both(
        lambda ours: cancel(ours, ID),
        lambda client: executor(client).cancel_job(ID),
        {},
        monkeypatch,
    )
    assert our == their
    assert (our.method, our.body) == ("POST", b"")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            lambda ours: read_job(ours, ID, Retry(READS)),
            lambda client: executor(client).get_job(ID),
        ),
        (
            lambda ours: ours.get("jobs/garnet%3Amock/1", {"wait": True, "n": 3, "text": "a b&ü"}),
            lambda client: client.send_request(
                _get(), "jobs/garnet%3Amock/1", params={"wait": "true", "n": "3", "text": "a b&ü"}
            ),
        ),
        (
            lambda ours: ours.get("quantum-computers"),
            lambda client: client._get_quantum_computers(),
        ),
    ],
    ids=["job", "parameters", "quantum computers"],
)
def test_reads_leave_as_iqm_client_sends_them(
    ours: Callable[[Connection], object],
    theirs: Callable[[Any], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer: Any = {**JOB, **LISTED}  # type: ignore[dict-item]
    our, their = both(ours, theirs, answer, monkeypatch)
    assert our == their


def _get() -> Callable[..., Any]:
    import requests

    return requests.get


def test_nothing_of_iqm_client_is_imported_to_submit(tmp_path: object) -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from iqm_spec.server_api.address import parse_server\n"
        "from iqm_spec.server_api.connection import connect\n"
        "from iqm_spec.server_api.jobs import submit\n"
        "import iqm_spec.server_api.exchange\n"
        "outcome = submit(connect(parse_server(sys.argv[1]), None), 'garnet', b'{}', False, '')\n"
        "assert outcome.job_id, outcome\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'iqm', 'exa', 'pydantic'}))"
    )
    with Scripted([http(200, {"id": ID})]) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, server.url], capture_output=True, text=True, check=True
        )
    assert done.stdout.strip() == "[]"
