"""The routes of the API on Starlette: bytes to `ApiRequest`, `Delivery` to bytes, no more.

Starlette and uvicorn are imported by the process that serves, when it builds the application.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from iqm_spec.emulator.deviation import require_size
from iqm_spec.emulator.faults import rules_from_json
from iqm_spec.emulator.messages import ApiError, ApiRequest, ApiResponse
from iqm_spec.emulator.server import EmulatedServer
from iqm_spec.errors import UsageError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from iqm_spec.emulator.serve import Connections

Endpoint = Callable[["Request"], Awaitable["Response"]]

POLL_S = 10.0
"""How long a long poll takes, real seconds, unless the request says."""
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
    "duts": ("GET", "/quantum-computers/{qc}/artifacts/duts"),
    "about-station": ("GET", "/quantum-computers/{qc}/artifacts/about"),
    "chip-design": ("GET", "/quantum-computers/{qc}/artifacts/chip-design-records"),
    "channels": ("GET", "/quantum-computers/{qc}/artifacts/channel-properties"),
    "settings": ("GET", "/quantum-computers/{qc}/artifacts/settings"),
    "artifact": ("GET", "/quantum-computers/{qc}/artifacts/{artifact}"),
    "about": ("GET", "/about"),
    "tokens": ("GET", "/tokens"),
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
"""Method and path of every call, below /api/v1. The first that fits is taken."""
AT_THE_ROOT = {"about": "/about"}
"""Where else a call is found: iqm-client 34 and 35 ask there."""


def make_app(
    server: EmulatedServer, connections: Connections, closing: Callable[[], bool] = lambda: False
) -> Starlette:
    """The application that serves `server`; `connections` are what a fault may close.

    Once `closing` is true nothing that waits is waited for.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        if status == 405:
            message = f"{request.url.path} does not take {request.method}"
            return _response(ApiError(405, "method_not_allowed", message).answer())
        return _response(ApiError(status, "not_found", f"no call {request.url.path}").answer())

    routes = [
        Route(path, _endpoint(call, server, connections, closing), methods=[method], name=call)
        for call, (method, below) in ROUTES.items()
        for path in filter(None, (f"/api/v1{below}", AT_THE_ROOT.get(call)))
    ]
    return Starlette(
        routes=[*routes, *_controls(server)], exception_handlers={HTTPException: unknown}
    )


def _endpoint(
    call: str, server: EmulatedServer, connections: Connections, closing: Callable[[], bool]
) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        api_request = ApiRequest(
            call=call,
            path=request.path_params,
            query=dict(request.query_params),
            body=await request.body(),
            authorization=request.headers.get("authorization"),
        )
        try:
            headers = await _long_poll(server, api_request, closing) if call == "job" else {}
        except ApiError as error:
            return _response(error.answer())
        reply = await asyncio.to_thread(server.reply, api_request)
        end = time.monotonic() + reply.delay
        while not closing() and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, STEP_S))
        if reply.answer is None:
            return connections.drop()
        response = _response(reply.answer, headers)
        return connections.cut(response) if reply.cut else response

    return endpoint


async def _long_poll(
    server: EmulatedServer, request: ApiRequest, closing: Callable[[], bool]
) -> Mapping[str, str]:
    """Wait until the job is terminal, as long as the request says; the header that reports it.

    ApiError as IQM's interface has it where that time is out of range.
    """
    if not request.flag("wait_until_terminal"):
        return {}
    try:
        seconds = float(request.query.get("timeout_seconds", POLL_S))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_POLL_S:
        message = f"timeout_seconds must be between 0 and {MOST_POLL_S:g}"
        raise ApiError(400, "invalid_input", message)
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(server.is_terminal, request):
        if closing() or time.monotonic() >= end:
            return {"IQM-Long-Poll-Timed-Out": "true"}
        await asyncio.sleep(STEP_S)
    return {}


def _response(answer: ApiResponse, headers: Mapping[str, str] | None = None) -> Response:
    from starlette.responses import Response

    both = {**answer.headers, **(headers or {})}
    lower_case = {name.lower(): value for name, value in both.items()}
    lower_case.setdefault("content-type", answer.media_type)
    return Response(answer.content, answer.status, lower_case)


def _controls(server: EmulatedServer) -> list[Route]:
    """What tests and rehearsals steer the emulator by: not part of IQM's interface."""
    from starlette.routing import Route

    async def about(request: Request) -> Response:
        return _response(ApiResponse(200, server.about()))

    async def read_ledger(request: Request) -> Response:
        return _response(ApiResponse(200, server.ledger()))

    async def read_faults(request: Request) -> Response:
        return _response(ApiResponse(200, _rules(server)))

    async def add_faults(request: Request) -> Response:
        try:
            server.faults.add(rules_from_json(json.loads(await request.body())))
        except UsageError as error:
            hint = f"; {error.hint}" if error.hint else ""
            return _response(ApiError(400, "invalid_input", f"{error}{hint}").answer())
        except (ValueError, RecursionError):
            return _response(ApiError(400, "invalid_input", "the body is no JSON").answer())
        return _response(ApiResponse(200, _rules(server)))

    async def clear_faults(request: Request) -> Response:
        server.faults.clear()
        return _response(ApiResponse(200, _rules(server)))

    async def calibrate(request: Request) -> Response:
        action = request.path_params["action"]
        try:
            if action not in ("move", "withdraw"):
                raise ApiError(404, "not_found", "a calibration set can be moved or withdrawn")
            drift = _drift(request.query_params.get("drift"))
            withdrawn = action == "withdraw"
            now = server.calibrate(request.path_params["qc"], withdrawn=withdrawn, drift=drift)
            return _response(ApiResponse(200, now))
        except ApiError as error:
            return _response(error.answer())

    async def read_calibrations(request: Request) -> Response:
        try:
            return _response(ApiResponse(200, server.calibrations(request.path_params["qc"])))
        except ApiError as error:
            return _response(error.answer())

    return [
        Route("/emulator", about, methods=["GET"]),
        Route("/emulator/ledger", read_ledger, methods=["GET"]),
        Route("/emulator/faults", read_faults, methods=["GET"]),
        Route("/emulator/faults", add_faults, methods=["POST"]),
        Route("/emulator/faults", clear_faults, methods=["DELETE"]),
        Route("/emulator/calibration/{qc}", read_calibrations, methods=["GET"]),
        Route("/emulator/calibration/{qc}/{action}", calibrate, methods=["POST"]),
    ]


def _drift(text: str | None) -> float | None:
    """The drift that a query asks for; ApiError where it is none."""
    if text is None:
        return None
    try:
        drift = float(text)
        require_size(drift, "drift")
    except ValueError as error:
        raise ApiError(400, "invalid_input", "drift must be a number") from error
    except UsageError as error:
        raise ApiError(400, "invalid_input", error.message) from error
    return drift


def _rules(server: EmulatedServer) -> list[Any]:
    from attrs import asdict

    return [asdict(rule) for rule in server.faults.rules()]
