"""An emulator whose jobs come back at once, with as many different outcomes as are asked for.

outcomes_server.py OUTCOMES. Prints its address. Jobs go to the emulator with one shot in the place
of many; counts are random bitstrings, all different, most seen once.
"""

from __future__ import annotations

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from iqm_spec.emulator import Options, start

OUTCOMES = int(sys.argv[1])


def counts(keys: list[str]) -> dict[str, int]:
    """Most outcomes are seen once, the others up to three times."""
    draw = random.Random(0)
    width = len(keys)
    chosen = draw.sample(range(2**width), OUTCOMES)
    return {f"{one:0{width}b}": draw.choice((1, 1, 1, 1, 1, 2, 2, 3)) for one in chosen}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else None
        if body and self.command == "POST":
            body = json.dumps({**json.loads(body), "shots": 1}).encode()
        own = ("host", "content-length")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in own}
        request = Request(emulator.url + self.path, body, headers, method=self.command)
        try:
            with urlopen(request) as answer:
                status, data = answer.status, answer.read()
        except HTTPError as error:
            status, data = error.code, error.read()
        if self.path.endswith("/measurement_counts") and status == 200:
            (told,) = json.loads(data)
            data = json.dumps([{**told, "counts": counts(told["measurement_keys"])}]).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


limits = {"max_shots_per_circuit": 10**8, "max_executions_per_job": 10**8}
with (
    start(Options(speed=1e6, limits=limits)) as emulator,
    ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
):
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
    server.serve_forever()
