# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes Jobs: how one looks, how many run, and the removal of finished ones."""
from __future__ import annotations

import json
import os
import random
import string
from pathlib import Path
from typing import Any

from lab.dispatcher import configuration
from lab.dispatcher.messages import Crash
from lab.kube import Kube

LABEL = {"app": "ssjdispatcherjob"}


class JobError(Exception):
    """A Job could not be made; its message stays in the queue."""


def manifest(config: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the Job that indexes one path."""
    aws = configuration.aws(configuration.read())
    env = {
        "INPUT_URL": path, "AWS_REGION": aws["region"], "AWS_ACCESS_KEY_ID": aws["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": aws["aws_secret_access_key"], "CONFIG_FILE": json.dumps(config.get("imageConfig"))}
    requests = {
        "cpu": configuration.check_quantity(config.get("RequestCPU") or "500m"),
        "memory": configuration.check_quantity(config.get("RequestMem") or "0.1Gi")}
    suffix = "".join(random.choices(string.ascii_lowercase, k=5))
    return {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": f"{config.get('name', '')}-{suffix}", "labels": LABEL},
        "spec": {
            "backoffLimit": 3, "activeDeadlineSeconds": config.get("DeadLine") or 72000,
            "template": {
                "metadata": {"labels": LABEL},
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": config.get("ServiceAccount") or "ssjdispatcher-job-sa",
                    "containers": [{
                        "name": "job-task", "image": image(config), "imagePullPolicy": "Always",
                        "securityContext": {"privileged": False}, "resources": {"requests": requests},
                        "env": [{"name": name, "value": value} for name, value in env.items()]}]}}}}


def image(config: dict[str, Any]) -> str:
    """Return the image of a job: JOB_IMAGES, once it is set at all, decides."""
    if "JOB_IMAGES" not in os.environ:
        return config.get("image", "")
    try:
        images = json.loads(os.environ["JOB_IMAGES"])
        name = images[config.get("name", "")]
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"JOB_IMAGES has no image for the job {config.get('name')!r}") from error
    if not isinstance(name, str):
        raise Crash("interface conversion: an image in JOB_IMAGES is no string")
    return name


def status(job: dict[str, Any]) -> str:
    """Return Completed, Failed, Running or Unknown."""
    counts = job.get("status", {})
    if counts.get("succeeded"):
        return "Completed"
    if counts.get("failed"):
        return "Failed"
    return "Running" if counts.get("active") else "Unknown"


class Jobs:
    """The dispatcher's Jobs in its namespace."""

    def __init__(self, kube: Kube, namespace: str):
        self._kube = kube
        self._namespace = namespace

    def list(self) -> list[dict[str, Any]]:
        return self._kube.list("Job", self._namespace or None, labelSelector="app=ssjdispatcherjob")

    def get(self, name: str) -> dict[str, Any] | None:
        return self._kube.get("Job", name, self._namespace)

    def create(self, config: dict[str, Any], path: str) -> str:
        """Create the Job of a path and return its name."""
        return self._kube.create(manifest(config, path), self._namespace)["metadata"]["name"]

    def running(self) -> int:
        return sum(status(job) in ("Running", "Unknown") for job in self.list())

    def remove_finished(self) -> None:
        for job in self.list():
            counts = job.get("status", {})
            if counts.get("succeeded", 0) >= 1 or counts.get("failed", 0) >= 3:
                self._kube.delete("Job", job["metadata"]["name"], self._namespace, grace_period=1)


def in_cluster() -> Jobs:
    """Return the Jobs of GEN3_NAMESPACE, with the API access that every pod is given."""
    account = Path(os.environ.get("LAB_ROOT", "/")) / "var/run/secrets/kubernetes.io/serviceaccount"
    try:
        address = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
        kube = Kube(address, (account / "token").read_text(), account / "ca.crt")
    except (KeyError, OSError) as error:
        raise Crash(f"not in a cluster: {error}") from error
    return Jobs(kube, os.environ.get("GEN3_NAMESPACE", ""))
