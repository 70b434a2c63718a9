# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A POST that outlasts what is temporary: a server that restarts, or that can take no more just now.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_PAUSE = 15


class CallError(Exception):
    """A call that failed; the message is one sentence for the operator."""


def post(url: str, body: Any, patience: float, validate_certs: bool = True, ca_path: str | None = None,
         headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """Send ``body`` as JSON; return the status and the JSON of the answer, None if it has none.

    What is temporary is tried again for ``patience`` seconds. Then the last answer is returned, or CallError raised if
    there was none. A redirect is an answer like others: to follow it would make a GET of it.
    """
    deadline, pause = time.monotonic() + patience, 0.5
    while True:
        status, answer, failure = None, b"", None
        try:
            with open_url(url, method="POST", data=json.dumps(body), timeout=60, validate_certs=validate_certs, ca_path=ca_path,
                          follow_redirects="none", headers={"Content-Type": "application/json", **(headers or {})}) as response:
                status, answer = response.status, response.read()
        except HTTPError as error:
            status, answer = error.code, error.read()
        except (OSError, HTTPException, ValueError) as error:
            failure = getattr(error, "reason", None) or error
        if status is not None and status not in _TEMPORARY:
            return status, _parsed(answer)
        if time.monotonic() + pause > deadline or isinstance(failure, (ssl.SSLCertVerificationError, FileNotFoundError, ValueError)):
            break
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    if status is None:
        raise CallError(f"POST {url} got no answer: {failure}.")
    return status, _parsed(answer)


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return None
