"""ServiceAccounts, Role and RoleBindings: what is applied, deleted, refused."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.rbac import (
    IRSA,
    Access,
    before_first_change,
    bindings_of,
    changes,
    definitions,
    helm_markers,
    plan_absent,
    plan_present,
)

OURS = {CREATED_BY: CREATED_BY_VALUE}
ARN = "arn:aws:iam::123456789012:role/dispatcher"
HELM = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "gen3", "meta.helm.sh/release-namespace": "gen3"},
}
WISH = Access(role_arn=ARN, job_role_arn=ARN + "-job", image_pull_secrets=["pull"], job_secret="minio-key")
WANTED = definitions("ssjdispatcher-sa", "gen3", "jobs", WISH)
NAMES = [(each["kind"], each["metadata"]["name"]) for each in WANTED]
NOTHING = dict.fromkeys(NAMES)
JOB_ACCOUNT, DISPATCHER = ("ServiceAccount", "ssjdispatcher-job-sa"), ("ServiceAccount", "ssjdispatcher-sa")
ROLE, BINDING, SECRET_ROLE, SECRET_BINDING, ADMIN = NAMES[2:]


def everything(annotations):
    """Return all objects as desired, with the given annotations on top."""
    live = copy.deepcopy(dict(zip(NAMES, WANTED)))
    for each in live.values():
        each["metadata"]["annotations"] = {**each["metadata"].get("annotations", {}), **annotations}
        each["metadata"].update(uid="1", resourceVersion="1")
    return live


def named(objects):
    return [(each["kind"], each["metadata"]["name"]) for each in objects]


def test_the_definitions():
    assert NAMES == [
        JOB_ACCOUNT, DISPATCHER, ("Role", "ssjdispatcher-jobs"), ("RoleBinding", "ssjdispatcher-jobs"),
        ("Role", "ssjdispatcher-job-minio"), ("RoleBinding", "ssjdispatcher-job-minio"),
        ("RoleBinding", "ssjdispatcher-binding"),
    ]
    assert [each["metadata"]["namespace"] for each in WANTED] == ["jobs", "gen3", "jobs", "jobs", "jobs", "jobs", "jobs"]
    role, binding, secret_role, secret_binding, admin = WANTED[2:]
    assert role["rules"] == [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "delete"]}]
    subjects = [{"kind": "ServiceAccount", "name": "ssjdispatcher-sa", "namespace": "gen3"}]
    assert binding["subjects"] == admin["subjects"] == subjects
    assert secret_role["rules"] == [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["minio-key"], "verbs": ["get"]}]
    assert secret_binding["subjects"] == [{"kind": "ServiceAccount", "name": "ssjdispatcher-job-sa", "namespace": "jobs"}]
    assert (secret_binding["roleRef"]["kind"], secret_binding["roleRef"]["name"]) == ("Role", "ssjdispatcher-job-minio")
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("Role", "ssjdispatcher-jobs")
    assert (admin["roleRef"]["kind"], admin["roleRef"]["name"]) == ("ClusterRole", "admin")


@pytest.mark.parametrize(
    "desired, names",
    [
        (Access(), NAMES[:4]),
        (Access(job_secret="s"), NAMES[:6]),
        (Access(bind_cluster_admin=True), [*NAMES[:4], ADMIN]),
    ],
)
def test_what_is_desired(desired, names):
    assert [name for name, each in zip(NAMES, WANTED) if desired.includes(each)] == names


def test_without_a_deployment_all_but_its_account_is_known():
    objects = definitions(None, "gen3", "jobs", WISH)
    assert named(objects) == [name for name in NAMES if name != DISPATCHER]
    live = everything(OURS)
    assert named(plan_absent(objects, live).delete) == named(objects)


def test_what_is_missing_is_created_with_our_mark_and_accounts_with_that_of_helm():
    plan = plan_present(WANTED, NOTHING, HELM)
    assert named(plan.apply) == NAMES and plan.problems == []
    for each in plan.apply:
        is_account = each["kind"] == "ServiceAccount"
        assert each["metadata"]["annotations"].items() >= OURS.items()
        assert (each["metadata"].get("labels") == HELM["labels"]) is is_account
        assert (each["metadata"]["annotations"].items() >= HELM["annotations"].items()) is is_account
    assert plan.apply[0]["metadata"]["annotations"][IRSA] == ARN + "-job"
    assert plan.apply[0]["imagePullSecrets"] == [{"name": "pull"}]


@pytest.mark.parametrize("annotations", [OURS, {}, {"other": "x"}])
def test_nothing_is_applied_where_all_is_there(annotations):
    plan = plan_present(WANTED, everything(annotations), HELM)
    assert (plan.apply, plan.delete, plan.problems) == ([], [], [])


def test_an_account_of_others_is_patched_and_not_marked():
    live = everything({})
    live[JOB_ACCOUNT] = {"metadata": {"annotations": {"a": "b"}}, "imagePullSecrets": [{"name": "first"}]}
    live[DISPATCHER] = {"metadata": {}}
    job_account, dispatcher = plan_present(WANTED, live, HELM).apply
    assert job_account["metadata"] == {
        "name": "ssjdispatcher-job-sa", "namespace": "jobs", "annotations": {IRSA: ARN + "-job"}
    }
    assert job_account["imagePullSecrets"] == [{"name": "first"}, {"name": "pull"}]
    assert dispatcher["metadata"]["annotations"] == {IRSA: ARN}
    assert "imagePullSecrets" not in dispatcher


def test_an_account_keeps_its_annotation_where_no_role_is_given():
    wanted = definitions("ssjdispatcher-sa", "gen3", "jobs", Access())
    assert plan_present(wanted, everything({}), {}).apply == []


def test_another_secret_of_the_jobs():
    wanted = definitions("ssjdispatcher-sa", "gen3", "jobs", Access(job_secret="other"))
    assert named(plan_present(wanted, everything(OURS), {}).apply) == [SECRET_ROLE]


@pytest.mark.parametrize("key, value", [("rules", []), ("subjects", []), ("subjects", None)])
def test_what_we_made_is_repaired(key, value):
    live = everything(OURS)
    changed = ROLE if key == "rules" else BINDING
    live[changed][key] = value
    plan = plan_present(WANTED, live, {})
    assert named(plan.apply) == [changed] and plan.problems == []


def test_a_role_of_ours_with_more_rights_is_repaired():
    live = everything(OURS)
    live[ROLE]["rules"].append({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})
    assert named(plan_present(WANTED, live, {}).apply) == [ROLE]


@pytest.mark.parametrize("name", [ROLE, BINDING, ADMIN])
def test_a_role_or_binding_of_others_is_never_changed(name):
    live = everything({})
    live[name] |= {"rules": []} if name == ROLE else {"subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "y"}]}
    plan = plan_present(WANTED, live, {})
    assert plan.apply == []
    (problem,) = plan.problems
    assert f"{name[0]} jobs/{name[1]} exists" in problem and "not ours" in problem


def test_a_binding_of_others_with_more_subjects_is_good_enough():
    live = everything({})
    live[ADMIN]["subjects"].insert(0, {"kind": "User", "name": "someone"})
    assert plan_present(WANTED, live, {}).problems == []


def test_what_we_made_is_deleted():
    plan = plan_absent(WANTED, everything(OURS))
    assert named(plan.delete) == NAMES and plan.apply == []
    assert all(set(each) == {"apiVersion", "kind", "metadata"} for each in plan.delete)


def test_from_accounts_of_others_only_what_is_ours_is_taken():
    live = everything({"other": "x"})
    live[JOB_ACCOUNT]["imagePullSecrets"].insert(0, {"name": "first"})
    assert plan_absent(WANTED, live).apply == [], "what we have not changed"
    plan = plan_absent(WANTED, live, dict.fromkeys(("ssjdispatcher-sa", "ssjdispatcher-job-sa"), {"role": None, "imagePullSecrets": []}))
    assert plan.delete == []
    job_account, dispatcher = plan.apply
    assert job_account["metadata"]["annotations"] == dispatcher["metadata"]["annotations"] == {IRSA: None}
    assert job_account["imagePullSecrets"] == [{"name": "first"}]
    assert "imagePullSecrets" not in dispatcher


def test_the_role_and_the_pull_secrets_that_an_account_had_come_back():
    before = everything({IRSA: "arn:aws:iam::123456789012:role/theirs"})
    before[JOB_ACCOUNT]["imagePullSecrets"] = [{"name": "pull"}]
    plan = plan_present(WANTED, before, {})
    former = before_first_change(changes(plan, before), before)
    assert former["ssjdispatcher-job-sa"] == {"role": "arn:aws:iam::123456789012:role/theirs", "imagePullSecrets": [{"name": "pull"}]}
    after = everything({IRSA: ARN + "-job"})
    after[JOB_ACCOUNT]["imagePullSecrets"] = [{"name": "pull"}]
    job_account = next(each for each in plan_absent(WANTED, after, former).apply if each["metadata"]["name"] == "ssjdispatcher-job-sa")
    assert job_account["metadata"]["annotations"] == {IRSA: "arn:aws:iam::123456789012:role/theirs"} and "imagePullSecrets" not in job_account


def test_another_role_of_an_account_stays():
    live = everything({IRSA: "arn:aws:iam::123456789012:role/other"})
    live[JOB_ACCOUNT]["imagePullSecrets"] = []
    plan = plan_absent(WANTED, live)
    assert (plan.apply, plan.delete) == ([], [])


def test_nothing_is_withdrawn_where_nothing_is():
    plan = plan_absent(WANTED, NOTHING)
    assert (plan.apply, plan.delete, plan.problems) == ([], [], [])


def test_the_bindings_of_an_account():
    def binding(name, annotations=None, /, **subject):
        return {
            "metadata": {"name": name, "annotations": annotations},
            "roleRef": {"kind": "ClusterRole", "name": "admin"},
            "subjects": [subject],
        }

    account = {"kind": "ServiceAccount", "name": "sa"}
    found = bindings_of("sa", "gen3", [
        binding("mine", OURS, **account, namespace="gen3"),
        binding("no-namespace", **account),
        binding("elsewhere", **account, namespace="other"),
        binding("user", kind="User", name="sa"),
        {"metadata": {"name": "empty"}, "roleRef": {"kind": "Role", "name": "x"}},
    ])
    assert found == [
        {"name": "mine", "role": "ClusterRole admin", "created_by_us": True},
        {"name": "no-namespace", "role": "ClusterRole admin", "created_by_us": False},
    ]


def test_helm_markers():
    deployment = {"metadata": {"annotations": {**HELM["annotations"], "other": "x"}}}
    assert helm_markers(deployment) == HELM
    assert helm_markers(None) == helm_markers({"metadata": {}}) == {}
    assert helm_markers({"metadata": {"annotations": {"meta.helm.sh/release-name": "gen3"}}}) == {}
