# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Kubernetes API client for the lab's own parts and for tests: plain dicts, no discovery."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

GROUPS = {
    "api/v1": {
        "Namespace": "namespaces", "Node": "nodes", "Pod": "pods", "Secret": "secrets", "ConfigMap": "configmaps",
        "Service": "services", "ServiceAccount": "serviceaccounts", "Event": "events",
        "PersistentVolumeClaim": "persistentvolumeclaims"},
    "apis/apps/v1": {"Deployment": "deployments", "ReplicaSet": "replicasets"},
    "apis/batch/v1": {"Job": "jobs", "CronJob": "cronjobs"},
    "apis/networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
    "apis/rbac.authorization.k8s.io/v1": {
        "Role": "roles", "RoleBinding": "rolebindings", "ClusterRole": "clusterroles",
        "ClusterRoleBinding": "clusterrolebindings"},
    "apis/apiextensions.k8s.io/v1": {"CustomResourceDefinition": "customresourcedefinitions"},
    "apis/external-secrets.io/v1": {"ExternalSecret": "externalsecrets"},
}
RESOURCES = {kind: (group, plural) for group, kinds in GROUPS.items() for kind, plural in kinds.items()}
CLUSTER_WIDE = {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}


class KubeError(Exception):
    """The API server refused a request; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Kube:
    """The API server at ``url``, as the user whom the token names."""

    def __init__(self, url: str, token: str, ca_file: Path | str):
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # the pods' proxy is not for the API server
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.verify = str(ca_file)

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json",
                **query: Any) -> Any:
        """Send one request and return the decoded answer; raises KubeError for a status of 400 or above."""
        response = self._session.request(method, f"{self.url}/{path}", json=body, params=query, timeout=30,
                                         headers={"Content-Type": content_type})
        if response.status_code >= 400:
            raise KubeError(response.status_code, f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.headers["Content-Type"].startswith("application/json") else response.text

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any] | None:
        """Return one object, or None when there is none."""
        try:
            return self.request("GET", path_of(kind, name, namespace))
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: str, namespace: str | None = "default", **query: Any) -> list[dict[str, Any]]:
        """Return the objects of one kind; in all namespaces when ``namespace`` is None."""
        return self.request("GET", path_of(kind, None, namespace), **query)["items"]

    def create(self, manifest: Mapping[str, Any], namespace: str = "default") -> dict[str, Any]:
        """Create an object in the namespace that it names, else in ``namespace``."""
        namespace = manifest["metadata"].get("namespace", namespace)
        return self.request("POST", path_of(manifest["kind"], None, namespace), manifest)

    def apply(self, manifest: Mapping[str, Any], namespace: str = "default", manager: str = "helm",
              force: bool = True) -> dict[str, Any]:
        """Create an object or make it what the manifest says (server-side apply, with ``force`` taking fields from others)."""
        metadata = manifest["metadata"]
        group = RESOURCES[manifest["kind"]][0].partition("/")[2]
        return self.request(
            "PATCH", path_of(manifest["kind"], metadata["name"], metadata.get("namespace", namespace)),
            {"apiVersion": group, **manifest}, "application/apply-patch+yaml", fieldManager=manager, force=str(force).lower())

    def patch(self, kind: str, name: str, patch: Mapping[str, Any], namespace: str = "default",
              subresource: str = "") -> dict[str, Any]:
        """Merge ``patch`` into an object (JSON merge patch)."""
        path = path_of(kind, name, namespace) + (f"/{subresource}" if subresource else "")
        return self.request("PATCH", path, patch, "application/merge-patch+json")

    def delete(self, kind: str, name: str, namespace: str = "default", uid: str | None = None,
               grace_period: int | None = None) -> bool:
        """Delete an object (only the one with ``uid``, if given); returns whether it was there."""
        options: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        try:
            self.request("DELETE", path_of(kind, name, namespace), options)
        except KubeError as error:
            if error.status in (404, 409):
                return False
            raise
        return True


def path_of(kind: str, name: str | None, namespace: str | None) -> str:
    """Return the path of an object, or with no name of its collection."""
    group, plural = RESOURCES[kind]
    scope = f"namespaces/{namespace}/" if namespace and kind not in CLUSTER_WIDE else ""
    return f"{group}/{scope}{plural}" + (f"/{name}" if name else "")
