# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as an operator finds it: as gen3-helm leaves it, without uploads set up."""
from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.kube import Kube, KubeError

NAMESPACE = "default"
RELEASE = "gen3"
INDEXER_IMAGE = "quay.io/cdis/indexs3client:2025.12"
DISPATCHER_IMAGE = "quay.io/cdis/ssjdispatcher:2026.03"


ORDER_OF_REMOVAL = (
    "CustomResourceDefinition", "Deployment", "CronJob", "Job", "ReplicaSet", "Pod", "PersistentVolumeClaim", "Service", "Secret",
    "ConfigMap", "RoleBinding", "Role", "NetworkPolicy", "ServiceAccount", "Event", "ClusterRoleBinding", "ClusterRole")
"""Owners before what they own, so that no controller makes anew what is being removed."""

MADE_BY_KUBERNETES = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"), ("Service", "kubernetes")}


def fill(kube: Kube, passwords: dict[str, dict[str, str]], recreate: bool, chart_secret: bool) -> None:
    """Create the objects of ``manifests``, and with ``chart_secret`` the Secret of ``chart_credentials``."""
    for manifest in [*([chart_credentials()] if chart_secret else []), *manifests(passwords, recreate)]:
        kube.apply(manifest)


def empty(kube: Kube) -> None:
    """Remove all that Kubernetes has not made itself, in every namespace; namespaces stay."""
    for kind in ORDER_OF_REMOVAL:
        for item in kube.list(kind, None):
            metadata = item["metadata"]
            name, namespace = metadata["name"], metadata.get("namespace", "")
            bootstrapping = "kubernetes.io/bootstrapping" in metadata.get("labels", {})
            if (kind, name) in MADE_BY_KUBERNETES or namespace.startswith("kube-") or bootstrapping:
                continue
            if metadata.get("finalizers") and kind != "CustomResourceDefinition":
                _let_go(kube, kind, name, namespace)
            kube.delete(kind, name, namespace, grace_period=0)


def _let_go(kube: Kube, kind: str, name: str, namespace: str) -> None:
    """Take the finalizers off an object, unless a controller has just removed it."""
    try:
        kube.patch(kind, name, {"metadata": {"finalizers": None}}, namespace)
    except KubeError as error:
        if error.status != 404:
            raise


def passwords(file: str | None) -> dict[str, dict[str, str]]:
    """Return service -> user -> password: those of a JSON file, which real services may have too, or else new ones."""
    if file:
        return json.loads(Path(file).read_text())
    return {"indexd": {user: _password(20) for user in ("fence", "sheepdog", "ssj", "gateway")},
            "metadata": {"gateway": _password(32)}}


def manifests(passwords: dict[str, dict[str, str]], recreate: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the objects of the charts indexd, metadata, revproxy and ssjdispatcher that uploads depend on.

    The Secret ``ssjdispatcher-creds`` is not among them (see ``chart_credentials``): without it the dispatcher's pod waits. ``recreate``: the
    Deployment never runs two pods at once, as a real dispatcher with its fixed port needs it.
    """
    yield helm("ServiceAccount", "ssjdispatcher-sa", chart="ssjdispatcher")
    yield helm("ServiceAccount", "ssjdispatcher-job-sa", chart="ssjdispatcher")
    yield helm("RoleBinding", "ssjdispatcher-binding", {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "ssjdispatcher-sa", "namespace": NAMESPACE}]})
    yield secret("indexd-service-creds", passwords["indexd"])
    yield secret("metadata-g3auto", metadata_secret(passwords["metadata"]))
    job_images = json.dumps({"indexing": INDEXER_IMAGE})
    yield helm("ConfigMap", "manifest-ssjdispatcher", {"data": {"job_images": job_images}})
    for chart, port in (("indexd", 80), ("metadata", 80), ("revproxy", 80), ("ssjdispatcher", 8000)):
        yield helm("Service", f"{chart}-service", {"spec": {
            "selector": {"app": chart}, "ports": [{"name": "http", "port": 80, "targetPort": port}]}}, chart)
    yield deployment(recreate)


def deployment(recreate: bool = False) -> dict[str, Any]:
    """Return the chart's Deployment."""
    labels = {"app.kubernetes.io/name": "ssjdispatcher", "app.kubernetes.io/instance": RELEASE,
              "app": "ssjdispatcher", "release": "production"}
    status = {"httpGet": {"path": "/_status", "port": "http"}}
    container = {
        "name": "ssjdispatcher", "image": DISPATCHER_IMAGE, "imagePullPolicy": "Always",
        "env": [
            {"name": "AWS_REGION", "value": "us-east-1"},
            {"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"},
            {"name": "GEN3_NAMESPACE", "value": NAMESPACE},
            {"name": "JOB_IMAGES",
             "valueFrom": {"configMapKeyRef": {"name": "manifest-ssjdispatcher", "key": "job_images"}}}],
        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
        "livenessProbe": {**status, "initialDelaySeconds": 5, "periodSeconds": 60, "timeoutSeconds": 30},
        "readinessProbe": status,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "2400Mi"}},
        "volumeMounts": [{"name": "ssjdispatcher-creds-volume", "mountPath": "/credentials.json",
                          "subPath": "credentials.json", "readOnly": True}]}
    return helm("Deployment", "ssjdispatcher", {"spec": {
        "replicas": 1, "revisionHistoryLimit": 2, "selector": {"matchLabels": labels},
        "strategy": {"type": "Recreate"} if recreate else {
            "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {**labels, "netnolimit": "yes", "public": "yes"},
                         "annotations": {f"checksum/{part}": secrets.token_hex(32) for part in ("secret", "config")}},
            "spec": {
                "serviceAccountName": "ssjdispatcher-sa", "securityContext": {"runAsUser": 1000, "fsGroup": 1000},
                "volumes": [{"name": "ssjdispatcher-creds-volume", "secret": {"secretName": "ssjdispatcher-creds"}}],
                "containers": [container]}}}}, "ssjdispatcher")


def chart_credentials() -> dict[str, Any]:
    """Return the Secret that the chart makes from its default values, unless External Secrets are on: with placeholders."""
    document = {
        "SQS": {"url": "https://sqs.us-east-1.amazonaws.com/12345678901234/test-upload_data_upload"},
        "JOBS": [{
            "name": "indexing", "pattern": "s3://test-12345678901234-upload/*",
            "imageConfig": {
                "url": "http://indexd-service/index", "username": "ssj", "password": "replace_with_password",
                "metadataService": {
                    "url": "http://revproxy-service/mds", "username": "gateway", "password": "replace_with_password"}},
            "RequestCPU": "500m", "RequestMem": "0.5Gi"}]}
    return secret("ssjdispatcher-creds", {"credentials.json": json.dumps(document)})


def metadata_secret(logins: dict[str, str]) -> dict[str, str]:
    """Return the content of the Secret metadata-g3auto."""
    admin_logins = ",".join(f"{user}:{password}" for user, password in logins.items())
    lines = ("DEBUG=0", "DB_HOST=gen3-postgresql", "DB_USER=metadata_gen3", f"DB_PASSWORD={_password(20)}",
             "DB_DATABASE=metadata_gen3", f"ADMIN_LOGINS={admin_logins}")
    quoted = base64.b64encode(f'"gateway:{logins["gateway"]}"'.encode()).decode()  # with quotes, as the chart does it
    return {"metadata.env": "\n".join(lines) + "\n", "base64Authz.txt": quoted}


def secret(name: str, content: dict[str, str], **metadata: Any) -> dict[str, Any]:
    """Return a Secret that Helm owns; ``metadata`` overrides that."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    manifest = helm("Secret", name, {"type": "Opaque", "data": data})
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def tls_secret(name: str, certificate: Path, key: Path) -> dict[str, Any]:
    """Return the Secret of a server's certificate, as the operator has made it."""
    files = {"tls.crt": certificate, "tls.key": key}
    data = {key: base64.b64encode(file.read_bytes()).decode() for key, file in files.items()}
    return {"kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "type": "kubernetes.io/tls", "data": data}


def helm(kind: str, name: str, content: dict[str, Any] | None = None, chart: str | None = None) -> dict[str, Any]:
    """Return an object with the marks of a Helm release, and the chart's labels if the chart sets them."""
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    if chart:
        labels |= {"app.kubernetes.io/name": chart, "app.kubernetes.io/instance": RELEASE,
                   "app.kubernetes.io/version": "0.1.50", "app.kubernetes.io/part-of": "Workspace-Tab",
                   "app": chart, "critical-service": "true", "release": "production"}
    annotations = {"meta.helm.sh/release-name": RELEASE, "meta.helm.sh/release-namespace": NAMESPACE}
    return {"kind": kind, "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels,
                                       "annotations": annotations}, **(content or {})}


def _password(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
