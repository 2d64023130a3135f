"""Requests to the emulated server and its responses: no framework, no bytes on a wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import uuid4

from attrs import field, frozen

from iqm_spec.json_types import Json

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


@frozen
class Fate:
    """What will become of a job whatever it holds: `failed`, `cancelled` or `stuck` (waiting)."""

    kind: str
    message: str = ""
    error_code: str = ""


@frozen
class ApiRequest:
    """One request: `call` is the route's name; `path` and `query` hold decoded parameters."""

    call: str
    path: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    body: bytes = b""
    authorization: str | None = field(default=None, repr=False)
    fate: Fate | None = None

    @property
    def alias(self) -> str | None:
        """The computer named in the address, if one is."""
        return self.path.get("qc")

    def flag(self, name: str) -> bool:
        """A boolean of the query, false where it is not there; ApiError where it is none."""
        text = self.query.get(name, "").lower()
        if text not in ("", *_FALSE, *_TRUE):
            raise ApiError(422, "validation_error", f"{name} must be true or false")
        return self.is_true(name)

    def is_true(self, name: str) -> bool:
        """Whether the query has this boolean, and it is true."""
        return self.query.get(name, "").lower() in _TRUE


@frozen
class ApiResponse:
    """One response. `job` names the job that was accepted or cancelled, for the ledger."""

    status: int
    body: Json | bytes
    headers: Mapping[str, str] = field(factory=dict)
    job: str | None = None

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()

    @property
    def media_type(self) -> str:
        """The content type, unless the headers name one."""
        return "application/octet-stream" if isinstance(self.body, bytes) else "application/json"


class ApiError(Exception):
    """A request that is answered with an error of the API: status, code and words."""

    def __init__(
        self,
        status: int,
        error_code: str,
        message: str,
        *,
        details: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.details = details
        self.headers = headers or {}

    def answer(self) -> ApiResponse:
        """The error as a response."""
        return ApiResponse(
            self.status, error_body(self.error_code, self.message, self.details), self.headers
        )


def error_body(error_code: str, message: str, details: Json = None) -> dict[str, Json]:
    """The JSON of an error as the API gives it."""
    body: dict[str, Json] = {
        "error_code": error_code,
        "message": message,
        "request_id": str(uuid4()),
    }
    return body if details is None else {**body, "details": details}
