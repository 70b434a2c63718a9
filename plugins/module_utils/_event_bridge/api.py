# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the event bridge.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.model import Records, records
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge.settings import authorization

TIMEOUT = 5
"""Seconds within which the bridge must answer."""


def read_records(url: str, token: str, ca_path: str | None = None, validate_certs: bool = True) -> Records | None:
    """Return what the bridge that takes events at ``url`` has counted; None where that address shows no counts, as behind an Ingress.

    Raises UploadsError where it cannot be asked or does not take the token.
    """
    address = urlsplit(url)._replace(path="/metrics", query="", fragment="").geturl()
    try:
        with open_url(address, headers={"Authorization": authorization(token)}, timeout=TIMEOUT, ca_path=ca_path, validate_certs=validate_certs,
                      follow_redirects="none") as answer:
            text = answer.read().decode(errors="replace")
    except HTTPError as error:
        if error.code != 401:
            return None
        raise UploadsError(f"{address} refuses the token; MinIO's events are refused too if its target has the same.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise UploadsError(f"{address} gives no answer: {getattr(error, 'reason', None) or error}.") from error
    return records(text) if "\ninput_" in text else None
