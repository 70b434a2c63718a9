# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's network: the proxy through which pods reach the services by name, and AWS and MinIO by host names.

AWS host names are intercepted, with certificates of the lab's own authority, and lead to moto; so a program that
cannot be given another endpoint works unchanged. MinIO has a name with TLS that way, too. ``python -m lab.network STATE``
"""
from __future__ import annotations

import base64
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from lab.forwarding import ForwardingHandler
from lab.services import endpoints
from lab.state import State

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")
MINIO_HOST = "minio.lab.example.org"


class Network(ThreadingHTTPServer):
    """The proxy server, and what it knows of the cluster."""

    daemon_threads = True

    def __init__(self, state: State):
        settings = state.settings
        super().__init__(("127.0.0.1", settings["ports"]["network"]), Proxy)
        self._aws, self._minio = state.url("aws"), state.url("minio")
        self._indexd, self._mds = settings["indexd_url"], settings["mds_url"]
        self._kube = state.kube("lab-node")
        self._authority = state.authority
        self._signing = threading.Lock()

    def outside(self, host: str) -> str | None:
        """Return the base address that stands for a host outside the cluster; None when there is no such host."""
        if host.endswith(AWS_DOMAINS):
            return self._aws
        return self._minio if host == MINIO_HOST else None

    def tls(self, host: str):
        """Return the TLS settings of a server that poses as ``host``."""
        with self._signing:
            return self._authority.server_context(host)

    def route(self, host: str, port: int, path: str, own_namespace: str) -> tuple[str, str] | None:
        """Return (base address, path) behind a service's name and port; None when there is nothing.

        A name without a namespace is one of ``own_namespace``.
        """
        service, _, rest = host.partition(".")
        if service == "indexd-service":
            return self._indexd, path
        if service == "metadata-service":
            return self._mds, path
        if service == "revproxy-service":
            return (self._mds, path.removeprefix("/mds")) if path.startswith("/mds/") else (self._indexd, path)
        namespace = rest.split(".")[0] or own_namespace
        found = self._kube.get("Service", service, namespace)
        ports = [each for each in found["spec"]["ports"] if each["port"] == port] if found else []
        local = endpoints(found, ports[0], self._kube.list("Pod", namespace)) if ports else []
        return (f"http://127.0.0.1:{local[0]}", path) if local else None


class Proxy(ForwardingHandler):
    """One connection of a pod; a CONNECT to a host outside turns it into a TLS connection that ends here."""

    server: Network
    outside: str | None = None

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        self.outside = self.server.outside(host)
        if not self.outside:
            self.answer(502, {}, f"the lab's network has no {host}\n".encode())
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self.connection = self.server.tls(host).wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False  # though the CONNECT may have been HTTP/1.0

    @property
    def namespace(self) -> str:
        """The namespace of the pod that calls, which is its login at the proxy; others are in ``default``."""
        kind, _, login = self.headers.get("Proxy-Authorization", "").partition(" ")
        return base64.b64decode(login).decode().partition(":")[0] if kind.lower() == "basic" else "default"

    def pass_on(self) -> None:
        if self.outside:
            self.answer(*self.fetch(self.outside, self.path))
            return
        url = urlsplit(self.path)
        path = url.path + (f"?{url.query}" if url.query else "")
        target = self.server.route(url.hostname or "", url.port or 80, path, self.namespace)
        if target:
            self.answer(*self.fetch(*target))
        else:
            self.answer(502, {}, f"the lab's network has no {url.hostname}\n".encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = pass_on


if __name__ == "__main__":
    Network(State(Path(sys.argv[1]))).serve_forever()
