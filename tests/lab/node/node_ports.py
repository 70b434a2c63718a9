# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node ports of Services, on 127.0.0.1 alone. A port with no ready pod behind it refuses connections, as a node does."""
from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lab.services import endpoints

Backends = Mapping[int, Sequence[int]]
"""Node port -> local ports, at least one, of the pods behind it."""


def backends(services: Iterable[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]) -> Backends:
    """Return what is behind each node port that leads anywhere."""
    found = {port["nodePort"]: endpoints(service, port, pods)
             for service in services for port in service["spec"].get("ports", ()) if "nodePort" in port}
    return {port: targets for port, targets in found.items() if targets}


class NodePorts:
    """The ports that listen now."""

    def __init__(self, log: Callable[[str], None]):
        self._log = log
        self._forwarders: dict[int, Forwarder] = {}
        self._failed: dict[int, str] = {}

    def update(self, wanted: Backends) -> None:
        """Listen on these ports and on no others."""
        for port in self._forwarders.keys() - wanted.keys():
            self._forwarders.pop(port).close()
        for port, targets in wanted.items():
            try:
                forwarder = self._forwarders.setdefault(port, self._forwarders.get(port) or Forwarder(port, targets))
            except OSError as error:
                if self._failed.get(port) != str(error):
                    self._log(f"cannot listen on node port {port}: {error}")
                self._failed[port] = str(error)
            else:
                self._failed.pop(port, None)
                forwarder.targets = targets


class Forwarder:
    """A port that listens; each connection goes to one of ``targets``."""

    def __init__(self, port: int, targets: Sequence[int]):
        self.targets = targets
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with the pod's own."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                caller, _address = self._listener.accept()
                threading.Thread(target=self._connect, args=(caller,), daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError):  # a pod that has just ended; the caller's connection ends, too
            with socket.create_connection(("127.0.0.1", random.choice(self.targets))) as target:
                for each in (caller, target):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                answers = threading.Thread(target=_copy, args=(target, caller), daemon=True)
                answers.start()
                _copy(caller, target)
                answers.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends; a connection that breaks is broken on both sides."""
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
