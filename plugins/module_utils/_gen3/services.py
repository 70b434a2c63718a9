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

Answer = tuple[int, Any]
"""HTTP status and the parsed JSON body (None when it is not JSON)."""

Send = Callable[..., Answer]
"""``send(method, path, body=None, authenticated=False)``: one call below a service's base address."""


class Gen3Error(UploadsError):
    """A call that failed; the message is one sentence for the operator."""


def direct(url: str, user: str, password: str, validate_certs: bool = True, patience: float = 0) -> Send:
    """Return a ``send`` that calls the service at ``url``, with basic authentication where it is asked for.

    What is temporary is tried again for ``patience`` seconds.
    """
    call, login = caller(url.rstrip("/"), patience, validate_certs), basic(user, password)

    def send(method: str, path: str, body: Any = None, authenticated: bool = False) -> Answer:
        try:
            return call(method, path, body, login if authenticated else {})
        except CallError as error:
            raise Gen3Error(str(error)) from error

    return send


def refused(what: str, answer: Answer, user: str) -> Gen3Error:
    """Return the error for an answer that is not the expected one, with what to do about it."""
    status, body = answer
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
        answer = self._send("POST", "/blank/", {"uploader": self._user, "file_name": file_name}, authenticated=True)
        if answer[0] != 201 or not isinstance(answer[1], Mapping):
            raise refused("Creating a blank record in indexd", answer, self._user)
        return dict(answer[1])

    def get(self, guid: str) -> dict[str, Any] | None:
        """Return the record, None when there is none. Reading is public."""
        answer = self._send("GET", f"/{quote(guid)}")
        if answer[0] == 404:
            return None
        if answer[0] != 200 or not isinstance(answer[1], Mapping):
            raise refused(f"Reading the record {guid} of indexd", answer, self._user)
        return dict(answer[1])

    def find_own(self, file_name: str) -> list[dict[str, Any]]:
        """Return this user's records with that file name, 100 at most; indexd has an index of both."""
        desired = {"file_name": file_name, "uploader": self._user}
        answer = self._send("GET", f"/?{urlencode({**desired, 'limit': 100})}")
        if answer[0] != 200 or not isinstance(answer[1], Mapping):
            raise refused(f"Looking for records of {file_name} in indexd", answer, self._user)
        # Asked for once more here, as records are removed by it.
        return [dict(found) for found in answer[1].get("records") or [] if desired.items() <= found.items()]

    def delete(self, guid: str) -> None:
        """Delete the record in its current revision; a missing one is as good as deleted."""
        record = self.get(guid)
        if record is None:
            return
        answer = self._send("DELETE", f"/{quote(guid)}?rev={quote(record['rev'])}", authenticated=True)
        if answer[0] not in (200, 404):
            raise refused(f"Deleting the record {guid} of indexd", answer, self._user)


class Metadata:
    """The metadata service."""

    def __init__(self, send: Send, user: str) -> None:
        self._send, self._user = send, user
        self._reads_by_login = False

    def create(self, guid: str) -> None:
        """Create an empty metadata object, which the indexing Job then merges its ``_upload_status`` into."""
        answer = self._send("POST", f"/metadata/{quote(guid)}", {}, authenticated=True)
        if answer[0] not in (200, 201, 409):
            raise refused(f"Creating metadata of {guid}", answer, self._user)

    def upload_status(self, guid: str) -> str | None:
        """Return ``processing``, ``uploaded`` or ``error``; None when there is no object or no status yet."""
        answer = self._read(guid)
        return answer[1].get("_upload_status") if answer[0] == 200 and isinstance(answer[1], Mapping) else None

    def find(self, guid: str) -> Mapping[str, Any] | None:
        """Return the metadata object; None when there is none, which the service itself says: a proxy's 404 is an error."""
        status, body = answer = self._read(guid)
        if status == 404 and isinstance(body, Mapping) and str(body.get("detail")).startswith("Not found: "):
            return None
        if status != 200 or not isinstance(body, Mapping):
            error = refused(f"Reading metadata of {guid}", answer, self._user)
            raise Gen3Error(f"{error} Check that metadata_url leads to the metadata service.")
        return body

    def set_uploaded(self, guid: str) -> bool:
        """Merge the status ``uploaded`` into the metadata object; False when there is none by now."""
        answer = self._send("PUT", f"/metadata/{quote(guid)}?merge=True", {"_upload_status": "uploaded"}, authenticated=True)
        if answer[0] not in (200, 404):
            raise refused(f"Setting _upload_status of {guid}", answer, self._user)
        return answer[0] == 200

    def _read(self, guid: str) -> Answer:
        """Read a metadata object, with 200 or 404.

        With ``FORCE_AUTHZ_CHECK_FOR_METADATA_QUERIES`` (metadata-service ``src/mds/config.py``) reading takes a token and
        knows no basic authentication. Merging nothing is open to the login, changes nothing, and answers with the object.
        """
        path = f"/metadata/{quote(guid)}"
        answer = (401, None) if self._reads_by_login else self._send("GET", path)
        if answer[0] in (401, 403):
            answer = self._send("PUT", f"{path}?merge=True", {}, authenticated=True)
            self._reads_by_login = answer[0] in (200, 404)
        if answer[0] not in (200, 404):
            raise refused(f"Reading metadata of {guid}", answer, self._user)
        return answer

    def delete(self, guid: str) -> None:
        """Delete the metadata object; a missing one is as good as deleted."""
        answer = self._send("DELETE", f"/metadata/{quote(guid)}", authenticated=True)
        if answer[0] not in (200, 204, 404):
            raise refused(f"Deleting metadata of {guid}", answer, self._user)
