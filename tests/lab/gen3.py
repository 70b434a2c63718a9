# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for indexd and the metadata service, in one server. ``python -m lab.gen3 STATE``

indexd: ``/index``; the metadata service: ``/metadata``. Both keep their records in memory. They answer as the real ones
do where the pipeline depends on it: new revisions, the order of the checks, the statuses of refusals.
"""
from __future__ import annotations

import base64
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from lab.forwarding import ForwardingHandler
from lab.state import State

MAX_LIMIT = 1024
"""Records that a list may hold."""


class Refused(Exception):
    """The call is refused with this HTTP status and message."""

    def __init__(self, status: int, message: Any):
        super().__init__(message)
        self.status = status


class Indexd:
    """Index records: did -> record. A GUID begins with ``prefix``, indexd's DEFAULT_PREFIX."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.records: dict[str, dict[str, Any]] = {}

    def create_blank(self, body: Any) -> tuple[int, dict[str, Any]]:
        if not isinstance(body, dict):
            raise Refused(500, "Internal Server Error")
        now = datetime.now(timezone.utc).replace(tzinfo=None).isoformat()
        record = {
            "did": f"{self.prefix}{uuid.uuid4()}", "baseid": str(uuid.uuid4()), "rev": _revision(), "form": None,
            "uploader": body.get("uploader"), "file_name": body.get("file_name"), "authz": body.get("authz") or [],
            "size": None, "hashes": {}, "urls": [], "acl": [], "metadata": {}, "urls_metadata": {}, "version": None,
            "created_date": now, "updated_date": now, "description": None, "content_created_date": None,
            "content_updated_date": None}
        self.records[record["did"]] = record
        return 201, _identity(record)

    def update_blank(self, did: str, rev: str | None, body: Any, authorize: Callable[[], None]) -> tuple[int, Any]:
        """Fill a blank record. indexd looks at the record first and at the caller's rights last.

        It takes unknown fields and hashes, and does without size or hashes; what its database does not take is a 500.
        """
        if not isinstance(body, dict):
            raise Refused(500, "Internal Server Error")
        record = self._find(did)
        if record["size"] or record["hashes"]:
            raise Refused(400, "update api is not supported for non-blank record")
        self._check_revision(record, rev)
        authorize()
        size, urls = body.get("size"), body.get("urls") or []
        if not isinstance(size, (int, type(None))) or len(set(urls)) < len(urls):
            raise Refused(500, "Internal Server Error")
        record.update(
            size=size, hashes=body.get("hashes") or {}, urls=urls, urls_metadata={url: {} for url in urls}, rev=_revision(),
            authz=body.get("authz") or record["authz"])
        return 200, _identity(record)

    def delete(self, did: str, rev: str | None, authorize: Callable[[], None]) -> tuple[int, Any]:
        record = self._find(did)
        if not rev:
            raise Refused(400, "no revision specified")
        self._check_revision(record, rev)
        authorize()
        del self.records[did]
        return 200, None

    def get(self, name: str) -> tuple[int, Any]:
        """Return a record by its GUID or its baseid."""
        if name in self.records:
            return 200, self.records[name]
        return 200, next((record for record in self.records.values() if record["baseid"] == name), None) or self._find(name)

    def find_all(self, dids: Any) -> tuple[int, Any]:
        """Return the records that there are; indexd does not mind those that are missing, but a list without any."""
        if not isinstance(dids, list) or not dids:
            raise Refused(500, "Internal Server Error")
        return 200, [self.records[did] for did in dids if did in self.records]

    def list(self, query: Mapping[str, str]) -> tuple[int, Any]:
        desired = {name: value for name, value in query.items() if name in ("file_name", "uploader")}
        limit = int(query.get("limit", 100))
        if not 0 <= limit <= MAX_LIMIT:
            raise Refused(400, f"limit must be between 0 and {MAX_LIMIT}")
        records = [record for record in self.records.values() if all(record[name] == desired[name] for name in desired)]
        return 200, {"records": records[:limit], "ids": None, "limit": limit, "start": None}

    def _find(self, did: str) -> dict[str, Any]:
        if did not in self.records:
            raise Refused(404, "no record found")
        return self.records[did]

    @staticmethod
    def _check_revision(record: Mapping[str, Any], rev: str | None) -> None:
        if rev != record["rev"]:
            raise Refused(409, "revision mismatch")


class MetadataService:
    """Metadata objects: guid -> object. Every change needs the admin's login, which is checked first."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def get(self, guid: str) -> tuple[int, Any]:
        return 200, self._find(guid)

    def create(self, guid: str, body: Any, overwrite: bool) -> tuple[int, Any]:
        _require_object(body)
        if guid in self.objects and not overwrite:
            raise Refused(409, f"Conflict: {guid}")
        created = guid not in self.objects
        self.objects[guid] = body
        return 201 if created else 200, body

    def update(self, guid: str, body: Any, merge: bool) -> tuple[int, Any]:
        _require_object(body)
        current = self._find(guid)
        self.objects[guid] = {**current, **body} if merge else body
        return 200, self.objects[guid]

    def delete(self, guid: str) -> tuple[int, Any]:
        self._find(guid)
        return 200, self.objects.pop(guid)

    def _find(self, guid: str) -> dict[str, Any]:
        if guid not in self.objects:
            raise Refused(404, f"Not found: {guid}")
        return self.objects[guid]


class Gen3(ThreadingHTTPServer):
    """The server of both; ``passwords()`` returns service -> user -> password.

    ``guid_prefix`` and ``record_cost`` are those of the lab's settings.
    """

    daemon_threads = True

    def __init__(self, port: int, passwords: Callable[[], Mapping[str, Mapping[str, str]]], guid_prefix: str = "",
                 record_cost: float = 0):
        super().__init__(("127.0.0.1", port), Request)
        self.passwords, self.guid_prefix, self.record_cost = passwords, guid_prefix, record_cost
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget every record and object."""
        self.indexd = Indexd(self.guid_prefix)
        self.metadata_service = MetadataService()


class Request(ForwardingHandler):
    """One connection; turns calls into those of Indexd and MetadataService."""

    server: Gen3

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        parts = [unquote(part) for part in url.path.strip("/").split("/", 1)]
        text = self.read_body()
        field = "detail" if parts[0] == "metadata" else "error"
        try:
            body = json.loads(text) if text else None
            if parts[0] == "bulk" and isinstance(body, list):
                time.sleep(self.server.record_cost * len(body))
            with self.server.lock:
                status, answer = self._dispatch(parts[0], parts[1] if len(parts) > 1 else "", query, body)
        except ValueError:
            status, answer = 400, {field: "the body is not JSON"}
        except Refused as refused:
            status, answer = refused.status, {field: refused.args[0]}
        if isinstance(answer, str):
            self.answer(status, {"Content-Type": "text/html; charset=utf-8"}, answer.encode())
        else:
            content = b"" if answer is None else json.dumps(answer).encode()
            self.answer(status, {"Content-Type": "application/json"}, content)

    do_POST = do_PUT = do_DELETE = do_GET

    def _dispatch(self, service: str, rest: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        indexd, metadata_service = self.server.indexd, self.server.metadata_service
        blank, _, did = rest.partition("/")
        match self.command, service:
            case "GET", "_status":
                return 200, "Healthy"
            case "POST", "lab-reset":
                self.server.reset()
                return 200, {}
            case "GET", "index":
                return indexd.get(rest) if rest else indexd.list(query)
            case "POST", "bulk" if rest == "documents":
                self._require_json()
                return indexd.find_all(body)
            case "POST", "index" if blank == "blank" and not did:
                self._authorize_indexd()
                self._require_json()
                return indexd.create_blank(body)
            case "PUT", "index" if blank == "blank":
                return indexd.update_blank(did, query.get("rev"), body, self._authorize_indexd)
            case "DELETE", "index":
                return indexd.delete(rest, query.get("rev"), self._authorize_indexd)
            case "GET", "metadata":
                return metadata_service.get(rest)
            case "POST", "metadata":
                self._authorize_metadata_service()
                return metadata_service.create(rest, body, _true(query.get("overwrite")))
            case "PUT", "metadata":
                self._authorize_metadata_service()
                return metadata_service.update(rest, body, _true(query.get("merge")))
            case "DELETE", "metadata":
                self._authorize_metadata_service()
                return metadata_service.delete(rest)
        raise Refused(404, "no such path")

    def _login(self) -> tuple[str, str] | None:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value).decode(errors="replace").partition(":")
        return user, password

    def _require_json(self) -> None:
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            raise Refused(415, "Unsupported Media Type")

    def _authorize_indexd(self) -> None:
        login = self._login()
        users = self.server.passwords()["indexd"]
        if login is None:
            raise Refused(403, "Arborist is not configured; cannot perform authorization check")
        if not users:
            raise Refused(403, "No username / password configured in indexd")
        if users.get(login[0]) != login[1]:
            raise Refused(403, "Invalid username or password")

    def _authorize_metadata_service(self) -> None:
        login = self._login()
        if login and not "".join(login).isascii():  # fastapi reads logins as ASCII
            raise Refused(401, "Invalid authentication credentials")
        if login is None or self.server.passwords()["metadata"].get(login[0]) != login[1]:
            raise Refused(403, "Forbidden")


def _revision() -> str:
    return uuid.uuid4().hex[:8]


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("did", "rev", "baseid")}


def _require_object(body: Any) -> None:
    if not isinstance(body, dict):
        raise Refused(422, [{"type": "dict_type", "loc": ["body"], "msg": "Input should be a valid dictionary"}])


def _true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1", "yes", "on")


def main() -> None:
    state = State(Path(sys.argv[1]))
    settings = state.settings
    Gen3(settings["ports"]["gen3"], state.passwords, settings["guid_prefix"], settings["record_cost"]).serve_forever()


if __name__ == "__main__":
    main()
