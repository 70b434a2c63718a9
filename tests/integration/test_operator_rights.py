"""The Role in docs/operator-role.yaml is enough for all playbooks, and has no right that nobody uses."""

from __future__ import annotations

import pytest
from lab.kube import Kube, KubeError
from operator_rights import ELSEWHERE, USER, kubeconfig, rights, role, token, unused
from plays import CONFIRM, REINDEX, ROOT, SITE, TEARDOWN, VERIFY, succeed

NOT_SEEN = {
    "roles ssjdispatcher-jobs bind": "no call of its own: see test_the_operator_grants_nothing_but_what_the_role_says",
    "roles ssjdispatcher-job-minio bind": "likewise",
    "secrets ssjdispatcher-former patch": "a second document that is changed later: unit tests of former.py",
}
"""Rights that no audit log can show, each with its reason."""
VARIABLES = {
    "uploads_aws_credentials": "irsa",
    "uploads_irsa_role_arn": "arn:aws:iam::123456789012:role/dispatcher",
    "uploads_irsa_job_role_arn": "arn:aws:iam::123456789012:role/job",
    "uploads_s3_job_image": "registry.example.org/cdis/indexs3client:1",
}
RBAC = "apis/rbac.authorization.k8s.io/v1/namespaces/default"


def test_the_documented_role_is_enough_and_no_more(clean_lab, tmp_path):
    """Where an account and the images are missing, and somebody changes the Jobs' rights afterwards."""
    lab = clean_lab
    operator = kubeconfig(lab, tmp_path, "operator-role")
    for kind, name in (("ServiceAccount", "ssjdispatcher-job-sa"), ("ConfigMap", "manifest-ssjdispatcher")):
        lab.kube.delete(kind, name)
    with lab.calls(USER) as calls:
        succeed(lab, SITE, "--check", environment=operator, variables=VARIABLES)
        succeed(lab, SITE, environment=operator, variables=VARIABLES)
        lab.kube.patch("Role", "ssjdispatcher-jobs", {"rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]}]})
        lab.kube.patch("RoleBinding", "ssjdispatcher-jobs", {"subjects": []})
        succeed(lab, SITE, environment=operator, variables=VARIABLES)
        succeed(lab, VERIFY, environment=operator, variables=VARIABLES)
        succeed(lab, REINDEX, environment=operator, variables={**VARIABLES, "uploads_reindex_min_age": 0})
        succeed(lab, TEARDOWN, environment=operator, variables={**VARIABLES, **CONFIRM})
    assert unused("operator-role", calls) == {*ELSEWHERE, *NOT_SEEN}


def test_each_right_that_is_used_elsewhere_is_held_there():
    for test in ELSEWHERE.values():
        assert "assert_used(calls, __name__)" in (ROOT / "tests/integration" / f"{test}.py").read_text()


@pytest.mark.parametrize(("name", "open_rights"), [
    ("operator-role", {"jobs * get", "jobs * delete"}), ("operator-role-minio", set())])
def test_no_right_but_those_without_names_reaches_other_objects(name, open_rights):
    """Nobody who may only set the pipeline up can change another Deployment, Role or Secret of the namespace."""
    without_names = {right for right in rights(name) if " * " in right} - open_rights
    assert {right.split()[-1] for right in without_names} <= {"create", "list"}


def test_the_operator_grants_nothing_but_what_the_role_says(clean_lab, tmp_path):
    """What a check on an empty namespace asks for needs ``bind``, and ``bind`` is for the Roles of this pipeline alone."""
    kubeconfig(clean_lab, tmp_path, "operator-role")
    operator = Kube(clean_lab.kube.url, token(clean_lab), clean_lab.state.kube("lab-admin")._session.verify)
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": "default"}

    def status(path, body):
        try:
            operator.request("POST", f"{RBAC}/{path}", body, dryRun="All")
        except KubeError as error:
            return error.status
        return 201

    def bind(kind, name):
        return status("rolebindings", {"metadata": {"name": "ssjdispatcher-jobs"}, "subjects": [subject],
                                       "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}})

    def grant(resource, verb):
        return status("roles", {"metadata": {"name": "ssjdispatcher-jobs"}, "rules": [
            {"apiGroups": ["" if resource == "secrets" else "batch"], "resources": [resource], "verbs": [verb]}]})

    clean_lab.kube.create({"kind": "Role", "metadata": {"name": "of-others"}, "rules": [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]})
    assert (bind("Role", "ssjdispatcher-jobs"), bind("ClusterRole", "admin"), bind("Role", "of-others")) == (201, 403, 403)
    assert (grant("jobs", "delete"), grant("jobs", "deletecollection"), grant("secrets", "get")) == (201, 403, 403)

    rules = role("operator-role")["rules"]
    for rule in rules:
        rule["verbs"] = [verb for verb in rule["verbs"] if verb != "bind"]
    clean_lab.kube.patch("Role", "gen3-uploads-operator", {"rules": rules})
    # Then Kubernetes looks at what the Role would grant, and the Role is not there.
    clean_lab.wait_for(lambda: bind("Role", "ssjdispatcher-jobs") == 404, what="the refusal without bind")
