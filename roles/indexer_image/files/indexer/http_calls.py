# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of HTTP services, repeated while the trouble may pass."""
from __future__ import annotations

import base64
import functools
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.errors import IndexingError

RETRY_WAITS = (1, 2, 4, 8, 16)
LONGEST_WAIT = 30
TIMEOUT = 60
SHOWN = 300
"""How much of an answer an error message shows."""


@dataclass(frozen=True)
class Answer:
    """What a service has answered."""

    status: int
    body: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.body[:SHOWN].decode(errors='replace').strip()}"

    def json(self) -> dict[str, Any]:
        """Return the object in the body; raises IndexingError if there is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise IndexingError("the answer is not a JSON object")
        return document


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header of a login."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def opener(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Return what opens URLs, through the proxy of the environment unless a handler says otherwise."""
    return urllib.request.build_opener(_NoRedirect, *handlers)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like others."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Return no request."""


def call(method: str, url: str, document: Any = None, headers: Mapping[str, str] | None = None,
         through: urllib.request.OpenerDirector | None = None, waits: tuple[float, ...] = RETRY_WAITS,
         timeout: float = TIMEOUT) -> Answer:
    """Send a request, again after a connection error, 429 or 5xx: six attempts in half a minute.

    A redirect is refused: the login would go along to wherever it leads.
    """
    headers = dict(headers or {})
    body = None
    if document is not None:
        body = json.dumps(document).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, body, headers, method=method)
    through = through or _usual_opener()
    for wait in (*waits, None):
        try:
            answer, retry_after = _send(request, through, timeout)
            if 300 <= answer.status < 400:
                raise IndexingError(f"{method} {url} was answered with a redirect (HTTP {answer.status}), which is not followed: "
                                    "give the service's own address")
            if answer.status != 429 and (answer.status < 500 or answer.status == 501):
                return answer
            failure = str(answer)
        except (OSError, http.client.HTTPException) as error:
            failure, retry_after = str(getattr(error, "reason", error)) or type(error).__name__, None
            if isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError):
                raise IndexingError(f"{method} {url}: {failure}") from None
        if wait is not None:
            time.sleep(wait if retry_after is None else min(retry_after, timeout))
    raise IndexingError(f"{method} {url} failed in every attempt: {failure}")


@functools.cache
def _usual_opener() -> urllib.request.OpenerDirector:
    """Return the opener that all calls share: making one reads every certificate authority of the machine."""
    return opener()


def _send(request: urllib.request.Request, through: urllib.request.OpenerDirector,
          timeout: float) -> tuple[Answer, float | None]:
    """Send a request once; returns the answer and how long the service asks to wait."""
    try:
        with through.open(request, timeout=timeout) as response:
            return Answer(response.status, response.read()), None
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read()), _retry_after(error.code, error.headers.get("Retry-After", ""))


def _retry_after(status: int, value: str) -> float | None:
    if status in (429, 503) and value.isascii() and value.isdigit():
        return min(int(value), LONGEST_WAIT)
    return None
