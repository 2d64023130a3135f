"""The routes of the API on FastAPI: bytes to `Ask`, `Reply` to bytes, and nothing else.

FastAPI and uvicorn are imported by the process that serves, when it builds the application.
"""

# no `annotations` from the future: FastAPI reads those of functions that are made in a function

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from iqm_spec.emulator.faults import rules_from_json
from iqm_spec.emulator.messages import Answer, Ask, Rejected
from iqm_spec.emulator.server import Server
from iqm_spec.errors import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

    from iqm_spec.emulator.connections import Connections

MOST_POLL_S = 30.0
"""The longest that a long poll may take, real seconds."""
STEP_S = 0.05

ROUTES = {
    "computers": ("GET", "/quantum-computers"),
    "computer": ("GET", "/quantum-computers/{qc}"),
    "limits": ("GET", "/quantum-computers/{qc}/limits"),
    "health": ("GET", "/quantum-computers/{qc}/health"),
    "queue": ("GET", "/quantum-computers/{qc}/queue-availability"),
    "timeslots": ("GET", "/quantum-computers/{qc}/timeslots"),
    "book": ("POST", "/quantum-computers/{qc}/timeslots"),
    "static-architecture": (
        "GET",
        "/quantum-computers/{qc}/artifacts/static-quantum-architectures",
    ),
    "calibration": ("GET", "/calibration-sets/{qc}/{set}"),
    "architecture": ("GET", "/calibration-sets/{qc}/{set}/dynamic-quantum-architecture"),
    "metrics": ("GET", "/calibration-sets/{qc}/{set}/metrics"),
    "cancel": ("POST", "/jobs/{job}/cancel"),
    "submit": ("POST", "/jobs/{qc}/{type}"),
    "payload": ("GET", "/jobs/{job}/payload"),
    "measurements": ("GET", "/jobs/{job}/artifacts/measurements"),
    "measurement-counts": ("GET", "/jobs/{job}/artifacts/measurement_counts"),
    "job": ("GET", "/jobs/{job}"),
    "delete": ("DELETE", "/jobs/{job}"),
}
"""Method and path of every call, below /api/v1."""


def make_app(
    server: Server, connections: "Connections", closing: Callable[[], bool] = lambda: False
) -> "FastAPI":
    """The application that serves `server`; `connections` are what a fault may close.

    Once `closing` is true nothing that waits is waited for.
    """
    from fastapi import FastAPI, Request
    from starlette.exceptions import HTTPException

    app = FastAPI(title="IQM Server emulator", docs_url=None, redoc_url=None, openapi_url=None)

    async def unknown(request: Request, error: Exception) -> "Response":
        status = error.status_code if isinstance(error, HTTPException) else 404
        return _response(Rejected(status, "not_found", f"no call {request.url.path}").answer())

    app.add_exception_handler(HTTPException, unknown)
    for call, (method, path) in ROUTES.items():
        app.add_api_route(
            f"/api/v1{path}",
            _endpoint(call, server, connections, closing),
            methods=[method],
            name=call,
        )
    _add_controls(app, server)
    return app


def _endpoint(
    call: str, server: Server, connections: "Connections", closing: Callable[[], bool]
) -> Any:
    from fastapi import Request
    from starlette.responses import Response

    async def endpoint(request: Request) -> Response:
        ask = Ask(
            call=call,
            path=request.path_params,
            query=dict(request.query_params),
            body=await request.body(),
            authorization=request.headers.get("authorization"),
        )
        headers = await _long_poll(server, ask, closing) if call == "job" else {}
        reply = await asyncio.to_thread(server.reply, ask)
        end = time.monotonic() + reply.delay
        while not closing() and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, STEP_S))
        if reply.answer is None:
            return connections.drop()
        made = _response(reply.answer, headers)
        return connections.cut(made) if reply.cut else made

    return endpoint


async def _long_poll(server: Server, ask: Ask, closing: Callable[[], bool]) -> Mapping[str, str]:
    """Wait until the job is terminal, as long as was asked for; the header that tells of it."""
    if not ask.flag("wait_until_terminal"):
        return {}
    try:
        seconds = float(ask.query.get("timeout_seconds", MOST_POLL_S))
    except ValueError:
        seconds = MOST_POLL_S
    end = time.monotonic() + min(max(seconds, 0.0), MOST_POLL_S)
    while not await asyncio.to_thread(server.is_terminal, ask):
        if closing() or time.monotonic() >= end:
            return {"IQM-Long-Poll-Timed-Out": "true"}
        await asyncio.sleep(STEP_S)
    return {}


def _response(answer: Answer, headers: Mapping[str, str] | None = None) -> "Response":
    from starlette.responses import Response

    told = {name.lower(): value for name, value in {**answer.headers, **(headers or {})}.items()}
    told.setdefault("content-type", answer.media_type)
    return Response(answer.content, answer.status, told)


def _add_controls(app: "FastAPI", server: Server) -> None:
    """What tests and rehearsals steer the emulator by: not part of IQM's interface."""
    from fastapi import Request
    from starlette.responses import Response

    async def about(request: Request) -> Response:
        return _response(Answer(200, server.about()))

    async def read_ledger(request: Request) -> Response:
        return _response(Answer(200, server.ledger()))

    async def read_faults(request: Request) -> Response:
        return _response(Answer(200, _rules(server)))

    async def add_faults(request: Request) -> Response:
        try:
            server.faults.add(rules_from_json(json.loads(await request.body())))
        except UsageError as error:
            return _response(Rejected(400, "invalid_input", f"{error} {error.hint}").answer())
        except ValueError as error:
            return _response(Rejected(400, "invalid_input", f"no JSON: {error}").answer())
        return _response(Answer(200, _rules(server)))

    async def clear_faults(request: Request) -> Response:
        server.faults.clear()
        return _response(Answer(200, _rules(server)))

    async def calibrate(request: Request) -> Response:
        gone = request.path_params["action"] == "withdraw"
        try:
            return _response(Answer(200, server.calibrate(request.path_params["qc"], gone=gone)))
        except Rejected as error:
            return _response(error.answer())

    app.add_api_route("/emulator", about, methods=["GET"])
    app.add_api_route("/emulator/ledger", read_ledger, methods=["GET"])
    app.add_api_route("/emulator/faults", read_faults, methods=["GET"])
    app.add_api_route("/emulator/faults", add_faults, methods=["POST"])
    app.add_api_route("/emulator/faults", clear_faults, methods=["DELETE"])
    app.add_api_route("/emulator/calibration/{qc}/{action}", calibrate, methods=["POST"])


def _rules(server: Server) -> list[Any]:
    from attrs import asdict

    return [asdict(rule) for rule in server.faults.rules()]
