# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call that outlasts what is temporary: a server that restarts, or that can take no more just now.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError

Response = tuple[int, Any]
"""HTTP status and the JSON of the body, None if it has none."""

Call = Callable[..., Response]
"""``call(method, path="", body=None, headers={})``: sends JSON to a path below an address."""

Post = Callable[[Any], Response]
"""Sends JSON."""

_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_LASTING = (ssl.SSLCertVerificationError, FileNotFoundError, ValueError)
_LONGEST_PAUSE = 15


class CallError(UploadsError):
    """A call that failed; the message is one sentence for the operator."""


def prepare_post(url: str, *how: Any) -> Post:
    """Return what posts JSON to ``url``; ``how`` as for ``caller``."""
    call = caller(url, *how)
    return lambda body: call("POST", "", body)


def caller(url: str, timeout: float, validate_certs: bool = True, ca_path: str | None = None,
           headers: Mapping[str, str] | None = None) -> Call:
    """Return what calls the service at ``url``. For calls that may be made twice.

    What is temporary is tried again for ``timeout`` seconds. Then the last answer is returned, or CallError raised if
    there was none.
    """
    opener = _opener(validate_certs, ca_path)
    common = {"Content-Type": "application/json", **(headers or {})}

    def call(method: str, path: str = "", body: Any = None, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
        content = None if body is None else json.dumps(body).encode()
        deadline, pause = time.monotonic() + timeout, 0.5
        while True:
            over = time.monotonic() + pause > deadline
            try:
                answer = _once(opener, Request(url + path, content, {**common, **headers}, method=method))
                if over or answer[0] not in _TEMPORARY:
                    return answer
            except (OSError, HTTPException, ValueError) as error:
                reason = getattr(error, "reason", None) or error
                if over or isinstance(reason, _LASTING):
                    raise CallError(f"{method} {url}{path} got no answer: {reason}.") from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    return call


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of a login."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is an answer like others: to follow it would make a GET of a POST."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Return no request."""


def _opener(validate_certs: bool, ca_path: str | None) -> OpenerDirector:
    """Return what opens URLs. Made once, since reading the authorities takes longer than a call."""
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except OSError as error:
        raise CallError(f"The certificates in {ca_path} cannot be read: {error.strerror or error}.") from error
    if not validate_certs:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return build_opener(HTTPSHandler(context=context), _NoRedirect)


def _once(opener: OpenerDirector, request: Request) -> Response:
    try:
        with opener.open(request, timeout=60) as response:
            return response.status, _parsed(response.read())
    except HTTPError as error:
        return error.code, _parsed(error.read())


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return None
