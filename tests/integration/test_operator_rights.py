"""The Role in docs/operator-role.yaml is enough for all playbooks, and has no right that nobody uses."""

from __future__ import annotations

import yaml
from operator_rights import USER, kubeconfig
from plays import CONFIRM, ROOT, SITE, TEARDOWN, VERIFY, succeed

USED_ELSEWHERE = {
    "secrets ssjdispatcher-uploads": "an installation with the Secret of our own (test_helm)",
    "secrets ssjdispatcher-minio-check delete": "a bucket on MinIO (test_minio_routes)",
    "secrets ssjdispatcher-former patch": "a second document that is changed later (unit tests of former)",
    "secrets ssjdispatcher-former delete": "documents of others that are put back (test_installations)",
    "secrets indexd-creds get": "passwords where cloud-automation keeps them (test_installations)",
    "configmaps manifest-ssjdispatcher patch": "a MinIO image, or one that the operator names",
    "configmaps manifest-ssjdispatcher delete": "a ConfigMap that this collection made",
    "configmaps manifest-global": "cloud-automation (test_installations)",
    "configmaps * create": "an installation without job_images (test_ssjdispatcher_role)",
    "serviceaccounts ssjdispatcher-service-account": "the name that cloud-automation gives it (test_installations)",
    "serviceaccounts ssjdispatcher-sa patch": "a role in AWS (test_ssjdispatcher_role)",
    "serviceaccounts ssjdispatcher-sa delete": "an account that this collection made (test_ssjdispatcher_role)",
    "serviceaccounts ssjdispatcher-job-sa": "an account with a role in AWS, or that this collection made (test_ssjdispatcher_role)",
    "serviceaccounts * create": "an installation without accounts (test_ssjdispatcher_role)",
    "roles ssjdispatcher-job-minio": "uploads_minio_secret_ref (test_ssjdispatcher_role)",
    "rolebindings ssjdispatcher-job-minio": "uploads_minio_secret_ref (test_ssjdispatcher_role)",
    "roles ssjdispatcher-jobs patch": "rights that somebody has changed",
    "rolebindings ssjdispatcher-jobs patch": "rights that somebody has changed",
    "roles ssjdispatcher-jobs bind": "no call of its own: Kubernetes asks for it when the Role is bound before it is there",
    "deployments ssjdispatcher-deployment": "cloud-automation (test_installations)",
    "jobs * create": "what ssjdispatcher is granted, and the check of MinIO",
    "jobs * delete": "what ssjdispatcher is granted, and the check of MinIO",
}
"""Rights that the run below does not use, each with its reason; what is named without a verb stands for all verbs."""


def rights():
    """Yield each right of the Role as (resource, name or ``*``, verb)."""
    for rule in yaml.safe_load((ROOT / "docs/operator-role.yaml").read_text())["rules"]:
        for resource in rule["resources"]:
            for name in rule.get("resourceNames", ["*"]):
                for verb in rule["verbs"]:
                    yield resource, name, verb


def used(event):
    """Yield the rights, by name and without, that one call of the audit log can have needed."""
    target = event.get("objectRef") or {}
    for name in ("*", target.get("name")):
        yield target.get("resource"), name, event["verb"]


def is_explained(right):
    resource, name, verb = right
    return {f"{resource} {name}", f"{resource} {name} {verb}"} & set(USED_ELSEWHERE)


def test_the_documented_role_is_enough_and_no_more(clean_lab, tmp_path):
    operator = kubeconfig(clean_lab, tmp_path, "operator-role")
    with clean_lab.calls(USER) as calls:
        succeed(clean_lab, SITE, "--check", environment=operator)
        succeed(clean_lab, SITE, environment=operator)
        succeed(clean_lab, VERIFY, environment=operator)
        succeed(clean_lab, TEARDOWN, environment=operator, variables=CONFIRM)
    seen = {right for event in calls.kubernetes for right in used(event)}
    unused = [right for right in rights() if right not in seen]
    unexplained = [right for right in unused if not is_explained(right)]
    assert not unexplained, unexplained
    reasons = {reason for right in unused for reason in is_explained(right)}
    needless = sorted(set(USED_ELSEWHERE) - reasons)
    assert not needless, needless


def test_no_right_but_those_without_names_reaches_other_objects():
    """Nobody who may only set the pipeline up can take over another Deployment, Role or Secret of the namespace."""
    open_rights = {(resource, verb) for resource, name, verb in rights() if name == "*"}
    assert {verb for _, verb in open_rights - {("jobs", "get"), ("jobs", "delete")}} == {"create", "list"}
