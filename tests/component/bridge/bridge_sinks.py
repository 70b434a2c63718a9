"""Stand-ins for what the bridge delivers to. Each keeps what it accepted and can be told to fail."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from lab import processes
from lab.dispatcher import messages

HANGS = "hangs"


class Sink:
    """A server on a port of its own. ``fault`` is the status that it answers instead of accepting, None, or HANGS."""

    def __init__(self):
        self.port = processes.free_ports(1)[0]
        self.fault = None
        self.requests = []
        """(method, path, headers, body) of all, as text."""
        self.bodies = []
        """What reaches ssjdispatcher as bodies of SQS messages, in order."""
        self._server = None
        self._connections = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self):
        """The objects that ssjdispatcher would make Jobs for."""
        return [path for body in self.bodies for path in messages.paths_of(body)]

    @property
    def records(self):
        """The records that reach ssjdispatcher."""
        return [record for body in self.bodies for record in json.loads(json.loads(body)["Message"])["Records"]]

    @property
    def said(self):
        """Everything that the bridge ever sent here, headers too."""
        return json.dumps(self.requests)

    def up(self):
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer is one packet

            def setup(self):
                super().setup()
                sink._connections.append(self.connection)

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                sink.requests.append((self.command, self.path, dict(self.headers), body))
                while sink.fault == HANGS:
                    time.sleep(0.05)
                status, text = (sink.fault, sink.refusal(sink.fault)) if sink.fault else sink.accept(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", sink.content_type)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def down(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        while self._connections:
            with contextlib.suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)


class Topic(Sink):
    """SNS with one SQS subscription: what it publishes gets the envelope."""

    content_type = "text/xml"
    variables = {"event_bridge_route": "sns"}

    def accept(self, path, body):
        form = {name: value for name, (value,) in parse_qs(body).items()}
        assert (form["Action"], form["TopicArn"].rpartition(":")[2]) == ("Publish", "ssj-topic")
        self.bodies.append(json.dumps({"Type": "Notification", "Message": form["Message"]}))
        return 200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"

    def refusal(self, status):
        code = {400: "Throttling", 403: "AuthorizationError"}.get(status, "InternalError")
        return f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"

    @property
    def endpoint(self):
        return {"event_bridge_aws_endpoint_url": self.url}


class Queue(Sink):
    """SQS."""

    content_type = "application/x-amz-json-1.0"
    variables = {"event_bridge_route": "sqs"}

    def accept(self, path, body):
        request = json.loads(body)
        assert request["QueueUrl"].endswith("/Gen3Queue")
        self.bodies += [entry["MessageBody"] for entry in request["Entries"]]
        return 200, json.dumps({"Failed": [], "Successful": [
            {"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": hashlib.md5(entry["MessageBody"].encode()).hexdigest()}
            for entry in request["Entries"]]})

    def refusal(self, status):
        kind = {400: "RequestThrottled", 403: "AccessDeniedException"}.get(status, "InternalFailure")
        return json.dumps({"__type": f"com.amazonaws.sqs#{kind}", "message": "no"})

    @property
    def endpoint(self):
        return {"event_bridge_aws_endpoint_url": self.url}


class Dispatcher(Sink):
    """ssjdispatcher's HTTP interface, with its list of entries that is no JSON, and its 200 for what matches nothing."""

    content_type = "text/plain"
    variables = {"event_bridge_route": "dispatcher"}

    def __init__(self):
        super().__init__()
        self.patterns = ["^s3://nowhere/", "^s3://gen3-bucket.*/.+"]
        self.jobs = []

    def accept(self, path, body):
        if path == "/job/list":
            return 200, json.dumps({"jobs": self.jobs})
        if path == "/jobConfig":
            entries = [json.dumps({"Name": "indexing", "Pattern": pattern, "Image": "indexer"}) for pattern in self.patterns]
            return 200, f"[{','.join(entries)},]" if entries else "[]"
        assert path == "/dispatchJob"
        event = json.loads(body)
        message = '{"Records":[{"s3":{"bucket":{"name":"%s"},"object":{"key":"%s"}}}]}' % (event["bucket"], event["key"])
        self.bodies.append(json.dumps({"Message": message}))
        return 200, "Successfully dispatch a new job!"

    def refusal(self, status):
        return "no"

    @property
    def endpoint(self):
        return {"event_bridge_dispatcher_url": self.url}


SINKS = {"sns": Topic, "sqs": Queue, "dispatcher": Dispatcher}
