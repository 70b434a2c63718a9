# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server shows to everybody: its certificate and its clock. No login is sent, so whether it can be trusted is not asked.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import http.client
import socket
import ssl
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ansible_collections.gen3.uploads.plugins.module_utils._core.certificates import end_of
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError

TIMEOUT = 5
"""Seconds within which a server must answer."""


def certificate(host: str, port: int) -> bytes:
    """Return the certificate that a server shows, in DER. Raises OSError."""
    with socket.create_connection((host, port), timeout=TIMEOUT) as connection, _trusting().wrap_socket(connection, server_hostname=host) as secure:
        return secure.getpeercert(binary_form=True) or b""


def certificate_end(url: str) -> datetime:
    """Return when the certificate of an ``https`` URL ends. Raises UploadsError."""
    location = urlsplit(url)
    try:
        return end_of(certificate(location.hostname or "", location.port or 443))
    except (OSError, ValueError) as error:
        raise UploadsError(f"{url} shows no certificate: {error}") from error


def clock_ahead(url: str, now: datetime | None = None) -> timedelta:
    """Return by how much the clock of a server is ahead of this machine's, to the second. Raises UploadsError."""
    location = urlsplit(url)
    if location.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            location.hostname or "", location.port, timeout=TIMEOUT, context=_trusting())
    else:
        connection = http.client.HTTPConnection(location.hostname or "", location.port, timeout=TIMEOUT)
    try:
        connection.request("HEAD", "/")
        said = connection.getresponse().headers["Date"]
        return parsedate_to_datetime(said) - (now or datetime.now(timezone.utc)).replace(microsecond=0)
    except (OSError, http.client.HTTPException, TypeError, ValueError) as error:
        raise UploadsError(f"{url} does not tell the time: {error}") from error
    finally:
        connection.close()


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
