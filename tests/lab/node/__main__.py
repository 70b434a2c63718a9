# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's loop. ``python -m lab.node STATE``"""
from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import requests

from lab import processes
from lab.kube import KubeError
from lab.node.container import timestamp
from lab.node.node_ports import NodePorts, backends
from lab.node.pod import NODE, Pod
from lab.state import State

INTERVAL = 0.2
"""Seconds between two looks at the API."""

LOOKS_FOR_SERVICES = 5
"""Every how many looks the Services are among them: each request costs an idle lab a part of its processor."""


class Agent:
    """Makes the processes on this machine those of the pods in the API."""

    def __init__(self, state: State):
        self._state = state
        self._kube = state.kube("lab-node")
        self._pods: dict[str, Pod] = {}
        self._services: list[dict[str, Any]] = []
        self._node_ports = NodePorts(log)

    def run(self) -> None:
        """Work until SIGTERM, then end all processes."""
        self._remove_leftovers()
        self._register()
        self._state.heartbeat_file.write_text(str(os.getpid()))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        try:
            for number in itertools.count():
                try:
                    self._tick(with_services=number % LOOKS_FOR_SERVICES == 0)
                    self._state.heartbeat_file.touch()
                except requests.RequestException as error:
                    log(f"the API server does not answer: {error}")
                time.sleep(INTERVAL)
        finally:
            for pod in self._pods.values():
                pod.kill()

    def _tick(self, with_services: bool) -> None:
        manifests = {pod["metadata"]["uid"]: pod for pod in self._kube.list("Pod", None, resourceVersion="0")}
        for uid in self._pods.keys() - manifests.keys():
            self._forget(uid)
        for uid, manifest in manifests.items():
            try:
                self._tick_pod(uid, manifest)
            except KubeError as error:
                log(str(error))
        if with_services:
            self._services = self._kube.list("Service", None, resourceVersion="0")
        self._node_ports.update(backends(self._services, list(manifests.values())))

    def _tick_pod(self, uid: str, manifest: dict[str, Any]) -> None:
        if not manifest["spec"].get("nodeName"):
            self._bind(manifest["metadata"])
            return
        if uid not in self._pods:
            self._pods[uid] = Pod(self._state, self._kube, manifest)
        self._pods[uid].tick(manifest)

    def _forget(self, uid: str) -> None:
        """End what is left of a pod that the API no longer has."""
        pod = self._pods[uid]
        pod.kill()
        if not pod.running:
            del self._pods[uid]
            shutil.rmtree(self._state.pods / uid, ignore_errors=True)

    def _bind(self, metadata: dict[str, Any]) -> None:
        """Do the scheduler's work, with one node to choose from."""
        self._kube.request("POST", f"api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/binding", {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}})

    def _register(self) -> None:
        self._kube.apply({"apiVersion": "v1", "kind": "Node",
                          "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}}})
        ready = {"type": "Ready", "status": "True", "reason": "LabReady", "lastHeartbeatTime": timestamp()}
        self._kube.patch("Node", NODE, {"status": {"conditions": [ready]}}, subresource="status")

    def _remove_leftovers(self) -> None:
        """End the processes of an agent that was killed."""
        processes.stop(self._state.pods.glob("*/*.pid"), grace=1)
        shutil.rmtree(self._state.pods, ignore_errors=True)
        self._state.pods.mkdir()


def log(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    Agent(State(Path(sys.argv[1]))).run()
