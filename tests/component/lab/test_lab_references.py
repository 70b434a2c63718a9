"""What the node agent takes from the API for a container."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from lab.node.images import NoImage, image_of
from lab.node.references import MissingReference, References, expand
from lab.state import State

POD = {"metadata": {"name": "pod", "namespace": "ns", "uid": "u1", "labels": {"a/b": "label"}},
       "spec": {"serviceAccountName": "sa", "nodeName": "lab-node"}, "status": {}}


class Api:
    """The objects of one namespace."""

    objects = {
        ("Secret", "s"): {"data": {"key": base64.b64encode(b"\xc3\xa9").decode(), "a.b": "eA=="}},
        ("ConfigMap", "c"): {"data": {"key": "value"}},
        ("ConfigMap", "binary"): {"binaryData": {"bin": "AP8="}},
        ("ConfigMap", "empty"): {},
        ("PersistentVolumeClaim", "p"): {"metadata": {"uid": "p1"}},
        ("ServiceAccount", "sa"): {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:role"}}}}

    def get(self, kind, name, namespace):
        assert namespace == "ns"
        return self.objects.get((kind, name))

    def request(self, method, path, body):
        assert (method, path) == ("POST", "api/v1/namespaces/ns/serviceaccounts/sa/token")
        assert body["spec"]["boundObjectRef"]["uid"] == "u1"
        return {"status": {"token": f"token for {body['spec']['audiences']}"}}


@pytest.fixture
def references():
    return References(Api(), POD)


def from_(kind, name, key, **options):
    return {"name": "X", "valueFrom": {kind: {"name": name, "key": key, **options}}}


def field(path):
    return {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}


@pytest.mark.parametrize(("variable", "value"), [
    ({"name": "X", "value": "plain"}, "plain"), ({"name": "X"}, ""),
    (from_("secretKeyRef", "s", "key"), "é"), (from_("configMapKeyRef", "c", "key"), "value"),
    (from_("configMapKeyRef", "c", "none", optional=True), None),
    (from_("secretKeyRef", "none", "x", optional=True), None),
    (field("metadata.name"), "pod"), (field("metadata.namespace"), "ns"), (field("metadata.labels['a/b']"), "label"),
    (field("metadata.annotations['none']"), ""), (field("spec.serviceAccountName"), "sa"),
    (field("status.podIP"), "127.0.0.1")])
def test_environment_variable(references, variable, value):
    assert references.environment({"env": [variable]}).get("X") == value


@pytest.mark.parametrize(("variable", "message"), [
    (from_("secretKeyRef", "none", "x"), 'secret "none" not found'),
    (from_("configMapKeyRef", "none", "x"), 'configmap "none" not found'),
    (from_("secretKeyRef", "s", "none"), "couldn't find key none in Secret ns/s"),
    (from_("configMapKeyRef", "empty", "none"), "couldn't find key none in ConfigMap ns/empty")])
def test_missing_reference(references, variable, message):
    with pytest.raises(MissingReference, match=message):
        references.environment({"env": [variable]})


def test_env_from_comes_before_env(references):
    container = {"envFrom": [{"prefix": "P_", "configMapRef": {"name": "c"}}], "env": [
        {"name": "A", "value": "$(P_key)-$(NONE)-$$(P_key)"}]}
    assert references.environment(container) == {"P_key": "value", "A": "value-$(NONE)-$(P_key)"}


@pytest.mark.parametrize(("volume", "files"), [
    ({"secret": {"secretName": "s"}}, {"key": "é".encode(), "a.b": b"x"}),
    ({"secret": {"secretName": "s", "items": [{"key": "key", "path": "d/e"}]}}, {"d/e": "é".encode()}),
    ({"secret": {"secretName": "none", "optional": True}}, {}),
    ({"configMap": {"name": "c", "items": [{"key": "key", "path": "k"}]}}, {"k": b"value"}),
    ({"configMap": {"name": "binary"}}, {"bin": b"\x00\xff"}),
    ({"emptyDir": {}}, {}),
    ({"projected": {"sources": [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "c", "items": [{"key": "key", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}},
     {"token": b"token for []", "ca.crt": b"value", "namespace": b"ns"})])
def test_volume(references, volume, files):
    assert references.volume(volume) == files


@pytest.mark.parametrize("volume", [
    {"secret": {"secretName": "none"}}, {"configMap": {"name": "none"}},
    {"secret": {"secretName": "s", "items": [{"key": "none", "path": "x"}]}}])
def test_missing_volume(references, volume):
    with pytest.raises(MissingReference):
        references.volume(volume)


def test_claim(references):
    assert references.claim("p") == "p1"
    with pytest.raises(MissingReference, match='persistentvolumeclaim "none" not found'):
        references.claim("none")


def test_web_identity(references):
    assert references.web_identity() == ("arn:role", "token for ['sts.amazonaws.com']")


def test_expansion_leaves_shell_syntax_alone():
    assert expand("$HOME ${HOME} $(HOME", {"HOME": "x"}) == "$HOME ${HOME} $(HOME"


@pytest.mark.parametrize(("name", "real", "entrypoint"), [
    ("quay.io/cdis/ssjdispatcher:2026.03", None, ["-m", "lab.dispatcher"]),
    ("quay.io/cdis/ssjdispatcher:2026.03", "/bin/real 'a b'", ["/bin/real", "a b"]),
    ("registry:5000/x/indexs3client:1", None, ["-m", "lab.indexer"]),
    ("registry:5000/x/indexs3client:1", "/bin/real 'a b'", ["/bin/real", "a b"]),
    ("lab.example.org/gen3-indexer:1", None, ["-m", "indexer"]),
    (f"lab.example.org/bento@sha256:{'0' * 64}", None, ["-m", "lab.bridge", "/state/bento"]),
    ("lab/shell", None, [])])
def test_image(monkeypatch, name, real, entrypoint):
    monkeypatch.setattr(State, "settings", {"dispatcher_command": real, "indexer_command": real})
    assert image_of(name, State(Path("/state"))).entrypoint[-len(entrypoint):] == entrypoint


@pytest.mark.parametrize("name", ["quay.io/cdis/fence:1", "lab.example.org/bento:1.20.0"])
def test_an_unknown_image_cannot_be_pulled(monkeypatch, name):
    monkeypatch.setattr(State, "settings", {"dispatcher_command": None, "indexer_command": None})
    with pytest.raises(NoImage):
        image_of(name, State(Path("/state")))
