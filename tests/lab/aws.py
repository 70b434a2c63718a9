# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SNS, SQS, S3, STS and IAM: moto's server, with a log of every call and with faults on demand.

``python -m lab.aws STATE``
"""
from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from lab.faults import ANSWER_LOST, OPERATOR_KEY, THROTTLED, Faults
from lab.long_poll import LongPolls
from lab.moto_as_sqs import keep_policies
from lab.state import State

READS = ("Get", "List", "Describe", "Head")
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_QUERY_BODY = "application/x-www-form-urlencoded"


class RecordedMoto:
    """The WSGI application: moto, wrapped in the log and the faults."""

    def __init__(self, log_file: Path, faults: Faults):
        self._moto = LongPolls(DomainDispatcherApplication(create_backend_app))
        self._log = open(log_file, "a", buffering=1)
        self._faults = faults
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/moto-api"):
            return self._moto(environ, start_response)
        call = identify(environ)
        if call["action"] == "PUT bucket?notification":
            take_filters_as_s3_does(environ)
        fault = self._faults.next() if call["access_key"] == OPERATOR_KEY else None
        if fault in (None, ANSWER_LOST):
            answer: dict[str, Any] = {}
            body = b"".join(self._moto(environ, lambda status, headers, _error=None: answer.update(
                status=status, headers=headers)))
        if call["action"] == "GET bucket?notification" and answer.get("status", "").startswith("200"):
            body = tell_of_event_bridge(environ, body)
            answer["headers"] = [*((name, value) for name, value in answer["headers"] if name.lower() != "content-length"),
                                 ("Content-Length", str(len(body)))]
        if fault:
            answer, body = refusal(call["service"], environ, fault == THROTTLED)
        with self._lock:
            self._log.write(json.dumps({**call, "status": int(answer["status"].split()[0]), "fault": fault}) + "\n")
        start_response(answer["status"], answer["headers"])
        return [body]


def identify(environ: dict[str, Any]) -> dict[str, Any]:
    """Return who calls what: access_key, region, service, action, write (whether the call changes anything).

    The action is the API's own name for it; for S3, which has none on the wire, method and sub-resource
    (``PUT bucket?notification``).
    """
    match = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "") or unquote(environ.get("QUERY_STRING", "")))
    form = environ.get("CONTENT_TYPE", "").startswith(_QUERY_BODY)
    access_key, region, service = match.groups() if match else ("", "", "sts" if form else "s3")  # unsigned calls
    if service == "s3":
        method = environ["REQUEST_METHOD"]
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        sub_resource = "".join(f"?{name}" for name, value in query if not value)
        depth = len([part for part in environ["PATH_INFO"].split("/") if part]) + (".s3." in environ["HTTP_HOST"])
        action = f"{method} {('service', 'bucket', 'object')[min(depth, 2)]}{sub_resource}"
        write = method not in ("GET", "HEAD")
    else:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        action = target.rpartition(".")[2] if target else dict(parse_qsl(_body(environ))).get("Action", "")
        write = not action.startswith(READS)
    return {"access_key": access_key, "region": region, "service": service, "action": action, "write": write}


def take_filters_as_s3_does(environ: dict[str, Any]) -> None:
    """Rewrite a notification configuration with capitalised filter names or empty filters, on which moto fails."""
    body = re.sub(r"<Name>(Prefix|Suffix)</Name>", lambda name: name[0].replace(name[1], name[1].lower()), _body(environ))
    body = re.sub(r"<FilterRule><Name>\w+</Name><Value\s*(/>|></Value>)</FilterRule>", "", body)
    body = re.sub(r"<FilterRule><Value\s*(/>|></Value>)<Name>\w+</Name></FilterRule>", "", body)
    body = re.sub(r"<Filter><S3Key\s*(/>|></S3Key>)</Filter>", "", body)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body.encode()), str(len(body.encode()))


def tell_of_event_bridge(environ: Mapping[str, Any], body: bytes) -> bytes:
    """Return a notification configuration with the EventBridge setting, which moto keeps and obeys but does not return."""
    host, path = environ["HTTP_HOST"], environ["PATH_INFO"].strip("/")
    bucket = host.partition(".s3.")[0] if ".s3." in host else path.partition("/")[0]
    configuration = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].head_bucket(bucket).notification_configuration
    if configuration is None or configuration.event_bridge is None:
        return body
    root = ElementTree.fromstring(body)
    namespace = root.tag.partition("}")[0].removeprefix("{")
    ElementTree.register_namespace("", namespace)
    ElementTree.SubElement(root, f"{{{namespace}}}EventBridgeConfiguration")
    return ElementTree.tostring(root)


def refusal(service: str, environ: Mapping[str, Any], throttled: bool) -> tuple[dict[str, Any], bytes]:
    """Return (status and headers, body) of a fault, in the form of the service's protocol."""
    code, message = ("Throttling", "Rate exceeded") if throttled else ("ServiceUnavailable", "Please try again")
    status = "400 Bad Request" if throttled else "503 Service Unavailable"
    if service == "s3" and throttled:
        status, code = "503 Slow Down", "SlowDown"
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if environ.get("HTTP_X_AMZ_TARGET"):
        body = json.dumps({"__type": code, "message": message})
    elif service != "s3":
        body = f"<ErrorResponse>{body}</ErrorResponse>"
    return {"status": status, "headers": [("Content-Length", str(len(body)))]}, body.encode()


def _body(environ: dict[str, Any]) -> str:
    """Return the body of a call and put it back for moto."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode()


class _Quiet(WSGIRequestHandler):
    """No access log beside our own."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> None:
    state = State(Path(sys.argv[1]))
    keep_policies()
    application = RecordedMoto(state.aws_log, Faults(state.faults_file, "aws"))
    make_server("127.0.0.1", state.settings["ports"]["aws"], application, threaded=True,
                request_handler=_Quiet).serve_forever()


if __name__ == "__main__":
    main()
