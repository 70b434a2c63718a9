# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two services of Gen3 that keep what is known of an object."""
from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from indexer.configuration import Service
from indexer.errors import Ended, IndexingError
from indexer.http_calls import basic, call

WITHIN_GRACE: dict[str, Any] = {"waits": (1, 2), "timeout": 5}
"""Three attempts in at most 25 seconds."""


class Indexd:
    """indexd: the records, by GUID."""

    def __init__(self, service: Service):
        self._url, self._login = service.url, basic(service.username, service.password)

    def record(self, guid: str) -> Mapping[str, Any]:
        """Return a record."""
        answer = call("GET", f"{self._url}/{_path(guid)}")
        if answer.status != 200:
            raise IndexingError(f"indexd has no record {guid}: {answer}")
        try:
            return answer.json()
        except IndexingError as error:
            raise IndexingError(f"indexd's record {guid} cannot be used: {error}") from None

    def fill(self, guid: str, revision: str, document: Mapping[str, Any]) -> None:
        """Give a blank record its size, hashes and URL.

        A refusal because the record is filled already, with the same, is none: an attempt of ours whose answer was lost, or
        another Job for the same upload, has been there before.
        """
        answer = call("PUT", f"{self._url}/blank/{_path(guid)}?rev={quote(revision, safe='')}", document, self._login)
        if answer.status == 200:
            return
        if answer.status in (400, 409):
            record = self.record(guid)
            if record.get("size") == document["size"] and record.get("hashes") == document["hashes"]:
                return
        hint = {401: "; is the user in indexd's database?", 403: "; are user and password those of indexd?",
                409: "; the record was changed meanwhile"}.get(answer.status, "")
        raise IndexingError(f"indexd refused the update of {guid}: {answer}{hint}")


class MetadataService:
    """The metadata service, which tells users how their upload stands. Its failures never fail the indexing."""

    def __init__(self, service: Service, guid: str):
        self._url = f"{service.url}/metadata/{_path(guid)}?merge=True"
        self._login = basic(service.username, service.password)

    def set_last_status(self, status: str) -> None:
        """Tell the outcome, also where the pod has been told to end: within what Kubernetes then leaves it, 30 seconds."""
        try:
            self.set_status(status, **(WITHIN_GRACE if isinstance(sys.exc_info()[1], Ended) else {}))
        except Ended:
            self.set_status(status, **WITHIN_GRACE)
            raise

    def set_status(self, status: str, **patience: Any) -> None:
        """Tell how the upload stands: ``processing``, ``uploaded`` or ``error``. 404 is usual: no metadata was given."""
        try:
            answer = call("PUT", self._url, {"_upload_status": status}, self._login, **patience)
            print(f"metadata service: {status}: {answer.status}", file=sys.stderr)
        except IndexingError as error:
            print(f"metadata service: {status}: {error}", file=sys.stderr)


def _path(guid: str) -> str:
    return quote(guid, safe="/:")
