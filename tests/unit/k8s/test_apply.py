"""Applying a program's manifests: only what differs is written, what others made stays, and a pod starts with what it reads."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import apply
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError

MANAGER = "tests"


def manifest(kind, **content):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "bridge", "namespace": "n", "annotations": {CREATED_BY: "us"}}, **content}


def deployment(**spec):
    return manifest("Deployment", spec={"template": {"metadata": {"labels": {"app": "b"}}}, **spec})


class Cluster:
    """A server that keeps what is applied, and counts versions."""

    def __init__(self, *objects):
        self.objects = {each["kind"]: {**each, "metadata": {**each["metadata"], "resourceVersion": "1"}} for each in objects}
        self.written, self.deleted, self.version = [], [], 1

    def get(self, kind, name, namespace):
        return self.objects.get(kind)

    def apply(self, manifest, manager, dry_run=False):
        before = self.objects.get(manifest["kind"])
        now = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": before and before["metadata"]["resourceVersion"],
                                        "managedFields": [{"manager": manager}]}}
        if not dry_run:
            self.version += 1
            now["metadata"]["resourceVersion"] = str(self.version)
            self.written.append(manifest["kind"])
            self.objects[manifest["kind"]] = now
        return now

    def delete(self, kind, name, namespace, resource_version, dry_run):
        if not dry_run:
            self.deleted.append((kind, resource_version))


def run(cluster, *manifests, dry_run=False):
    found = apply.observe(cluster, manifests, "n")
    apply.refuse_foreign(manifests, found)
    return [(change.action, change.resource, change.attribute) for change in apply.apply(cluster, manifests, found, MANAGER, dry_run)]


def started_with(cluster):
    return cluster.objects["Deployment"]["spec"]["template"]["metadata"]["annotations"][apply.STARTED_WITH]


def test_what_is_missing_is_created_and_a_second_run_writes_nothing():
    cluster = Cluster()
    manifests = manifest("Secret", data={"a": "1"}), manifest("ConfigMap", data={"b": "2"}), deployment()
    assert run(cluster, *manifests, dry_run=True) == [("create", f"{kind} n/bridge", None) for kind in ("Secret", "ConfigMap", "Deployment")]
    assert cluster.written == []
    assert len(run(cluster, *manifests)) == 3
    assert started_with(cluster) == "2 3"
    cluster.written.clear()
    assert run(cluster, *manifests) == [] and cluster.written == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_another_secret_starts_the_pods_anew_and_its_value_is_not_told(dry_run):
    cluster = Cluster()
    run(cluster, manifest("Secret", data={"a": "1"}), manifest("ConfigMap", data={}), deployment())
    manifests = manifest("Secret", data={"a": "geheim"}), manifest("ConfigMap", data={}), deployment()
    found = apply.observe(cluster, manifests, "n")
    changes = apply.apply(cluster, manifests, found, MANAGER, dry_run)
    assert [(change.resource, change.attribute) for change in changes] == [("Secret n/bridge", "data"), ("Deployment n/bridge", "spec")]
    assert "geheim" not in str(changes[0].before) + str(changes[0].after)
    assert started_with(cluster) == ("2 3" if dry_run else "5 3")


def test_a_secret_that_somebody_else_has_changed_is_put_back_and_the_pods_start_anew():
    cluster = Cluster()
    manifests = manifest("Secret", data={"a": "1"}), deployment()
    run(cluster, *manifests)
    cluster.objects["Secret"]["data"] = {"a": "2"}
    assert [change[1] for change in run(cluster, *manifests)] == ["Secret n/bridge", "Deployment n/bridge"]


def test_nothing_is_written_where_one_object_is_somebody_elses():
    foreign = manifest("Service")
    del foreign["metadata"]["annotations"]
    cluster = Cluster(foreign)
    with pytest.raises(apply.ApplyError, match="Service n/bridge: not made by this role"):
        run(cluster, manifest("Secret"), manifest("Service"))
    assert cluster.written == []
    found = apply.observe(cluster, [manifest("Service")], "n")
    assert apply.remove(cluster, found, dry_run=False) == [] and cluster.deleted == []
    assert apply.staying(found) == ["Service n/bridge was not made by this role, and stays."]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_ours_is_removed_in_the_version_that_was_seen(dry_run):
    cluster = Cluster(manifest("Service"))
    changes = apply.remove(cluster, [cluster.get("Service", "bridge", "n"), None], dry_run)
    assert [(change.action, change.resource) for change in changes] == [("delete", "Service n/bridge")]
    assert cluster.deleted == ([] if dry_run else [("Service", "1")])


def test_what_is_no_manifest_is_told_all_at_once():
    assert apply.problems([manifest("Secret"), {}, {"apiVersion": "v1", "kind": "Secret", "metadata": {}}]) == [
        "definitions[1] has no apiVersion and no kind and no metadata.name.", "definitions[2] has no metadata.name."]


class Certificates:
    def __init__(self, answer):
        self.answer = answer

    def get(self, kind, name, namespace):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(("answer", "words"), [
    (None, "There is no Secret n/tls"), ({}, "tls.crt of Secret n/tls"), ({"data": {"tls.crt": "?", "tls.key": "?"}}, "tls.crt of Secret n/tls"),
    ({"data": {"tls.crt": base64.b64encode(b"\xff").decode()}}, "tls.crt of Secret n/tls")])
def test_a_certificate_that_no_server_takes_is_refused(answer, words):
    with pytest.raises(apply.ApplyError, match=words):
        apply.check_certificate(Certificates(answer), "tls", "n")


def test_a_certificate_that_cannot_be_read_is_told():
    assert "cannot be read with this login" in apply.check_certificate(Certificates(KubeError("no", 403)), "tls", "n")[0]
    with pytest.raises(KubeError):
        apply.check_certificate(Certificates(KubeError("no", 500)), "tls", "n")
