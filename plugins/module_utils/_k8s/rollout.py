# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart a Deployment whose pods run with another configuration, and wait for its rollout.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube, KubeError, apply_to, converge
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import (
    PENDING,
    RolloutError,
    plan_release,
    plan_restart,
    pod_failures,
    version,
    waiting_for,
)


def restart(kube: Kube, deployment: Mapping[str, Any], configuration: Sequence[Mapping[str, Any]],
            dry_run: bool = False) -> list[Change]:
    """Restart a Deployment if its pods started with another ``configuration``; return the changes.

    ``configuration`` lists objects by ``kind`` and ``name``; one that is ``pending`` would have been written by now if this were no
    ``dry_run``. Raises RolloutError and KubeError.
    """
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    versions = observe_configuration(kube, configuration, namespace, dry_run)
    return converge(
        deployment,
        partial(observe_deployment, kube, name, namespace),
        lambda deployment: plan_restart(deployment, versions),
        partial(apply_to, kube, dry_run=dry_run),
    )


def release(kube: Kube, deployment: Mapping[str, Any], names: Sequence[str]) -> list[Change]:
    """Restart a Deployment that has these objects (``kind/name``) in its record of what it started with, and take them out of it."""
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    return converge(
        deployment,
        partial(observe_deployment, kube, name, namespace),
        lambda deployment: plan_release(deployment, names),
        partial(apply_to, kube, dry_run=False),
    )


def observe_deployment(kube: Kube, name: str, namespace: str) -> Mapping[str, Any]:
    """Return the Deployment; raise RolloutError where there is none."""
    deployment = kube.get("Deployment", name, namespace)
    if deployment is None:
        raise RolloutError(f"Cannot restart {describe('Deployment', name, namespace)}: it does not exist.")
    return deployment


def observe_configuration(kube: Kube, configuration: Sequence[Mapping[str, Any]], namespace: str, dry_run: bool) -> dict[str, str]:
    """Return the version of each object by ``kind/name``."""
    versions = {}
    for each in configuration:
        found = kube.get(each["kind"], each["name"], namespace, metadata_only=True)
        if dry_run and each.get("pending"):
            versions[f"{each['kind']}/{each['name']}"] = PENDING
        elif found is None:
            raise RolloutError(
                f"{describe(each['kind'], each['name'], namespace)} does not exist, so that no pod could start with"
                " it; create it first."
            )
        else:
            versions[f"{each['kind']}/{each['name']}"] = version(found["metadata"])
    return versions


def wait(kube: Kube, name: str, namespace: str, timeout: int) -> None:
    """Return when the rollout is finished; raise RolloutError with what the pods say when it is not after ``timeout`` seconds."""
    give_up = time.monotonic() + timeout
    pause = 0.1
    while True:
        deployment = observe_deployment(kube, name, namespace)
        try:
            missing = waiting_for(deployment)
        except RolloutError as error:
            raise RolloutError(f"{error} {reasons(kube, deployment)}") from None
        if missing is None:
            return
        if time.monotonic() >= give_up:
            raise RolloutError(
                f"The rollout of {describe('Deployment', name, namespace)} was not finished after {timeout} s:"
                f" it waits for {missing}. {reasons(kube, deployment)}"
            )
        time.sleep(pause)
        pause = min(2.0, pause * 1.5)


def reasons(kube: Kube, deployment: Mapping[str, Any]) -> str:
    """Return the sentence that tells why pods do not become ready, as far as one may see them."""
    metadata, labels = deployment["metadata"], deployment["spec"]["selector"].get("matchLabels") or {}
    try:
        pods = kube.list("Pod", metadata["namespace"], ",".join(f"{key}={value}" for key, value in labels.items()))
    except KubeError as error:
        return str(error)
    found = "; ".join(pod_failures(deployment, pods)[:3]) or "no pod says why"
    return (
        f"{found[0].upper()}{found[1:]}; look at kubectl logs -n {metadata['namespace']} deployment/{metadata['name']}."
    )
