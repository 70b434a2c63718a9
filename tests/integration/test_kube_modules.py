"""k8s_merge_document and k8s_rollout_restart against a real API server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import client as _kube
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import RECORD
from ansible_collections.gen3.uploads.plugins.modules import k8s_merge_document, k8s_rollout_restart
from lab.faults import ANSWER_LOST, THROTTLED, UNAVAILABLE

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = '{"AWS": {"n": 1.0, "big": 123456789012345678901234567890},\n    "JOBS": [{"name": "other", "e": 1e3}]}'
PASSWORD = 'p"\\ä/&+ \u2028 very-secret-password'
BINARY = base64.b64encode(bytes(range(256))).decode()


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def namespace(lab):
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    lab.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    for kind in ("Deployment", "ReplicaSet", "Pod"):
        for each in lab.kube.list(kind, name):
            lab.kube.delete(kind, each["metadata"]["name"], name, grace_period=0)
    lab.kube.delete("Namespace", name)


@pytest.fixture
def run(lab, run_module):
    """Run a module as the operator."""
    kubeconfig = lab.environment()["K8S_AUTH_KUBECONFIG"]
    return lambda module, **options: run_module(module, **{"kubeconfig": kubeconfig, **options})


@pytest.fixture
def secrets(lab, namespace):
    """A document that others have written, beside a key that is not text, and the Secret of a password."""
    labels = {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "gen3"}}
    for name, data, metadata in (
        ("creds", {"c.json": encoded(FOREIGN), "binary": BINARY}, labels),
        ("passwords", {"fence": encoded(PASSWORD)}, {}),
    ):
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, **metadata}, "data": data}
        lab.kube.create(manifest, namespace)


def document(namespace, **options):
    job = {"name": "indexing", "imageConfig": {"password": {"value_from": {"secret": "passwords", "key": "fence"}}}}
    return {
        "kind": "Secret",
        "name": "creds",
        "namespace": namespace,
        "key": "c.json",
        "list_keys": {"JOBS": "name"},
        "merge": {"JOBS": [job]},
        **options,
    }


def text_of(lab, namespace, name="creds", key="c.json"):
    return base64.b64decode(lab.kube.get("Secret", name, namespace)["data"][key]).decode()


def test_merge_into_what_others_have_written(lab, namespace, secrets, run):
    before = lab.kube.get("Secret", "creds", namespace)
    predicted = run(k8s_merge_document, documents=[document(namespace)], _ansible_check_mode=True)
    assert lab.kube.get("Secret", "creds", namespace) == before
    result = run(k8s_merge_document, documents=[document(namespace)])
    after = lab.kube.get("Secret", "creds", namespace)

    resource = f"Secret {namespace}/creds"
    assert (
        result["changes"] == predicted["changes"] == [{"action": "update", "resource": resource, "attribute": "c.json"}]
    )
    assert result["diff"] == predicted["diff"]
    assert result["diff"]["after"][f"{resource}: c.json"]["JOBS[name=indexing].imageConfig.password"] == "<redacted>"
    assert result["warnings"] == predicted["warnings"]
    assert "helm upgrade of release gen3" in json.dumps(result["warnings"])
    assert after["data"]["binary"] == before["data"]["binary"]
    assert [after["metadata"][part] for part in ("labels", "annotations", "uid")] == [
        before["metadata"][part] for part in ("labels", "annotations", "uid")
    ]
    text = text_of(lab, namespace)
    assert '"n": 1.0' in text and '"big": 123456789012345678901234567890' in text and '"e": 1e3' in text
    assert json.loads(text)["JOBS"][1] == {"name": "indexing", "imageConfig": {"password": PASSWORD}}


def test_a_second_run_writes_nothing(lab, namespace, secrets, run):
    run(k8s_merge_document, documents=[document(namespace)])
    with lab.calls() as calls:
        assert not run(k8s_merge_document, documents=[document(namespace)])["changed"]
    assert calls.writes == []


def test_what_was_added_can_be_taken_away(lab, namespace, secrets, run):
    run(k8s_merge_document, documents=[document(namespace)])
    run(k8s_merge_document, documents=[document(namespace, merge={}, remove=["JOBS[name=indexing]"])])
    assert json.loads(text_of(lab, namespace)) == json.loads(FOREIGN)


def test_an_object_of_ours_is_created_and_deleted(lab, namespace, secrets, run):
    ours = document(namespace, name="ours", labels={"l": "1"}, annotations={"a": "2"})
    removal = {**ours, "merge": {}, "remove": ["JOBS[name=indexing]"]}
    assert not run(k8s_merge_document, documents=[removal])["changed"]
    predicted = run(k8s_merge_document, documents=[ours], _ansible_check_mode=True)
    assert lab.kube.get("Secret", "ours", namespace) is None
    assert run(k8s_merge_document, documents=[ours])["changes"] == predicted["changes"]
    metadata = lab.kube.get("Secret", "ours", namespace)["metadata"]
    assert metadata["labels"] == {"l": "1"}
    assert metadata["annotations"] == {"a": "2", "gen3.uploads/created-by": "gen3.uploads"}
    predicted = run(k8s_merge_document, documents=[removal], _ansible_check_mode=True)
    assert run(k8s_merge_document, documents=[removal])["changes"] == predicted["changes"]
    assert lab.kube.get("Secret", "ours", namespace) is None


def test_a_config_map_shows_its_values(lab, namespace, run):
    numbers = {"kind": "ConfigMap", "name": "numbers", "namespace": namespace, "key": "n.json"}
    data = {"n.json": '{"a":1.50,"b":1e3}'}
    lab.kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "numbers"}, "data": data}, namespace)
    result = run(k8s_merge_document, documents=[{**numbers, "merge": {"a": 2}, "remove": ["b"]}])
    assert result["diff"]["before"] == {f"ConfigMap {namespace}/numbers: n.json": {"a": 1.5, "b": 1000.0}}
    assert result["diff"]["after"] == {f"ConfigMap {namespace}/numbers: n.json": {"a": 2}}
    assert lab.kube.get("ConfigMap", "numbers", namespace)["data"] == {"n.json": '{"a":2}'}


def test_every_impersonated_group_counts(namespace, secrets, run):
    groups = ["some-group", "system:masters"]
    identity = {"impersonate_user": "jane", "impersonate_groups": groups}
    assert run(k8s_merge_document, documents=[document(namespace)], **identity)["changed"]


def test_two_documents_of_one_object(lab, namespace, secrets, run):
    documents = [document(namespace), document(namespace, key="new.json", merge={"a": 1})]
    assert len(run(k8s_merge_document, documents=documents)["changes"]) == 2
    assert json.loads(text_of(lab, namespace, key="new.json")) == {"a": 1}
    assert len(json.loads(text_of(lab, namespace))["JOBS"]) == 2


@pytest.mark.parametrize("name", ["creds", "new"])
def test_two_documents_of_one_object_are_predicted_as_they_come(lab, namespace, secrets, run, name):
    documents = [document(namespace, name=name), document(namespace, name=name, key="new.json", merge={"a": 1})]
    predicted = run(k8s_merge_document, documents=documents, _ansible_check_mode=True)
    done = run(k8s_merge_document, documents=documents)
    assert predicted["changes"] == done["changes"] != []
    assert [change["action"] for change in done["changes"]] == ["update" if name == "creds" else "create", "update"]
    gone = [document(namespace, name=name, merge={}, remove=["JOBS"]), document(namespace, name=name, key="new.json", merge={}, remove=["a"])]
    predicted = run(k8s_merge_document, documents=gone, _ansible_check_mode=True)
    assert predicted["changes"] == run(k8s_merge_document, documents=gone)["changes"] != []


def test_nothing_is_written_when_one_of_the_documents_cannot_be(lab, namespace, secrets, run):
    before = lab.kube.get("Secret", "creds", namespace)
    documents = [document(namespace), document(namespace, key="binary")]
    result = run(k8s_merge_document, documents=documents)
    assert result["msg"] == f"Cannot merge into key binary of Secret {namespace}/creds: it is not text in UTF-8."
    assert lab.kube.get("Secret", "creds", namespace) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"namespace": "no-such-namespace", "merge": {"a": 1}},
            "there is no namespace no-such-namespace; create it first",
        ),
        ({"name": "absent", "create": False}, "the object does not exist, and create is false."),
        ({"kind": "ConfigMap"}, "Refusing to write a secret value into ConfigMap"),
        ({"merge": {"AWS": []}}, "it holds an object at AWS where a list is to be merged."),
        ({"merge": {"a": {"value_from": {"secret": "none", "key": "k"}}}}, "there is no such Secret."),
    ],
)
def test_wishes_that_cannot_be_fulfilled(namespace, secrets, run, options, message):
    result = run(k8s_merge_document, documents=[document(**{"namespace": namespace, **options})])
    assert result["failed"]
    assert message in result["msg"]
    assert "Traceback" not in json.dumps(result)


def test_an_immutable_object(lab, namespace, secrets, run):
    lab.kube.patch("Secret", "creds", {"immutable": True}, namespace)
    assert "the object is immutable" in run(k8s_merge_document, documents=[document(namespace)])["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kubeconfig": "/no/such/file"},
            "the kubeconfig file in /no/such does not exist; set the option kubeconfig or the environment variable K8S_AUTH_KUBECONFIG",
        ),
        ({"context": "moon"}, "Expected object with name moon in"),
        (
            {"host": "https://127.0.0.1:1", "api_key": "wrong-token-of-a-test"},
            "cannot be reached ([Errno 111]",
        ),
        ({"host": "SERVER", "api_key": "wrong-token-of-a-test"}, "no TLS connection to"),
        (
            {"host": "SERVER", "api_key": "wrong-token-of-a-test", "validate_certs": False},
            "does not accept the credentials (401 Unauthorized)",
        ),
        (
            {"impersonate_user": "jane"},
            "user jane lacks the permission (403 Forbidden); add to a Role in namespace default that is bound to it the"
            ' rule {apiGroups: [""], resources: [configmaps], verbs: [get]}.',
        ),
    ],
)
def test_an_api_server_that_cannot_be_used(lab, tmp_path, options, message):
    """In processes of their own: the kubernetes client remembers the kubeconfig that it has once loaded."""
    options = {name: lab.state.url("kube-apiserver") if value == "SERVER" else value for name, value in options.items()}
    desired = document("default", kind="ConfigMap", merge={"a": 1})
    output = ansible(lab, tmp_path, "k8s_merge_document", {"documents": [desired], **options})
    assert message in " ".join(output.replace("''", "'").split())
    assert "Traceback" not in output


def ansible(lab, directory, module, options):
    """Run a module in a play of its own; return all that Ansible can be made to tell about it."""
    variables = lab.environment()
    if "host" in options:
        variables = {name: value for name, value in variables.items() if "KUBECONFIG" not in name}
    else:
        options = {"kubeconfig": variables["K8S_AUTH_KUBECONFIG"], **options}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{f"gen3.uploads.{module}": options}]}
    (directory / "play.yml").write_text(json.dumps([play]))
    command = [sys.executable, "-m", "ansible", "playbook", "-vvvv", "--diff", "play.yml"]
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "ANSIBLE_INJECT_INVOCATION": "1"}
    environment = {**os.environ, **variables, **paths}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False).stdout


def forms(secret):
    """Yield a secret as it is, and in the encodings in which it could get into an output."""
    yield secret
    yield from (quote(secret), quote(secret, safe=""), repr(secret)[1:-1])
    yield from (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    # In base64 a text looks different for each position modulo three; its ends depend on what is beside it.
    yield from (encoded("x" * offset + secret)[4:-4] for offset in range(3))


def test_secrets_stay_out_of_all_output(lab, namespace, secrets, tmp_path):
    given = "another-very-secret-key"
    desired = document(namespace)
    desired["merge"]["AWS"] = {"aws_secret_access_key": {"value_from": {"sensitive": "key"}}}
    for _run in range(2):
        output = ansible(lab, tmp_path, "k8s_merge_document", {"documents": [desired], "sensitive": {"key": given}})
        assert "JOBS[name=indexing].imageConfig.password" in output and "module_args" in output
        for secret in (PASSWORD, "very-secret-password", given, FOREIGN, text_of(lab, namespace)):
            for form in forms(secret):
                assert form not in output
        assert json.loads(text_of(lab, namespace))["AWS"]["aws_secret_access_key"] == given
        # The second time with a value that replaces another.
        desired["merge"]["JOBS"][0]["imageConfig"]["password"] = {"value_from": {"sensitive": "key"}}


EXTERNAL_SECRET_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "externalsecrets.external-secrets.io"},
    "spec": {
        "group": "external-secrets.io",
        "scope": "Namespaced",
        "names": {"plural": "externalsecrets", "kind": "ExternalSecret"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture
def external_secret(lab, namespace):
    """An ExternalSecret of the merged Secret's name."""
    lab.kube.create(EXTERNAL_SECRET_CRD)
    lab.wait_for(lambda: exists(lab, namespace), what="the API of External Secrets")
    spec = {"target": {"creationPolicy": "Owner"}}
    metadata = {"name": "creds"}
    lab.kube.create(
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": metadata, "spec": spec},
        namespace,
    )
    yield
    lab.kube.delete("CustomResourceDefinition", EXTERNAL_SECRET_CRD["metadata"]["name"])


def exists(lab, namespace):
    try:
        return lab.kube.list("ExternalSecret", namespace) == []
    except Exception:
        return False


def test_an_external_secret_keeps_its_own(lab, namespace, secrets, external_secret, run):
    lab.kube.create({
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "another-key"},
        "spec": {"target": {"name": "passwords", "creationPolicy": "Merge"}, "data": [{"secretKey": "other"}]}}, namespace)
    assert run(k8s_merge_document, documents=[document(namespace, name="passwords")])["changed"]
    before = lab.kube.get("Secret", "creds", namespace)
    result = run(k8s_merge_document, documents=[document(namespace)])
    assert "ExternalSecret creds manages the object and would overwrite the change within minutes" in result["msg"]
    assert lab.kube.get("Secret", "creds", namespace) == before
    assert run(k8s_merge_document, documents=[document(namespace)], overwrite_externally_managed=True)["changed"]


def test_fifty_writers_at_once(lab, namespace, secrets):
    barrier = threading.Barrier(50)

    def write(number):
        desired = {
            **document(namespace, merge={"JOBS": [{"name": f"job-{number}"}]}),
            "remove": [],
            "create": True,
            "labels": {},
            "annotations": {},
        }
        params = {"documents": [desired], "sensitive": {}, "overwrite_externally_managed": False}
        module = SimpleNamespace(
            params={"kubeconfig": lab.environment()["K8S_AUTH_KUBECONFIG"], **params},
            check_mode=False,
            warn=lambda text: None,
        )
        barrier.wait()
        return k8s_merge_document.converge_all(module)["changed"]

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(write, range(50)))
    names = [job["name"] for job in json.loads(text_of(lab, namespace))["JOBS"]]
    assert names[0] == "other"
    assert sorted(names[1:]) == sorted(f"job-{number}" for number in range(50))
    assert lab.kube.get("Secret", "creds", namespace)["data"]["binary"] == BINARY
    assert '"big": 123456789012345678901234567890' in text_of(lab, namespace)


class Killed(BaseException):
    """Stands for the end of the process: no handler of the modules may see it."""


def kill_at(monkeypatch, position, after):
    """Let the process die at its n-th write to the API server, before or after it is carried out."""
    connect = _kube.connect

    def deadly(module):
        kube, count, send = connect(module), 0, None
        send = kube.send

        def sending(method, *arguments):
            nonlocal count
            if method == "GET":
                return send(method, *arguments)
            count += 1
            if count == position and not after:
                raise Killed
            answer = send(method, *arguments)
            if count == position:
                raise Killed
            return answer

        kube.send = sending
        return kube

    for module in (k8s_merge_document, k8s_rollout_restart):
        monkeypatch.setattr(module, "connect", deadly)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_merge_converges_after_a_kill_at_any_write(lab, namespace, secrets, run, position, after):
    """Three documents, four writes: the second gives up the claim that the first has left on what Helm owns."""
    config_map = {"kind": "ConfigMap", "name": "images", "key": "job_images", "merge": {"indexing": "image"}}
    documents = [document(namespace), document(namespace, **config_map), document(namespace, name="ours")]
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_at(monkeypatch, position, after)
        with pytest.raises(Killed):
            run(k8s_merge_document, documents=documents)
    result = run(k8s_merge_document, documents=documents)
    assert len(result["changes"]) == min(3, 4 - position + (0 if after else 1))
    assert claims(lab, namespace) == []
    assert not run(k8s_merge_document, documents=documents)["changed"]
    assert [job["name"] for job in json.loads(text_of(lab, namespace))["JOBS"]] == ["other", "indexing"]

    removals = [{**each, "merge": {}, "remove": ["JOBS[name=indexing]", "indexing"]} for each in documents]
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_at(monkeypatch, position, after)
        with pytest.raises(Killed):
            run(k8s_merge_document, documents=removals)
    run(k8s_merge_document, documents=removals)
    assert json.loads(text_of(lab, namespace)) == json.loads(FOREIGN)
    assert lab.kube.get("Secret", "ours", namespace) is None
    assert lab.kube.get("ConfigMap", "images", namespace) is None
    assert claims(lab, namespace) == []


def claims(lab, namespace, kind="Secret", name="creds"):
    """What ``managedFields`` say that we hold of somebody else's object."""
    entries = lab.kube.get(kind, name, namespace)["metadata"]["managedFields"]
    return [entry for entry in entries if entry["manager"] == "gen3.uploads"]


APPLIERS = ["helm", "helm-controller", "kustomize-controller", "argocd-controller"]


@pytest.mark.parametrize("manager", APPLIERS)
def test_a_server_side_apply_of_the_owner_meets_no_conflict(lab, namespace, secrets, run, manager):
    def applied(image):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "images"},
                "data": {"job_images": json.dumps({"indexing": image}), "theirs": image}}

    ours = document(namespace, kind="ConfigMap", name="images", key="job_images", merge={"ours": "image"})
    consent = {"overwrite_externally_managed": True}
    lab.kube.apply(applied("1"), namespace, manager=manager, force=False)
    assert manager in json.dumps(run(k8s_merge_document, documents=[ours], **consent)["warnings"])
    assert json.loads(lab.kube.get("ConfigMap", "images", namespace)["data"]["job_images"]) == {"indexing": "1", "ours": "image"}
    with lab.calls() as calls:
        assert not run(k8s_merge_document, documents=[ours], **consent)["changed"]
    assert calls.writes == []
    after = lab.kube.apply(applied("2"), namespace, manager=manager, force=False)
    assert after["data"] == applied("2")["data"]
    assert run(k8s_merge_document, documents=[ours], **consent)["changed"]


def test_what_we_have_made_can_become_part_of_a_release(lab, namespace, secrets, run):
    marks = {"labels": {"app.kubernetes.io/managed-by": "Helm"},
             "annotations": {"meta.helm.sh/release-name": "gen3", "meta.helm.sh/release-namespace": namespace}}
    run(k8s_merge_document, documents=[document(namespace, name="ours", **marks)])
    chart = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ours", **marks}, "data": {"c.json": encoded("{}")}}
    assert lab.kube.apply(chart, namespace, force=False)["data"] == chart["data"]


def test_a_restart_is_in_nobodys_way(lab, namespace, deployment, run):
    manifest = {key: lab.kube.get("Deployment", "app", namespace)[key] for key in ("apiVersion", "kind", "spec")}
    manifest["metadata"] = {"name": "app"}
    lab.kube.apply(manifest, namespace, force=True)
    assert run(k8s_rollout_restart, **deployment)["restarted"]
    manifest["spec"]["template"]["metadata"]["annotations"] = {"checksum/secret": "new"}
    lab.kube.apply(manifest, namespace, force=False)
    assert claims(lab, namespace, "Deployment", "app") == []
    assert not run(k8s_rollout_restart, **deployment)["restarted"]


VAULT = {"labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"}}
FLUX = {"labels": {"kustomize.toolkit.fluxcd.io/name": "commons", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}
CSI = {"labels": {"secrets-store.csi.k8s.io/managed": "true"}}
SEALED = {"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}
ARGO = {"labels": {"app.kubernetes.io/instance": "commons"}}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (VAULT, "the Vault Secrets Operator syncs the object"),
        (FLUX, "Flux's Kustomization commons applies its source again at each interval"),
        (CSI, "the Secrets Store CSI driver makes the object"),
        (SEALED, "Sealed Secrets manages the object"),
    ],
)
def test_who_takes_a_change_back_is_named_before_it_is_made(lab, namespace, secrets, run, metadata, words):
    lab.kube.patch("Secret", "creds", {"metadata": {"labels": None, "annotations": None}}, namespace)
    lab.kube.patch("Secret", "creds", {"metadata": metadata}, namespace)
    before = lab.kube.get("Secret", "creds", namespace)
    result = run(k8s_merge_document, documents=[document(namespace)])
    assert words in result["msg"] and "or set overwrite_externally_managed." in result["msg"]
    assert lab.kube.get("Secret", "creds", namespace) == before
    overwritten = run(k8s_merge_document, documents=[document(namespace)], overwrite_externally_managed=True)
    assert overwritten["changed"] and words in json.dumps(overwritten["warnings"])


def test_argo_cd_is_seen_by_its_label(lab, namespace, secrets, run):
    lab.kube.patch("Secret", "creds", {"metadata": {"labels": None, "annotations": None}}, namespace)
    lab.kube.patch("Secret", "creds", {"metadata": ARGO}, namespace)
    result = run(k8s_merge_document, documents=[document(namespace)])
    assert "at the next sync of commons" in json.dumps(result["warnings"])


@pytest.mark.parametrize("seed", range(3))
def test_both_modules_converge_while_a_fifth_of_all_calls_fails(lab, namespace, secrets, deployment, run, seed):
    with lab.faults(kubernetes=0.2, kinds=(THROTTLED, UNAVAILABLE, ANSWER_LOST), seed=seed) as kubeconfig:
        documents = [document(namespace), document(namespace, name="ours")]
        result = run(k8s_merge_document, documents=documents, kubeconfig=kubeconfig)
        assert len(result["changes"]) == 2
        assert run(k8s_rollout_restart, **deployment, kubeconfig=kubeconfig)["restarted"]
        assert not run(k8s_merge_document, documents=documents, kubeconfig=kubeconfig)["changed"]
        assert not run(k8s_rollout_restart, **deployment, kubeconfig=kubeconfig)["changed"]
    assert [job["name"] for job in json.loads(text_of(lab, namespace))["JOBS"]] == ["other", "indexing"]


@pytest.fixture
def deployment(lab, namespace, secrets):
    """A Deployment whose pod runs; yields the options to restart it for its Secret."""
    container = {"name": "main", "image": "lab/shell", "command": ["sleep", "600"]}
    lab.kube.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "app"},
            "spec": {
                "selector": {"matchLabels": {"app": "app"}},
                "template": {
                    "metadata": {"labels": {"app": "app"}},
                    "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
                },
            },
        },
        namespace,
    )
    lab.wait_for(
        lambda: lab.kube.get("Deployment", "app", namespace)["status"].get("availableReplicas"), what="the first pod"
    )
    return {
        "name": "app",
        "namespace": namespace,
        "configuration": [{"kind": "Secret", "name": "creds"}, {"kind": "ServiceAccount", "name": "default"}],
        "wait_timeout": 30,
    }


def pods(lab, namespace):
    """Return the names of the pods that are to stay."""
    return {
        pod["metadata"]["name"] for pod in lab.kube.list("Pod", namespace) if "deletionTimestamp" not in pod["metadata"]
    }


def change_container(lab, namespace, **fields):
    container = {"name": "main", "image": "lab/shell", "command": ["sleep", "600"], **fields}
    lab.kube.patch("Deployment", "app", {"spec": {"template": {"spec": {"containers": [container]}}}}, namespace)


def test_restart_once_for_each_change(lab, namespace, deployment, run):
    first = pods(lab, namespace)
    predicted = run(k8s_rollout_restart, **deployment, _ansible_check_mode=True)
    assert pods(lab, namespace) == first
    result = run(k8s_rollout_restart, **deployment)
    assert result["restarted"] and predicted["restarted"]
    assert result["changes"] == predicted["changes"]
    assert result["diff"] == predicted["diff"]
    # Finished means: only new pods, and they run.
    second = pods(lab, namespace)
    assert len(second) == 1 and not second & first
    (pod,) = [pod for pod in lab.kube.list("Pod", namespace) if pod["metadata"]["name"] in second]
    assert pod["status"]["phase"] == "Running" and RECORD in pod["metadata"]["annotations"]

    with lab.calls() as calls:
        result = run(k8s_rollout_restart, **deployment)
    assert not result["changed"] and not result["restarted"]
    assert calls.writes == []
    assert pods(lab, namespace) == second


def test_the_old_content_and_its_pods_come_back_and_go_again(lab, namespace, deployment, run):
    run(k8s_merge_document, documents=[document(namespace)])
    run(k8s_rollout_restart, **deployment)
    # Someone restores the Secret and rolls the pods; our annotation stays in the template.
    lab.kube.patch("Secret", "creds", {"data": {"c.json": encoded(FOREIGN)}}, namespace)
    change_container(lab, namespace, env=[{"name": "ROLLED", "value": "yes"}])
    lab.wait_for(lambda: not run(k8s_rollout_restart, **deployment, wait=False, _ansible_check_mode=True)["failed"])
    run(k8s_merge_document, documents=[document(namespace)])
    before = pods(lab, namespace)
    assert run(k8s_rollout_restart, **deployment)["restarted"]
    assert not before & pods(lab, namespace)


def test_a_restart_that_would_follow_is_predicted(lab, namespace, deployment, run):
    run(k8s_rollout_restart, **deployment)
    pending = {**deployment, "configuration": [{"kind": "Secret", "name": "creds", "pending": True}]}
    absent = {**deployment, "configuration": [{"kind": "Secret", "name": "absent", "pending": True}]}
    assert run(k8s_rollout_restart, **pending, _ansible_check_mode=True)["restarted"]
    assert run(k8s_rollout_restart, **absent, _ansible_check_mode=True)["restarted"]
    assert not run(k8s_rollout_restart, **pending)["restarted"]
    assert f"Secret {namespace}/absent does not exist" in run(k8s_rollout_restart, **absent)["msg"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_restart_converges_after_a_kill_at_its_write(lab, namespace, deployment, run, after):
    first = pods(lab, namespace)
    with pytest.MonkeyPatch.context() as monkeypatch:
        kill_at(monkeypatch, 1, after)
        with pytest.raises(Killed):
            run(k8s_rollout_restart, **deployment)
    # Whoever restarted it, success means that the rollout is finished.
    assert run(k8s_rollout_restart, **deployment)["restarted"] is not after
    assert len(pods(lab, namespace)) == 1 and not pods(lab, namespace) & first
    assert lab.kube.get("Deployment", "app", namespace)["status"]["availableReplicas"] == 1
    assert not run(k8s_rollout_restart, **deployment)["changed"]


def test_pods_that_do_not_start_tell_why(lab, namespace, deployment, run):
    change_container(lab, namespace, image="no/such:image")
    result = run(k8s_rollout_restart, **{**deployment, "wait_timeout": 2})
    assert result["msg"].startswith(
        f"The rollout of Deployment {namespace}/app was not finished after 2 s: it waits for "
    )
    assert "container main of pod app-" in result["msg"].replace("Container", "container")
    assert 'Failed to pull image "no/such:image"' in result["msg"]
    # The failed run has made its restart, so the next one, once the pods can start, has only to wait.
    change_container(lab, namespace)
    assert not run(k8s_rollout_restart, **deployment)["changed"]


def test_the_progress_deadline_ends_the_wait(lab, namespace, deployment, run):
    lab.kube.patch("Deployment", "app", {"spec": {"progressDeadlineSeconds": 3, "minReadySeconds": 2}}, namespace)
    change_container(lab, namespace, command=["false"])
    result = run(k8s_rollout_restart, **deployment)
    assert f"Deployment {namespace}/app exceeded its progress deadline. Container main of pod" in result["msg"]
    assert "exit code 1" in result["msg"]


def test_paused_and_idle_deployments(lab, namespace, deployment, run):
    lab.kube.patch("Deployment", "app", {"spec": {"paused": True}}, namespace)
    assert f"kubectl rollout resume deployment/app -n {namespace}" in run(k8s_rollout_restart, **deployment)["msg"]
    lab.kube.patch("Deployment", "app", {"spec": {"paused": False, "replicas": 0}}, namespace)
    result = run(k8s_rollout_restart, **deployment)
    assert result["restarted"]
    assert "has zero replicas" in json.dumps(result["warnings"])


def test_a_deployment_that_does_not_exist(namespace, run):
    result = run(k8s_rollout_restart, name="none", namespace=namespace, configuration=[])
    assert result["msg"] == f"Cannot restart Deployment {namespace}/none: it does not exist."
