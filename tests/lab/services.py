# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is behind a Service. All pods share the address 127.0.0.1, so each of their ports has a local port of its own."""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

PORTS_ANNOTATION = "lab/ports"
"""Annotation of a pod that listens: JSON, port of a container (by number and by name) -> local port."""


def endpoints(service: Mapping[str, Any], port: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the local ports of the ready pods behind one port of a Service."""
    namespace, selector = service["metadata"]["namespace"], service["spec"].get("selector")
    if not selector:
        return []
    behind = [json.loads(pod["metadata"].get("annotations", {}).get(PORTS_ANNOTATION, "{}")) for pod in pods
              if pod["metadata"]["namespace"] == namespace and is_ready(pod)
              and selector.items() <= pod["metadata"].get("labels", {}).items()]
    target = str(port["targetPort"])
    return [ports[target] for ports in behind if target in ports]


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod gets connections: it is ready, and nobody has deleted it."""
    conditions = pod.get("status", {}).get("conditions", ())
    return "deletionTimestamp" not in pod["metadata"] and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
