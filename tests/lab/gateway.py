# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second entrance to the API server that lets faults strike. ``python -m lab.gateway STATE``"""
from __future__ import annotations

import json
import ssl
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

from lab.faults import ANSWER_LOST, THROTTLED, Faults
from lab.forwarding import Answer, ForwardingHandler
from lab.state import State


class Gateway(ThreadingHTTPServer):
    """A TLS server in front of the API server; callers authenticate with their tokens, which it passes on."""

    daemon_threads = True

    def __init__(self, state: State):
        super().__init__(("127.0.0.1", state.settings["ports"]["gateway"]), Entrance)
        self.socket = state.authority.server_context("127.0.0.1").wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False)
        self.api_server = state.url("kube-apiserver")
        self.context = ssl.create_default_context(cafile=state.authority.certificate_file)
        self.faults = Faults(state.faults_file, "kubernetes")


class Entrance(ForwardingHandler):
    """One connection of a caller."""

    server: Gateway

    def pass_on(self) -> None:
        fault = self.server.faults.next()
        if fault in (None, ANSWER_LOST):
            answer = self.fetch(self.server.api_server, self.path, self.server.context)
        else:
            self.read_body()
        self.answer(*(refusal(fault == THROTTLED) if fault else answer))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on


def refusal(throttled: bool) -> Answer:
    """Return the answer of an API server that throttles or is not available."""
    code, reason = (429, "TooManyRequests") if throttled else (503, "ServiceUnavailable")
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
              "message": "the server cannot handle this request now, please try again"}
    return code, {"Content-Type": "application/json"}, json.dumps(status).encode()


if __name__ == "__main__":
    Gateway(State(Path(sys.argv[1]))).serve_forever()
