# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of indexd and of the metadata service that a probe upload and a reindex need.

The contract: indexd ``indexd/index/blueprint.py`` (blank records, ``rev``), metadata-service ``src/mds``.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.json_http import CallError, basic, caller

Response = tuple[int, Any]
"""HTTP status and the parsed JSON body (None when it is not JSON)."""

Send = Callable[..., Response]
"""``send(method, path, body=None, authenticated=False)``: one call below a service's base address."""


class Gen3Error(UploadsError):
    """A call that failed; the message is one sentence for the operator."""


def direct(url: str, user: str, password: str, validate_certs: bool = True, timeout: float = 0) -> Send:
    """Return a ``send`` that calls the service at ``url``, with basic authentication where it is asked for.

    What is temporary is tried again for ``timeout`` seconds.
    """
    call, login = caller(url.rstrip("/"), timeout, validate_certs), basic(user, password)

    def send(method: str, path: str, body: Any = None, authenticated: bool = False) -> Response:
        try:
            return call(method, path, body, login if authenticated else {})
        except CallError as error:
            raise Gen3Error(str(error)) from error

    return send


def service_error(what: str, response: Response, user: str) -> Gen3Error:
    """Return the error for an answer that is not the expected one, with what to do about it."""
    status, body = response
    detail = body.get("error") or body.get("detail") or body.get("message") if isinstance(body, Mapping) else None
    hint = ""
    if status in (401, 403):
        hint = (
            f" The user {user} or its password is not accepted: site.yml takes the password from the cluster again; "
            f"the user must also exist in the service's own database."
        )
    if 300 <= status < 400:
        hint = " A redirect is not followed, since the login would go along: give the service's own address."
    return Gen3Error(f"{what} was answered with HTTP {status}{f' ({detail})' if detail else ''}.{hint}")


class Indexd:
    """indexd below ``…/index``."""

    def __init__(self, send: Send, user: str) -> None:
        self._send, self._user = send, user

    def create_blank(self, file_name: str) -> dict[str, Any]:
        """Create a blank record as fence does at an upload; return its ``did`` and ``rev``."""
        response = self._send("POST", "/blank/", {"uploader": self._user, "file_name": file_name}, authenticated=True)
        if response[0] != 201 or not isinstance(response[1], Mapping):
            raise service_error("Creating a blank record in indexd", response, self._user)
        return dict(response[1])

    def get(self, guid: str) -> dict[str, Any] | None:
        """Return the record, None when there is none. Reading is public."""
        response = self._send("GET", f"/{quote(guid)}")
        if response[0] == 404:
            return None
        if response[0] != 200 or not isinstance(response[1], Mapping):
            raise service_error(f"Reading the record {guid} of indexd", response, self._user)
        return dict(response[1])

    def find_own(self, file_name: str) -> list[dict[str, Any]]:
        """Return this user's records with that file name, 100 at most; indexd has an index of both."""
        desired = {"file_name": file_name, "uploader": self._user}
        response = self._send("GET", f"/?{urlencode({**desired, 'limit': 100})}")
        if response[0] != 200 or not isinstance(response[1], Mapping):
            raise service_error(f"Looking for records of {file_name} in indexd", response, self._user)
        # Asked for once more here, as records are removed by it.
        return [dict(found) for found in response[1].get("records") or [] if desired.items() <= found.items()]

    def delete(self, guid: str) -> None:
        """Delete the record in its current revision; a missing one is as good as deleted."""
        record = self.get(guid)
        if record is None:
            return
        response = self._send("DELETE", f"/{quote(guid)}?rev={quote(record['rev'])}", authenticated=True)
        if response[0] not in (200, 404):
            raise service_error(f"Deleting the record {guid} of indexd", response, self._user)


class Metadata:
    """The metadata service."""

    def __init__(self, send: Send, user: str) -> None:
        self._send, self._user = send, user
        self._reads_by_login = False

    def create(self, guid: str) -> None:
        """Create an empty metadata object, which the indexing Job then merges its ``_upload_status`` into."""
        response = self._send("POST", f"/metadata/{quote(guid)}", {}, authenticated=True)
        if response[0] not in (200, 201, 409):
            raise service_error(f"Creating metadata of {guid}", response, self._user)

    def upload_status(self, guid: str) -> str | None:
        """Return ``processing``, ``uploaded`` or ``error``; None when there is no object or no status yet."""
        response = self._read(guid)
        return response[1].get("_upload_status") if response[0] == 200 and isinstance(response[1], Mapping) else None

    def find(self, guid: str) -> Mapping[str, Any] | None:
        """Return the metadata object; None when there is none, which the service itself says: a proxy's 404 is an error."""
        status, body = response = self._read(guid)
        if status == 404 and isinstance(body, Mapping) and str(body.get("detail")).startswith("Not found: "):
            return None
        if status != 200 or not isinstance(body, Mapping):
            error = service_error(f"Reading metadata of {guid}", response, self._user)
            raise Gen3Error(f"{error} Check that metadata_url leads to the metadata service.")
        return body

    def set_uploaded(self, guid: str) -> bool:
        """Merge the status ``uploaded`` into the metadata object; False when there is none by now."""
        response = self._send("PUT", f"/metadata/{quote(guid)}?merge=True", {"_upload_status": "uploaded"}, authenticated=True)
        if response[0] not in (200, 404):
            raise service_error(f"Setting _upload_status of {guid}", response, self._user)
        return response[0] == 200

    def _read(self, guid: str) -> Response:
        """Read a metadata object, with 200 or 404.

        With ``FORCE_AUTHZ_CHECK_FOR_METADATA_QUERIES`` (metadata-service ``src/mds/config.py``) reading takes a token and
        knows no basic authentication. Merging nothing is open to the login, changes nothing, and answers with the object.
        """
        path = f"/metadata/{quote(guid)}"
        response = (401, None) if self._reads_by_login else self._send("GET", path)
        if response[0] in (401, 403):
            response = self._send("PUT", f"{path}?merge=True", {}, authenticated=True)
            self._reads_by_login = response[0] in (200, 404)
        if response[0] not in (200, 404):
            raise service_error(f"Reading metadata of {guid}", response, self._user)
        return response

    def delete(self, guid: str) -> None:
        """Delete the metadata object; a missing one is as good as deleted."""
        response = self._send("DELETE", f"/metadata/{quote(guid)}", authenticated=True)
        if response[0] not in (200, 204, 404):
            raise service_error(f"Deleting metadata of {guid}", response, self._user)
