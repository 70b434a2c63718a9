# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a Deployment has to be restarted, and when its rollout is finished. Pure functions.

Private to the collection gen3.uploads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe

RECORD = "gen3.uploads/configuration"
"""Annotation of the pod template: a JSON object from ``kind/name`` to the version that the pods started with."""

PENDING = "changed by this run"
"""Stands, in check mode, for the version that an earlier task would have written."""


class RolloutError(UploadsError):
    """A Deployment that cannot be restarted, or whose rollout does not finish; one sentence."""


def version(metadata: Mapping[str, Any]) -> str:
    """Return what tells an object's content from all that it ever was.

    The uid and the resourceVersion do so on their own, a checksum of the content does not: someone may have restored
    the old content, rolled the pods, and we have written ours again. And a checksum of a short secret, readable in the
    Deployment by those who may not read the Secret, would give it away.
    """
    return f"{metadata['uid']}/{metadata['resourceVersion']}"


def recorded(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Return ``kind/name`` -> the version that the pods of a Deployment started with, as a restart of ours has noted it."""
    annotations = (deployment["spec"]["template"].get("metadata") or {}).get("annotations") or {}
    try:
        found = json.loads(annotations.get(RECORD, "{}"))
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}  # spoilt by hand: as good as none


def plan_restart(deployment: Mapping[str, Any], configuration: Mapping[str, str]) -> list[Change]:
    """Return the one patch that restarts a Deployment whose pods started with another configuration, or nothing.

    ``configuration`` maps ``kind/name`` to the current version. Records of other objects stay as they are. Raises
    RolloutError where the Deployment is paused.
    """
    started_with = recorded(deployment)
    stale = [name for name, current in configuration.items() if started_with.get(name) != current]
    if not stale:
        return []
    _check_not_paused(deployment)
    before, after = {name: started_with.get(name) for name in stale}, {name: configuration[name] for name in stale}
    return [_restart(deployment, before, after, {**started_with, **configuration})]


def plan_release(deployment: Mapping[str, Any], names: Sequence[str]) -> list[Change]:
    """Return the one patch that takes these ``kind/name`` out of the record, which restarts the Deployment; or nothing.

    Raises RolloutError where the Deployment is paused.
    """
    started_with = recorded(deployment)
    before = {name: version for name, version in started_with.items() if name in names}
    if not before:
        return []
    _check_not_paused(deployment)
    return [_restart(deployment, before, {}, {name: version for name, version in started_with.items() if name not in names})]


def _restart(deployment: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], record: Mapping[str, str]) -> Change:
    metadata = deployment["metadata"]
    text = json.dumps(record, sort_keys=True, separators=(",", ":")) if record else None
    patch = {
        "metadata": {"resourceVersion": metadata["resourceVersion"]},
        "spec": {"template": {"metadata": {"annotations": {RECORD: text}}}},
    }
    target = {"kind": "Deployment", "name": metadata["name"], "namespace": metadata["namespace"], "patch": patch}
    return Change("update", _name(deployment), "restart", before, after, "merge_patch", target)


def waiting_for(deployment: Mapping[str, Any]) -> str | None:
    """Return what the rollout still waits for, or None when it is finished: the rules of ``kubectl rollout status``.

    Raises RolloutError where it will not finish: paused, or past its progress deadline.
    """
    spec, status = deployment["spec"], deployment.get("status") or {}
    desired = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if deployment["metadata"]["generation"] > status.get("observedGeneration", 0):
        missing = "the deployment controller to see the new specification"
    elif _condition(deployment, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        raise RolloutError(f"{_name(deployment)} exceeded its progress deadline.")
    elif updated < desired:
        missing = f"new pods ({updated} of {desired} exist)"
    elif total > updated:
        missing = f"the end of {total - updated} old pods"
    elif available < updated:
        missing = f"new pods to become available ({available} of {updated} are)"
    else:
        return None
    _check_not_paused(deployment)
    return missing


def pod_failures(deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why pods do not become ready, the newest first; never a container's own last words (its log)."""
    found = []
    failure = _condition(deployment, "ReplicaFailure")
    if failure.get("status") == "True":
        found.append(f"no pod can be created: {failure.get('message')}")
    for pod in sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True):
        if "deletionTimestamp" in pod["metadata"]:
            continue
        status = pod.get("status") or {}
        for condition in status.get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                found.append(f"pod {pod['metadata']['name']} is not scheduled: {condition.get('message')}")
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            if reason := _why_not_running(container):
                found.append(f"container {container['name']} of pod {pod['metadata']['name']}: {reason}")
    return found


def _why_not_running(container: Mapping[str, Any]) -> str:
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    parts = []
    if waiting:
        parts.append(": ".join(filter(None, [waiting.get("reason"), waiting.get("message")])))
    if ended and ended.get("exitCode") != 0:
        parts.append(f"ended with exit code {ended.get('exitCode')} ({ended.get('reason')})")
    if not parts and not container.get("ready") and "running" in state:
        parts.append("runs, but is not ready")
    return ", ".join(parts)


def _check_not_paused(deployment: Mapping[str, Any]) -> None:
    if deployment["spec"].get("paused"):
        metadata = deployment["metadata"]
        raise RolloutError(
            f"{_name(deployment)} is paused, so that its pods keep their old configuration; resume it with"
            f" kubectl rollout resume deployment/{metadata['name']} -n {metadata['namespace']} and run again."
        )


def _condition(deployment: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = (deployment.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _name(deployment: Mapping[str, Any]) -> str:
    return describe("Deployment", deployment["metadata"]["name"], deployment["metadata"]["namespace"])
