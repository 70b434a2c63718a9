"""An operator who has the documented Roles and nothing else, and which of their rights a run has used."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from plays import ROOT

USER = "system:serviceaccount:default:operator"
"""Who that is in the API server's audit log."""
SAME = {
    "ssjdispatcher-deployment": "ssjdispatcher", "ssjdispatcher-service-account": "ssjdispatcher-sa",
    "ssjdispatcher-uploads": "ssjdispatcher-creds", "indexd-creds": "indexd-service-creds",
    "ssjdispatcher-sa": "ssjdispatcher-job-sa", "ssjdispatcher-job-minio": "ssjdispatcher-jobs",
    "event-bridge-queue": "event-bridge", "event-bridge-queue-to-ssjdispatcher": "event-bridge-to-ssjdispatcher",
    "event-bridge-to-ssjdispatcher": "event-bridge",
}
"""Names that one line of code handles alike: what the run does with the second it would do with the first, where that is there."""
ELSEWHERE = {
    "secrets ssjdispatcher-former delete": "test_installations",
    "configmaps manifest-global get": "test_installations",
    "secrets ssjdispatcher-minio-check delete": "test_minio_routes",
    "jobs * create": "test_minio_routes",
    "jobs * delete": "test_minio_routes",
}
"""Rights that only other installations need, and the tests that are held to use them there."""


def role(name: str) -> dict:
    """Return a Role of docs/."""
    return yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text())


def rights(name: str) -> set[str]:
    """Return the rights of a Role of docs/, each as resource, name or ``*``, and verb."""
    return {f"{resource} {each} {verb}" for rule in role(name)["rules"] for resource in rule["resources"]
            for each in rule.get("resourceNames", ["*"]) for verb in rule["verbs"]}


def used(calls) -> set[str]:
    """Return each right, by name and without, that one of these calls can have needed."""
    found = set()
    for event in calls.kubernetes:
        target = event.get("objectRef") or {}
        verbs = {event["verb"]}
        if event["verb"] == "patch" and event["responseStatus"]["code"] == 201:  # a server-side apply of what was not there
            verbs.add("create")
        found |= {f"{target.get('resource')} {name} {verb}" for verb in verbs for name in ("*", target.get("name"))}
    return found


def unused(name: str, calls) -> set[str]:
    """Return the rights of a Role of docs/ that no call has used, neither by their own name nor by one that stands for it."""
    seen = used(calls)

    def is_used(right: str) -> bool:
        resource, each, verb = right.split()
        return right in seen or (each in SAME and is_used(f"{resource} {SAME[each]} {verb}"))

    return {right for right in rights(name) if not is_used(right)}


def assert_used(calls, test: str) -> None:
    """Hold a test to use the rights that ELSEWHERE says it uses."""
    missing = {right for right, where in ELSEWHERE.items() if where == test} - used(calls)
    assert not missing, missing


def kubeconfig(lab, directory: Path, *roles: str) -> dict[str, str]:
    """Make the operator's account with these Roles of docs/; return the environment with its kubeconfig."""
    kube = lab.kube
    kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}})
    for name in roles:
        manifest = role(name)
        kube.create(manifest)
        kube.create({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": manifest["metadata"]["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": "default"}],
        })
    document = json.loads(lab.state.kubeconfig("lab-admin").read_text())
    document["users"][0]["user"] = {"token": token(lab)}
    file = directory / "kubeconfig"
    file.write_text(json.dumps(document))
    return {"KUBECONFIG": str(file), "K8S_AUTH_KUBECONFIG": str(file)}


def token(lab) -> str:
    """Return a token of the operator's account."""
    return lab.kube.request("POST", "api/v1/namespaces/default/serviceaccounts/operator/token", {"spec": {}})["status"]["token"]
