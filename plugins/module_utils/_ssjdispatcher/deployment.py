# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssjdispatcher's Deployment says about how it is set up. Pure functions.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

FLAVOURS = {"ssjdispatcher": "gen3-helm", "ssjdispatcher-deployment": "cloud-automation"}
"""Name of the Deployment -> what installs it under that name."""

CREDENTIALS = "/credentials.json"
"""Where ssjdispatcher reads its configuration, unless the environment variable CRED_FILE says otherwise."""

DEFAULT_JOB_NUM_MAX = 10


@dataclass(frozen=True)
class KeyOf:
    """One key of a Secret or ConfigMap."""

    name: str
    key: str


USUAL_SECRET = KeyOf("ssjdispatcher-creds", "credentials.json")
"""The Secret that both installers make and mount."""


@dataclass(frozen=True)
class Installation:
    """How ssjdispatcher runs. Without a Deployment it holds the names that both known installers use.

    ``secret`` is what is mounted as its configuration, None if nothing is. ``job_images`` says where its image map
    comes from: a ConfigMap, a literal text, or nowhere (None). ``job_namespace`` is None where GEN3_NAMESPACE is not set.
    """

    deployment: str | None = None
    flavour: str | None = None
    replicas: int | None = None
    service_account: str | None = None
    job_namespace: str | None = None
    secret: KeyOf | None = USUAL_SECRET
    job_images: KeyOf | str | None = KeyOf("manifest-ssjdispatcher", "job_images")
    region: str | None = None
    job_num_max: int = DEFAULT_JOB_NUM_MAX

    @property
    def config_map(self) -> KeyOf | None:
        """The ConfigMap with the image map, if it comes from one."""
        return self.job_images if isinstance(self.job_images, KeyOf) else None


def read_deployment(deployment: Mapping[str, Any], read_config_map: Callable[[str], Mapping | None]) -> Installation:
    """Return how the given Deployment runs ssjdispatcher; ``read_config_map`` gets those that its environment names."""
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    pod = deployment["spec"]["template"]["spec"]
    container = next((c for c in pod["containers"] if _mounted_secret(pod, c)), pod["containers"][0])
    environment = _Environment(container, namespace, read_config_map)
    limit = environment.value("JOB_NUM_MAX") or ""
    return Installation(
        deployment=name,
        flavour=FLAVOURS.get(name, "other"),
        replicas=deployment["spec"].get("replicas", 1),
        service_account=pod.get("serviceAccountName") or "default",
        job_namespace=environment.value("GEN3_NAMESPACE") or None,
        secret=_mounted_secret(pod, container),
        job_images=environment.source("JOB_IMAGES"),
        region=environment.value("AWS_REGION") or None,
        job_num_max=int(limit) if limit.isascii() and limit.isdigit() else DEFAULT_JOB_NUM_MAX,
    )


def setup_problems(installation: Installation, namespace: str) -> list[str]:
    """Return what keeps a change of the configuration from reaching ssjdispatcher, or it from making Jobs."""
    if installation.deployment is None:
        return [
            f"there is no ssjdispatcher in namespace {namespace}: no Deployment {' or '.join(FLAVOURS)}; install it (in"
            " gen3-helm: ssjdispatcher.enabled), or give its namespace and the name of its Deployment."
        ]
    name = f"Deployment {namespace}/{installation.deployment}"
    problems = []
    if installation.secret is None:
        problems.append(
            f"{name} mounts no Secret at {CREDENTIALS} (or where CRED_FILE says): ssjdispatcher finds no configuration;"
            " mount it, as gen3-helm and cloud-automation do."
        )
    if isinstance(installation.job_images, str):
        problems.append(
            f"{name} sets JOB_IMAGES to a fixed text, so that no ConfigMap counts; take it from key job_images of"
            " ConfigMap manifest-ssjdispatcher."
        )
    if installation.job_namespace is None:
        problems.append(f"{name} does not set GEN3_NAMESPACE: ssjdispatcher cannot make Jobs; set it.")
    return problems


class _Environment:
    """The environment variables of a container."""

    def __init__(self, container: Mapping[str, Any], namespace: str, read_config_map: Callable) -> None:
        self.variables = {variable["name"]: variable for variable in container.get("env") or []}
        self.namespace = namespace
        self.read_config_map = read_config_map

    def source(self, name: str) -> KeyOf | str | None:
        """Return the key of a ConfigMap that a variable is taken from, its text, or None where it is not set."""
        variable = self.variables.get(name)
        if variable is None:
            return None
        source = variable.get("valueFrom") or {}
        if reference := source.get("configMapKeyRef"):
            return KeyOf(reference["name"], reference["key"])
        if source.get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
            return self.namespace
        return variable.get("value", "")

    def value(self, name: str) -> str | None:
        source = self.source(name)
        if isinstance(source, KeyOf):
            return ((self.read_config_map(source.name) or {}).get("data") or {}).get(source.key)
        return source


def _mounted_secret(pod: Mapping[str, Any], container: Mapping[str, Any]) -> KeyOf | None:
    """Return the key of a Secret that the container sees as its configuration file, also below a mounted folder."""
    path = next((v.get("value") for v in container.get("env") or [] if v["name"] == "CRED_FILE"), None) or CREDENTIALS
    secrets = {volume["name"]: volume["secret"] for volume in pod.get("volumes") or [] if "secret" in volume}
    for mount in container.get("volumeMounts") or []:
        secret = secrets.get(mount["name"])
        if secret is None:
            continue
        if mount["mountPath"] == path and mount.get("subPath"):
            file = mount["subPath"]
        elif PurePosixPath(mount["mountPath"]) in PurePosixPath(path).parents and not mount.get("subPath"):
            file = str(PurePosixPath(path).relative_to(mount["mountPath"]))
        else:
            continue
        items = {item["path"]: item["key"] for item in secret.get("items") or []}
        if not items or file in items:
            return KeyOf(secret["secretName"], items.get(file, file))
    return None
