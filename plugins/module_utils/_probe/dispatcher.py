# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether ssjdispatcher runs, by its Deployment and its pods. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import pod_failures


def why_not_running(deployment: Mapping[str, Any] | None, pods: Sequence[Mapping[str, Any]], where: str) -> list[str]:
    """Return why no pod of ssjdispatcher takes events, in sentences; empty where one does.

    ``deployment`` is the live object, None where there is none, and ``pods`` are those of its selector; ``where`` names it,
    such as ``Deployment default/ssjdispatcher``.
    """
    if deployment is None:
        return [f"There is no {where}."]
    if deployment["spec"].get("replicas", 1) == 0:
        return [f"{where} has 0 replicas, so nothing takes the events."]
    if (deployment.get("status") or {}).get("availableReplicas"):
        return []
    return [f"No pod of {where} is available.", *(f"{reason[0].upper()}{reason[1:]}." for reason in pod_failures(deployment, pods))]


def selector(deployment: Mapping[str, Any]) -> str:
    """Return the label selector of the Deployment's pods as the API's query takes it, such as ``app=ssjdispatcher``."""
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    return ",".join(f"{name}={value}" for name, value in labels.items())
