# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long polls of a queue that end when their caller does.

moto goes on waiting for a caller that is gone and hands it the next message, which nobody else sees until it becomes
visible again. A dispatcher that is restarted would cost its successor half a minute so.
"""
from __future__ import annotations

import io
import json
import select
import time
from collections.abc import Callable, Iterable
from typing import Any

INTERVAL = 0.1


class LongPolls:
    """A WSGI application around moto: asks it for messages without waiting, again and again."""

    def __init__(self, moto: Callable[..., Iterable[bytes]]):
        self._moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET") != "AmazonSQS.ReceiveMessage":
            return self._moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        wait = json.loads(body).get("WaitTimeSeconds")
        if wait not in range(1, 21):
            return self._ask(environ, start_response, body)
        body = json.dumps({**json.loads(body), "WaitTimeSeconds": 0}).encode()
        deadline = time.monotonic() + wait
        while True:
            answer = b"".join(self._ask(environ, start_response, body))
            nothing = not json.loads(answer).get("Messages") and b"__type" not in answer
            if not nothing or time.monotonic() >= deadline:
                return [answer]
            # A caller that waits sends nothing: that its connection is readable means that it was closed.
            if select.select([environ["werkzeug.socket"]], [], [], INTERVAL)[0]:
                return [answer]

    def _ask(self, environ: dict[str, Any], start_response: Callable, body: bytes) -> Iterable[bytes]:
        return self._moto({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}, start_response)
