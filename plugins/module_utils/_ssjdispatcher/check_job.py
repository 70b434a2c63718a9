# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short Job that tells, from within the cluster, whether the Jobs to come can read from MinIO.

In all that counts it is as the Jobs that ssjdispatcher makes: image, service account, and the label by which network policies choose. Its
key is in a Secret, for as long as it lasts.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube

NAME = "ssjdispatcher-minio-check"

GIVES_UP = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")
"""Reasons of a waiting container that don't pass by themselves."""


def run(kube: Kube, namespace: str, image: str, service_account: str, part: Mapping[str, Any], buckets: Sequence[str],
        timeout: int) -> str | None:
    """Run the check; return what keeps Jobs from reading these ``buckets``, or None.

    ``part`` is the part ``s3`` of ``imageConfig``, with its secret by value.
    """
    kube.delete("Secret", NAME, namespace)  # of a check that was killed
    job = kube.create(_job(f"{NAME}-{secrets.token_hex(3)}", namespace, image, service_account, buckets, timeout), transient=True)
    try:
        # After the Job, which waits for it and takes it along where this process is killed.
        kube.create(_secret(namespace, job["metadata"], part), transient=True)
        return _wait(kube, namespace, job["metadata"]["name"], timeout)
    finally:
        kube.delete("Job", job["metadata"]["name"], namespace)
        kube.delete("Secret", NAME, namespace)


def finding(pod: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Return whether a pod of the check has come to its end, and what it has found (None: nothing is wrong)."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    state = statuses[0].get("state") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated")
    if ended is not None:
        failed = ended.get("exitCode") != 0
        return True, (ended.get("message") or ended.get("reason") or "it ended without a word").strip() if failed else None
    return waiting.get("reason") in GIVES_UP, waiting.get("message") or waiting.get("reason")


def _wait(kube: Kube, namespace: str, job: str, timeout: int) -> str | None:
    give_up = time.monotonic() + timeout
    while True:
        pods = kube.list("Pod", namespace, f"job-name={job}")
        ended, found = finding(pods[0]) if pods else (False, None)
        if ended:
            return found
        if time.monotonic() >= give_up:
            return found or "no pod came to its end in time"
        time.sleep(0.5)


def _job(name: str, namespace: str, image: str, service_account: str, buckets: Sequence[str], timeout: int) -> dict[str, Any]:
    container = {
        "name": "job-task",
        "image": image,
        "imagePullPolicy": "Always",
        "args": ["check"],
        "env": [
            {"name": "CONFIG_FILE", "valueFrom": {"secretKeyRef": {"name": NAME, "key": "configuration"}}},
            {"name": "CHECK_BUCKETS", "value": ",".join(buckets)},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    pod = {"serviceAccountName": service_account, "restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(timeout, 1),
            "ttlSecondsAfterFinished": 300,
            "template": {"metadata": {"labels": {"app": "ssjdispatcherjob"}}, "spec": pod},
        },
    }


def _secret(namespace: str, job: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job["name"], "uid": job["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME, "namespace": namespace, "ownerReferences": [owner]},
        "stringData": {"configuration": json.dumps({"s3": part})},
    }
