# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod: its containers, its status in the API and its end."""
from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from lab import processes
from lab.kube import Kube
from lab.node.container import Container, timestamp
from lab.node.images import DISPATCHER
from lab.node.references import References
from lab.services import PORTS_ANNOTATION
from lab.state import State

NODE = "lab-node"


class Pod:
    """A pod bound to this node: ``tick`` does what is due, and nothing in it waits."""

    def __init__(self, state: State, kube: Kube, manifest: dict[str, Any]):
        metadata, spec, status = (manifest[part] for part in ("metadata", "spec", "status"))
        self._name, self._namespace, self._uid = metadata["name"], metadata["namespace"], metadata["uid"]
        self._kube = kube
        self._references = References(kube, manifest)
        self._started_at = status.get("startTime") or timestamp()
        self._conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
        self._reported: dict[str, Any] | None = None
        self._kill_at: float | None = None
        self._over = status.get("phase") in ("Succeeded", "Failed")
        self._last_event: tuple[str, str] | None = None
        ports = [_local_ports(state, container) for container in spec["containers"]]
        self._containers = [Container(state, manifest, container, its_ports, self._event)
                            for container, its_ports in zip(spec["containers"], ports)]
        started_before = {c["name"]: c["restartCount"] for c in status.get("containerStatuses", ()) if c["started"]}
        for container in self._containers:
            if container.name in started_before:
                container.resume(started_before[container.name] + 1)
        if any(ports):
            annotations = {PORTS_ANNOTATION: json.dumps({name: port for each in ports for name, port in each.items()})}
            kube.patch("Pod", self._name, {"metadata": {"annotations": annotations}}, self._namespace)

    @property
    def running(self) -> bool:
        return any(container.running for container in self._containers)

    def tick(self, manifest: dict[str, Any]) -> None:
        """Bring the pod one step forward; ``manifest`` is what the API says of it now."""
        metadata = manifest["metadata"]
        if "deletionTimestamp" in metadata:
            self._terminate(metadata.get("deletionGracePeriodSeconds", 30))
        elif not self._over:
            for container in self._containers:
                container.tick(self._references)
            self._report()

    def kill(self) -> None:
        """End all processes at once."""
        for container in self._containers:
            container.signal(signal.SIGKILL)

    def _terminate(self, grace: float) -> None:
        """Ask the processes to end, insist after the grace period, then let the API forget the pod."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + grace
            for container in self._containers:
                container.signal(signal.SIGTERM)
        elif self.running and time.monotonic() >= self._kill_at:
            self.kill()
        if not self.running and not self._over:
            self._over = True
            self._kube.delete("Pod", self._name, self._namespace, uid=self._uid, grace_period=0)

    def _report(self) -> None:
        """Write the pod's status if it has changed."""
        containers = [container.status for container in self._containers]
        ends = [container.end for container in self._containers]
        if all(ends):
            phase = "Failed" if any(end["exitCode"] for end in ends) else "Succeeded"
        else:
            phase = "Running" if any(c["started"] or c["restartCount"] for c in containers) else "Pending"
        self._over = phase in ("Succeeded", "Failed")
        ready = all(container["ready"] for container in containers)
        status = {
            "phase": phase, "startTime": self._started_at, "hostIP": "127.0.0.1", "podIP": "127.0.0.1",
            "podIPs": [{"ip": "127.0.0.1"}], "containerStatuses": containers,
            "conditions": [self._condition(*condition) for condition in (
                ("PodScheduled", True), ("Initialized", True), ("ContainersReady", ready), ("Ready", ready))]}
        if status != self._reported:
            self._kube.patch("Pod", self._name, {"metadata": {"uid": self._uid}, "status": status},
                             self._namespace, "status")
            self._reported = status

    def _condition(self, kind: str, true: bool) -> dict[str, Any]:
        status = "True" if true else "False"
        if self._conditions.get(kind, {}).get("status") != status:
            self._conditions[kind] = {"type": kind, "status": status, "lastTransitionTime": timestamp()}
        return self._conditions[kind]

    def _event(self, reason: str, message: str) -> None:
        """Publish a warning about the pod, unless it says what the last one said."""
        if (reason, message) == self._last_event:
            return
        self._last_event = (reason, message)
        self._kube.create({
            "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": reason, "message": message,
            "metadata": {"generateName": f"{self._name}.", "namespace": self._namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": self._name, "namespace": self._namespace,
                               "uid": self._uid},
            "source": {"component": NODE}, "firstTimestamp": timestamp(), "lastTimestamp": timestamp(), "count": 1})


def _local_ports(state: State, container: Mapping[str, Any]) -> dict[str, int]:
    """Return port of a container, by number and by name -> a local port that is free; a real dispatcher's is fixed."""
    ports = container.get("ports", ())
    fixed = state.settings["dispatcher_port"] if fnmatch(container["image"], DISPATCHER) else 0
    local = [fixed] if fixed else processes.free_ports(len(ports))
    return {key: number for port, number in zip(ports, local)
            for key in (str(port["containerPort"]), port.get("name")) if key}
