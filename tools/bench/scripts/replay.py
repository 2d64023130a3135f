"""A server that answers each GET as the one behind it did the first time, from memory.

replay.py UPSTREAM. Prints its address. What is timed in front of it is then the client's work.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

known: dict[str, tuple[int, bytes]] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path not in known:
            token = self.headers.get("Authorization", "")
            request = Request(sys.argv[1] + self.path, headers={"Authorization": token})
            try:
                with urlopen(request) as answer:
                    known[self.path] = answer.status, answer.read()
            except HTTPError as error:
                known[self.path] = error.code, error.read()
        status, body = known[self.path]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
    server.serve_forever()
