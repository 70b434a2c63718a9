"""Clusters that exist in memory, with what there is around ssjdispatcher."""

from __future__ import annotations

import base64
import copy
import itertools
import json
from collections import Counter

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError

HELM = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "gen3", "meta.helm.sh/release-namespace": "default"},
}


class Cluster:
    """Serves reads and writes from a dictionary, as Kube does."""

    def __init__(self):
        self.objects = {}
        self.reads = Counter()
        self.refuse = lambda kind: False
        self.before_write = lambda verb, kind, name: None  # what others do right before
        self.writes = []
        self.versions = itertools.count(1000)

    def put(self, kind, name, content=None, namespace="default", **metadata):
        version = str(len(self.objects) + 1)
        metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": version, **metadata}
        self.objects[kind, name, namespace] = {"kind": kind, "metadata": metadata, **(content or {})}
        return self.objects[kind, name, namespace]

    def secret(self, name, **data):
        return self.put("Secret", name, {"data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}})

    def credentials(self, document, **metadata):
        text = document if isinstance(document, str) else json.dumps(document)
        data = {"credentials.json": base64.b64encode(text.encode()).decode()}
        return self.put("Secret", "ssjdispatcher-creds", {"data": data}, **metadata)

    def former(self, credentials="{}"):
        """Put the Secret that a first run makes, which had to change this document."""
        data = {"Secret.ssjdispatcher-creds.credentials.json": base64.b64encode(credentials.encode()).decode()}
        return self.put("Secret", "ssjdispatcher-former", {"data": data}, annotations={CREATED_BY: CREATED_BY_VALUE})

    def images(self, document, **metadata):
        return self.put("ConfigMap", "manifest-ssjdispatcher", {"data": {"job_images": json.dumps(document)}}, **metadata)

    def get(self, kind, name, namespace, metadata_only=False):
        self._read(kind, name, namespace)
        return copy.deepcopy(self.objects.get((kind, name, namespace)))

    def list(self, kind, namespace, label_selector=None):
        self._read(kind, None, namespace)
        return [copy.deepcopy(each) for (k, n, ns), each in self.objects.items() if (k, ns) == (kind, namespace)]

    def create(self, manifest, dry_run=False, transient=False):
        metadata = manifest["metadata"]
        target = (manifest["kind"], metadata["name"], metadata["namespace"])
        self._write("create", *target)
        if target in self.objects:
            raise KubeError(f"Cannot create {target}: it exists.", 409)
        return self.put(manifest["kind"], content={k: v for k, v in manifest.items() if k not in ("kind", "metadata")}, **metadata)

    def merge_patch(self, kind, name, namespace, patch, dry_run=False):
        self._write("patch", kind, name, namespace)
        found = self.objects[kind, name, namespace]
        if patch["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            raise KubeError(f"Cannot change {kind} {name}: others keep changing it.", 409)
        _merge(found, patch)
        found["metadata"]["resourceVersion"] = str(next(self.versions))
        return copy.deepcopy(found)

    def delete(self, kind, name, namespace, resource_version=None, dry_run=False):
        self._write("delete", kind, name, namespace)
        self.objects.pop((kind, name, namespace), None)

    def document(self):
        """credentials.json as it is."""
        data = self.objects["Secret", "ssjdispatcher-creds", "default"]["data"]
        return json.loads(base64.b64decode(data["credentials.json"]))

    def _write(self, verb, kind, name, namespace):
        self.before_write(verb, kind, name)
        self.writes.append((verb, kind, name))

    def _read(self, *request):
        self.reads[request] += 1
        if self.refuse(request[0]):
            raise KubeError(f"Cannot list {request[0]}s: forbidden.", 403)


def deployment(cluster, name="ssjdispatcher", env=None, helm=True, mounts="ssjdispatcher-creds", **template_metadata):
    env = env or [
        {"name": "AWS_REGION", "value": "us-east-1"},
        {"name": "GEN3_NAMESPACE", "value": "default"},
        {"name": "JOB_IMAGES", "valueFrom": {"configMapKeyRef": {"name": "manifest-ssjdispatcher", "key": "job_images"}}},
    ]
    pod = {
        "serviceAccountName": "ssjdispatcher-sa",
        "containers": [{"name": "ssjdispatcher", "env": env, "volumeMounts": [
            {"name": "creds", "mountPath": "/credentials.json", "subPath": "credentials.json"}]}],
        "volumes": [{"name": "creds", "secret": {"secretName": mounts}}],
    }
    content = {
        "spec": {"replicas": 1, "template": {"metadata": template_metadata, "spec": pod}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
    }
    return cluster.put("Deployment", name, content, generation=1, **(HELM if helm else {}))


def _merge(target, patch):
    for key, value in patch.items():
        if isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = value


def gen3_helm(fence, ssj, gateway):
    """Return the objects of gen3-helm with these passwords, without credentials.json."""
    cluster = Cluster()
    deployment(cluster)
    cluster.put("ServiceAccount", "ssjdispatcher-sa", **HELM)
    cluster.put("ServiceAccount", "ssjdispatcher-job-sa", **HELM)
    cluster.put("RoleBinding", "ssjdispatcher-binding", {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "ssjdispatcher-sa", "namespace": "default"}]}, **HELM)
    cluster.images({"indexing": "quay.io/cdis/indexs3client:2026.01"}, **HELM)
    cluster.secret("indexd-service-creds", fence=fence, ssj=ssj)
    cluster.secret("metadata-g3auto", **{"metadata.env": f"DEBUG=0\nADMIN_LOGINS=gateway:{gateway}\n"})
    return cluster
