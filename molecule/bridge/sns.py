#!/usr/bin/env python3
"""A stand-in for SNS on 127.0.0.1:8002: appends {"headers", "form"} of each call to a file, a line each, and accepts it.

It does not prove that Amazon SNS would: it checks neither signature nor policy, knows no topic and delivers nothing.
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ANSWER = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


class Topic(BaseHTTPRequestHandler):
    """Answers 200 when the call is in the file."""

    def do_POST(self):
        """Keep one call."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: value for name, (value,) in parse_qs(body).items()}
        with open(sys.argv[1], "a", encoding="utf-8") as file:
            file.write(json.dumps({"headers": dict(self.headers), "form": form}) + "\n")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *arguments):
        """Say nothing."""


ThreadingHTTPServer(("127.0.0.1", 8002), Topic).serve_forever()
