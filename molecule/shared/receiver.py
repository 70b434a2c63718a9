#!/usr/bin/env python3
"""A webhook receiver on 127.0.0.1:8000: appends {"authorization", "event"} of each POST to a file, a line each."""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 when the event is in the file."""

    def do_POST(self):
        """Keep one event."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line = json.dumps({"authorization": self.headers.get("Authorization"), "event": json.loads(body or b"null")})
        with open(sys.argv[1], "a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


ThreadingHTTPServer(("127.0.0.1", 8000), Receiver).serve_forever()
