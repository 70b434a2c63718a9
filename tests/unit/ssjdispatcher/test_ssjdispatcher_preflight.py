"""The plan of ssjdispatcher, on clusters that exist in memory."""

from __future__ import annotations

import base64
import copy
import json

import pytest
from clusters import HELM, deployment, gen3_helm
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import RECORD
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import patterns
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.preflight import NOTHING, Options, make_plan
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.rbac import Access, target_of
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import Bucket

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue"
PASSWORDS = ["fence-password-in-use", "ssj-password-in-use", "gateway-password-in-use", "aws-secret-key-in-use"]
CREDENTIALS = {
    "defaults": {"JOBS": [{"name": "indexing", "RequestCPU": "500m", "RequestMem": "0.5Gi"}]},
    "merge": {
        "AWS": {"region": "us-east-1"},
        "SQS": {"url": URL},
        "JOBS": [{
            "name": "indexing",
            "pattern": "^s3://(gen3-bucket)/.+",
            "imageConfig": {
                "url": "http://indexd-service/index",
                "username": "fence",
                "password": {"value_from": [
                    {"secret": "indexd-service-creds", "key": "fence"},
                    {"secret": "indexd-creds", "key": "creds.json", "format": "json", "path": ["user_db", "fence"]},
                ]},
                "metadataService": {
                    "url": "http://revproxy-service/mds",
                    "username": "gateway",
                    "password": {"value_from": [
                        {"secret": "metadata-g3auto", "key": "metadata.env", "format": "dotenv", "path": ["ADMIN_LOGINS", "gateway"]}
                    ]},
                },
            },
        }],
    },
}
OPTIONS = {
    "credentials": CREDENTIALS,
    "job_images": {"defaults": {"indexing": "quay.io/cdis/indexs3client:2025.12"}},
    "buckets": [{"name": "gen3-bucket"}],
}
WITHDRAWAL = {
    "withdraw": True,
    "credentials": {"remove": [["JOBS", {"name": "indexing"}], {"path": "SQS.url", "value": URL}, {"path": "AWS", "last": True}]},
    "job_images": {"remove": [{"path": ["indexing"], "value": None}, {"path": ["indexing"], "last": True}]},
}
COMPLETE = {
    "AWS": {"region": "us-east-1"},
    "SQS": {"url": URL},
    "JOBS": [{
        "name": "indexing",
        "pattern": "^s3://(gen3-bucket)/.+",
        "RequestCPU": "2",
        "RequestMem": "1Gi",
        "imageConfig": {
            "url": "http://indexd-service/index", "username": "fence", "password": PASSWORDS[0],
            "metadataService": {"url": "http://revproxy-service/mds", "username": "gateway", "password": PASSWORDS[2]},
        },
    }],
}


@pytest.fixture
def cluster():
    """gen3-helm's objects, without credentials.json."""
    return gen3_helm(*PASSWORDS[:3])


@pytest.fixture
def run(cluster):
    """Plan what the options ask for; return what the tests look at."""
    def run(namespace="default", deployment=None, withdraw=False, **options):
        for name in ("credentials", "job_images"):
            options[name] = NOTHING | options.get(name, {})
        options["buckets"] = [Bucket(**{"storage": "s3", "job": "indexing"} | bucket) for bucket in options.get("buckets", [])]
        options["access"] = Access(**options.get("access", {}))
        plan = make_plan(cluster, namespace, deployment, Options(present=not withdraw, **options))
        assert not any(password in repr(plan) for password in PASSWORDS)
        return {
            "installation": plan.description, "jobs": plan.jobs, "shared_entry": plan.shared_entry, "configuration": plan.configuration,
            "documents": [vars(each.desired) for each in plan.documents], "access": plan.rights, "plan": plan,
            "drift": [" ".join(filter(None, (each.action, each.resource, each.attribute))) for each in plan.changes],
            "converged": plan.converged, "restart": bool(plan.restart or plan.unfinished),
            "after": [each.after for each in plan.documents], "problems": plan.problems, "refused": plan.blocking, "warnings": plan.warnings,
        }

    return run


def patch_of(result, kind):
    return next(document for document in result["documents"] if document["kind"] == kind)


def definitions(result, state):
    """The objects that would be written, or of which only kind and name matter."""
    deleted = state == "absent"
    changes = [each for each in result["access"] if (each.action == "delete") == deleted]
    return [{"kind": target_of(each)[0], "metadata": {"name": target_of(each)[1]},
             **(each.parameters.get("manifest") or each.parameters.get("patch") or {})} for each in changes]


def names(access):
    return [target_of(each) for each in access]


def converge(cluster, run, **options):
    """Bring the cluster into the state that the options ask for, as the role does."""
    cluster.credentials(COMPLETE)
    cluster.former()
    for each in definitions(run(**OPTIONS, **options), "present"):
        content = {key: value for key, value in each.items() if key not in ("kind", "metadata")}
        cluster.put(each["kind"], **{**each["metadata"], "content": content})
    record = {
        f"{each['kind']}/{each['name']}": "/".join(
            cluster.objects[each["kind"], each["name"], "default"]["metadata"][key] for key in ("uid", "resourceVersion"))
        for each in run(**OPTIONS, **options)["configuration"]
    }
    template = cluster.objects["Deployment", "ssjdispatcher", "default"]["spec"]["template"]
    template["metadata"] = {"annotations": {RECORD: json.dumps(record)}}


def test_the_installation(cluster, run):
    installation = run()["installation"]
    owners = installation.pop("owners")
    assert installation == {
        "deployment": "ssjdispatcher",
        "flavour": "gen3-helm",
        "namespace": "default",
        "replicas": 1,
        "service_account": "ssjdispatcher-sa",
        "job_namespace": "default",
        "job_num_max": 10,
        "job_service_account_exists": True,
        "region": "us-east-1",
        "secret": {"name": "ssjdispatcher-creds", "key": "credentials.json"},
        "config_map": {"name": "manifest-ssjdispatcher", "key": "job_images"},
        "role_bindings": [{"name": "ssjdispatcher-binding", "role": "ClusterRole admin", "created_by_us": False}],
    }
    assert {(each["kind"], each["manager"], each["manager_name"]) for each in owners} == {
        ("ConfigMap", "helm", "gen3"), ("Deployment", "helm", "gen3"), ("ServiceAccount", "helm", "gen3")}


def test_each_object_is_read_once(cluster, run):
    run(**OPTIONS)
    assert max(cluster.reads.values()) == 1
    assert sum(cluster.reads.values()) < 20


def test_the_documents_for_an_empty_installation(cluster, run):
    result = run(**OPTIONS)
    assert (result["problems"], result["converged"], result["restart"]) == ([], False, True)
    secret = patch_of(result, "Secret")
    job = secret["merge"]["JOBS"][0]
    assert list(secret["merge"]) == ["AWS", "SQS", "JOBS"]
    assert job["imageConfig"]["password"] == {"value_from": {"secret": "indexd-service-creds", "key": "fence"}}
    assert (job["RequestCPU"], job["RequestMem"]) == ("500m", "0.5Gi")
    assert secret["list_keys"] == {"JOBS": "name"}
    assert {key: secret[key] for key in HELM} == HELM  # so that Helm can take it over
    assert patch_of(result, "ConfigMap")["merge"] == {}  # there is an image
    assert [each["pending"] for each in result["configuration"]] == [True, False]
    assert [each["metadata"]["name"] for each in definitions(result, "present")] == ["ssjdispatcher-jobs"] * 2


def test_without_helm_nothing_is_marked_for_it(cluster, run):
    deployment(cluster, helm=False)
    secret = patch_of(run(**OPTIONS), "Secret")
    assert (secret["labels"], secret["annotations"]) == ({}, {})


def test_defaults_leave_what_is_there(cluster, run):
    cluster.credentials(COMPLETE)
    job = patch_of(run(**OPTIONS), "Secret")["merge"]["JOBS"][0]
    assert "RequestCPU" not in job and "RequestMem" not in job


@pytest.mark.parametrize("images", [{"other": "x"}, {"indexing": ""}])
def test_a_missing_image_gets_the_default(cluster, run, images):
    cluster.images(images)
    assert patch_of(run(**OPTIONS), "ConfigMap")["merge"] == {"indexing": "quay.io/cdis/indexs3client:2025.12"}


def test_nothing_to_do(cluster, run):
    converge(cluster, run)
    result = run(**OPTIONS)
    assert (result["problems"], result["restart"], result["converged"]) == ([], False, True)


@pytest.mark.parametrize("drift", ["document", "images", "role", "restored", "rollout"])
def test_drift_is_seen(cluster, run, drift):
    converge(cluster, run)
    if drift == "document":
        cluster.credentials({**COMPLETE, "SQS": {"url": URL + "2"}})
    elif drift == "images":
        cluster.images({})
    elif drift == "role":
        cluster.objects["Role", "ssjdispatcher-jobs", "default"]["rules"] = []
    elif drift == "restored":  # the same content, written anew
        cluster.objects["Secret", "ssjdispatcher-creds", "default"]["metadata"]["resourceVersion"] = "999"
    elif drift == "rollout":
        cluster.objects["Deployment", "ssjdispatcher", "default"]["status"]["availableReplicas"] = 0
    result = run(**OPTIONS)
    assert not result["converged"]
    assert result["restart"] is (drift != "role")
    kept, restart = "update Secret default/ssjdispatcher-former", ["update Deployment default/ssjdispatcher restart"]
    assert result["drift"] == {
        "document": ["update Secret default/ssjdispatcher-creds credentials.json", *restart],
        "images": [kept, "update ConfigMap default/manifest-ssjdispatcher job_images", *restart],
        "role": ["update Role default/ssjdispatcher-jobs"],
        "restored": restart,
        "rollout": [],  # nothing is to be changed, only to be waited for
    }[drift]


def test_what_is_missing_would_be_created(cluster, run):
    converge(cluster, run)
    del cluster.objects["RoleBinding", "ssjdispatcher-jobs", "default"]
    assert run(**OPTIONS)["drift"] == ["create RoleBinding default/ssjdispatcher-jobs"]


def test_the_binding_to_admin_comes_and_goes_with_its_option(cluster, run):
    wanted = {"access": {"bind_cluster_admin": True}}
    assert ("RoleBinding", "ssjdispatcher-binding") not in names(run(**OPTIONS, **wanted)["access"])  # the chart's is there
    del cluster.objects["RoleBinding", "ssjdispatcher-binding", "default"]
    assert ("RoleBinding", "ssjdispatcher-binding") not in names(run(**OPTIONS)["access"])
    converge(cluster, run, **wanted)
    assert run(**OPTIONS, **wanted)["converged"]
    (gone,) = run(**OPTIONS)["access"]
    assert (gone.action, *names([gone])) == ("delete", ("RoleBinding", "ssjdispatcher-binding"))


def test_the_rights_are_withdrawn_even_after_the_deployment(cluster, run):
    converge(cluster, run)
    del cluster.objects["Deployment", "ssjdispatcher", "default"]
    assert names(run(**WITHDRAWAL)["access"]) == [("Role", "ssjdispatcher-jobs"), ("RoleBinding", "ssjdispatcher-jobs")]


def test_the_secret_of_the_jobs_comes_and_goes_with_its_option(cluster, run):
    wanted = {"access": {"job_secret": "minio-key"}}
    converge(cluster, run, **wanted)
    assert cluster.objects["Role", "ssjdispatcher-job-minio", "default"]["rules"][0]["resourceNames"] == ["minio-key"]
    assert run(**OPTIONS, **wanted)["converged"]
    result = run(**OPTIONS)
    assert names(result["access"]) == [("Role", "ssjdispatcher-job-minio"), ("RoleBinding", "ssjdispatcher-job-minio")]
    assert definitions(result, "present") == []


@pytest.mark.parametrize("own", [{}, {"job_secret": "ours"}])
def test_the_secret_that_the_entry_of_another_inventory_reads_stays_readable(cluster, run, own):
    """One inventory a storage, one ssjdispatcher: neither takes the right of the other's Jobs away, and they take no turns."""
    theirs = {"access": {"job_secret": "minio-key"}}
    converge(cluster, run, **theirs)
    entry = {"name": "indexing-minio", "pattern": "^s3://(local)/.+", "serviceAccount": "theirs",
             "imageConfig": {"s3": {"secret_ref": {"name": "minio-key"}}}}
    cluster.credentials({**COMPLETE, "JOBS": [COMPLETE["JOBS"][0], entry]})
    cluster.objects["RoleBinding", "ssjdispatcher-job-minio", "default"]["subjects"] = [
        {"kind": "ServiceAccount", "name": "theirs", "namespace": "default"}]
    result = run(**OPTIONS, access=own)
    assert not any(each.action == "delete" for each in result["access"])
    written = {each["kind"]: each for each in definitions(result, "present") if each["metadata"]["name"] == "ssjdispatcher-job-minio"}
    if not own:
        assert written == {}
        return
    assert written["Role"]["rules"][0]["resourceNames"] == ["minio-key", "ours"]
    assert [each["name"] for each in written["RoleBinding"]["subjects"]] == ["ssjdispatcher-job-sa", "theirs"]


def test_a_secret_that_our_role_does_not_grant_is_not_granted_for_others(cluster, run):
    converge(cluster, run, access={"job_secret": "minio-key"})
    entry = {"name": "foreign", "pattern": "^s3://(local)/.+", "imageConfig": {"s3": {"secret_ref": {"name": "not-ours"}}}}
    cluster.credentials({**COMPLETE, "JOBS": [COMPLETE["JOBS"][0], entry]})
    assert names(run(**OPTIONS)["access"]) == [("Role", "ssjdispatcher-job-minio"), ("RoleBinding", "ssjdispatcher-job-minio")]


def test_an_entry_whose_name_is_spelt_otherwise_is_told(cluster, run):
    cluster.credentials({**COMPLETE, "JOBS": [{"Name": "indexing", "Pattern": "^s3://(gen3-bucket)/.+"}]})
    assert "spells the name of the entry indexing Name" in " ".join(run(**OPTIONS)["problems"])


@pytest.mark.parametrize(("entry", "word"), [
    ({"name": ["x"]}, "name"), ({"name": {"a": 1}}, "name"), ({"name": 5}, "name"), ({"name": "x", "serviceAccount": 5}, "serviceaccount")])
def test_fields_of_another_type_are_told_and_not_stumbled_over(cluster, run, entry, word):
    cluster.credentials({**COMPLETE, "JOBS": [COMPLETE["JOBS"][0], {"pattern": "^s3://x/.+", "image": "i", **entry}]})
    assert word in " ".join(run(**OPTIONS)["problems"]).casefold()


def test_the_entries_of_the_buckets_as_they_would_be(cluster, run):
    (job,) = run(**OPTIONS)["jobs"]
    assert job == {"name": "indexing", "image": "quay.io/cdis/indexs3client:2026.01", "service_account": "ssjdispatcher-job-sa",
                   "buckets": ["gen3-bucket"], "changes": True}
    cluster.credentials({**COMPLETE, "JOBS": [{**COMPLETE["JOBS"][0], "serviceAccount": "own"}]})
    (job,) = run(**OPTIONS)["jobs"]
    assert (job["service_account"], job["changes"]) == ("own", False)
    (job,) = run(**{**OPTIONS, "job_images": {"merge": {"indexing": "other"}}})["jobs"]
    assert (job["image"], job["changes"]) == ("other", True)


def test_what_the_stock_image_cannot_index_is_said(cluster, run):
    cluster.credentials(COMPLETE)
    said = json.dumps(run(**OPTIONS)["warnings"])
    assert "the Jobs of indexing have the stock image quay.io/cdis/indexs3client:2026.01, which never indexes" in said
    assert run()["jobs"] == []


@pytest.mark.parametrize("before", [{}, {"SQS": {}}, {"SQS": {"url": ""}}, {"SQS": {"url": URL}}], ids=json.dumps)
def test_a_url_that_is_no_queue_only_where_there_is_none(cluster, run, before):
    cluster.credentials({**COMPLETE, "SQS": {}, **before})
    unused = "https://sqs.us-east-1.amazonaws.com/000000000000/unused"
    credentials = {"defaults": {"SQS": {"url": unused}}, "merge": {"SQS": {}}}
    result = run(**{**OPTIONS, "credentials": credentials})
    assert result["problems"] == []
    assert patch_of(result, "Secret")["merge"]["SQS"] == ({} if "123" in str(before) else {"url": unused})


def test_irsa(cluster, run):
    access = {"role_arn": "arn:aws:iam::123456789012:role/d", "job_role_arn": "arn:aws:iam::123456789012:role/j"}
    result = run(**OPTIONS, access=access)
    assert {each["metadata"]["name"] for each in definitions(result, "present")} >= {"ssjdispatcher-sa", "ssjdispatcher-job-sa"}
    assert result["configuration"][-1] == {"kind": "ServiceAccount", "name": "ssjdispatcher-sa", "pending": True}
    converge(cluster, run, access=access)
    assert run(**OPTIONS, access=access)["converged"]


def test_the_names_of_cloud_automation(cluster, run):
    del cluster.objects["Deployment", "ssjdispatcher", "default"]
    del cluster.objects["Secret", "indexd-service-creds", "default"]
    deployment(cluster, "ssjdispatcher-deployment")
    cluster.secret("indexd-creds", **{"creds.json": json.dumps({"user_db": {"fence": PASSWORDS[0]}})})
    result = run(**OPTIONS)
    assert (result["problems"], result["installation"]["flavour"]) == ([], "cloud-automation")
    source = patch_of(result, "Secret")["merge"]["JOBS"][0]["imageConfig"]["password"]["value_from"]
    assert source["secret"] == "indexd-creds"


def test_keys_from_variables_stay_out_of_the_result(cluster, run):
    credentials = copy.deepcopy(CREDENTIALS)
    credentials["merge"]["AWS"] |= {
        "aws_access_key_id": {"value_from": {"sensitive": "id"}}, "aws_secret_access_key": {"value_from": {"sensitive": "key"}}}
    sensitive = {"id": "ASIATEMPORARYKEY", "key": PASSWORDS[3]}
    result = run(**{**OPTIONS, "credentials": credentials}, sensitive=sensitive)
    assert any("temporary key" in problem for problem in result["problems"])
    assert "ASIATEMPORARYKEY" not in repr(result["plan"])


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda c: c.credentials("{not json"), "credentials.json of Secret default/ssjdispatcher-creds: it is not JSON"),
        (lambda c: c.credentials({"JOBS": [{"name": "indexing"}] * 2}), "times"),
        (lambda c: c.credentials({"JOBS": [{"name": "x", "pattern": "*"}]}), "In credentials.json of Secret default/"),
        (lambda c: c.images({"indexing": 3}), "In job_images of ConfigMap default/manifest-ssjdispatcher: indexing has a number"),
        (lambda c: c.secret("metadata-g3auto"), "the Secret has no such key"),
        (lambda c: c.objects.pop(("Secret", "indexd-service-creds", "default")), "there is no such Secret"),
        (lambda c: c.put("ExternalSecret", "ssjdispatcher-creds", {"spec": {}}), "ExternalSecret ssjdispatcher-creds manages"),
        (lambda c: c.put("Role", "ssjdispatcher-jobs", {"rules": []}), "Role default/ssjdispatcher-jobs exists"),
        (lambda c: deployment(c)["spec"].update(paused=True), "is paused"),
        (lambda c: deployment(c, env=[{"name": "X"}]), "does not set GEN3_NAMESPACE"),
    ],
    ids=["not JSON", "two of a name", "pattern", "image", "key", "secret", "ExternalSecret", "role", "paused", "namespace"],
)
def test_a_problem(cluster, run, change, words):
    change(cluster)
    problems = run(**OPTIONS)["problems"]
    assert any(words in problem for problem in problems), problems


def test_an_external_secret_may_be_overruled(cluster, run):
    cluster.put("ExternalSecret", "ssjdispatcher-creds", {"spec": {}})
    assert run(**OPTIONS, overwrite_externally_managed=True)["problems"] == []


def test_without_rights_on_external_secrets_owner_references_tell(cluster, run):
    cluster.refuse = lambda kind: kind == "ExternalSecret"
    cluster.credentials(COMPLETE, ownerReferences=[{"kind": "ExternalSecret", "name": "es", "controller": True}])
    result = run(**{**OPTIONS, "credentials": {"merge": {"SQS": {"url": URL + "2"}}}})
    assert "ExternalSecret es manages" in result["problems"][0]


def test_without_other_rights_it_says_which(cluster, run):
    cluster.refuse = lambda kind: kind == "RoleBinding"
    with pytest.raises(KubeError, match="Cannot list RoleBindings: forbidden"):
        run(**OPTIONS)


@pytest.mark.parametrize("options", [{}, {"deployment": "other"}, {"namespace": "other"}])
def test_no_deployment(cluster, run, options):
    del cluster.objects["Deployment", "ssjdispatcher", "default"]
    result = run(**{**OPTIONS, **options})
    (problem,) = result["problems"]
    assert "there is no ssjdispatcher in namespace" in problem
    assert result["installation"]["deployment"] is None and result["restart"] is False


def test_a_plain_look_finds_live_problems_and_warns(cluster, run):
    document = copy.deepcopy(COMPLETE)
    document["JOBS"][0]["imageConfig"].pop("password")
    document["JOBS"].insert(0, {"name": "other", "pattern": "s3://x/*"})
    cluster.credentials(document)
    cluster.images({"indexing": "x", "other": "y"})
    result = run()
    (problem,) = result["problems"]
    assert "lacks password" in problem
    # Within one process, Ansible collects the warnings of all modules.
    assert "s3://x/* of JOBS[name=other] is not anchored" in json.dumps(result["warnings"])


def test_withdrawing_takes_only_what_is_ours(cluster, run):
    converge(cluster, run)
    result = run(**WITHDRAWAL)
    assert result["after"] == [{"AWS": {"region": "us-east-1"}}, {"indexing": "quay.io/cdis/indexs3client:2026.01"}]
    assert {each["kind"] for each in definitions(result, "absent")} == {"Role", "RoleBinding"}
    assert not result["converged"]
    assert result["restart"] is False  # it could not start without a queue


def test_another_queue_stays(cluster, run):
    converge(cluster, run)
    cluster.credentials({**COMPLETE, "SQS": {"url": URL + "2"}})
    result = run(**WITHDRAWAL)
    assert result["after"][0] == {"AWS": {"region": "us-east-1"}, "SQS": {"url": URL + "2"}}
    assert result["restart"] is True


def test_objects_that_we_created_are_emptied(cluster, run):
    converge(cluster, run)
    ours = {"annotations": {CREATED_BY: CREATED_BY_VALUE}}
    cluster.credentials(COMPLETE, **ours)
    cluster.images({"indexing": "x"}, **ours)
    assert [len(each["remove"]) for each in run(**WITHDRAWAL)["documents"]] == [3, 1]
    cluster.images({"indexing": "x", "other": "y"}, **ours)
    assert patch_of(run(**WITHDRAWAL), "ConfigMap")["remove"] == []


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda c: c.credentials("{not json"), "it is not JSON"),
        (lambda c: c.put("ExternalSecret", "ssjdispatcher-creds", {"spec": {}}), "ExternalSecret ssjdispatcher-creds manages"),
        (lambda c: c.credentials({**COMPLETE, "SQS": {}}), None),
    ],
    ids=["not JSON", "ExternalSecret", "a fault that may stay"],
)
def test_a_withdrawal_that_cannot_be_made_is_refused(cluster, run, change, words):
    converge(cluster, run)
    change(cluster)
    result = run(**WITHDRAWAL)
    assert [words in sentence for sentence in result["refused"]] == ([True] if words else [])
    assert result["problems"]


def test_withdrawing_leaves_an_untouched_ssjdispatcher_alone(cluster, run):
    cluster.credentials({**COMPLETE, "JOBS": [], "SQS": {"url": URL + "2"}})
    result = run(**WITHDRAWAL)
    assert (result["converged"], result["restart"]) == (True, False)


def test_without_google_re2_plain_patterns_are_judged_and_others_warned_about(cluster, run, monkeypatch):
    monkeypatch.setattr(patterns, "re2", None)
    cluster.credentials({"JOBS": [{"name": "other", "pattern": "^s3://other/.+"}, {"name": "odd", "pattern": r"^s3://o/\pL"}]})
    cluster.images({"other": "o", "odd": "o"})
    result = run(**OPTIONS)
    assert result["problems"] == []
    assert r"\\pL of JOBS[name=odd] cannot be judged without the Python package google-re2" in json.dumps(result["warnings"])
    cluster.credentials({"JOBS": [{"name": "indexing", "pattern": "^s3://(gen3-bucket|second)/.+"}]})
    assert ["the bucket second" in problem for problem in run(**OPTIONS)["problems"]] == [True]


def test_the_pattern_that_the_chart_puts_where_none_is_set_is_nobodys_wish(cluster, run):
    cluster.credentials({**COMPLETE, "JOBS": [{**COMPLETE["JOBS"][0], "pattern": "s3://test-12345678901234-upload/*"}]})
    result = run(**OPTIONS)
    assert result["problems"] == []
    assert "s3://test-12345678901234-upload/*, which the chart of gen3-helm puts where none is set" in json.dumps(result["warnings"])


def test_prefix_and_suffix_belong_to_the_uploads(cluster, run):
    scoped = copy.deepcopy(OPTIONS)
    scoped["buckets"] = [{"name": "gen3-bucket", "prefix": "blood/"}]
    scoped["credentials"]["merge"]["JOBS"][0]["pattern"] = "^s3://(gen3-bucket/blood(/|%2F).+)"
    cluster.credentials({"JOBS": [{"name": "indexing", "pattern": "s3://gen3-bucket/blood/*"}]})
    assert run(**scoped)["problems"] == []
    assert ["give the bucket the prefix" in problem for problem in run(**OPTIONS)["problems"]] == [True]


def with_account(name):
    return {**COMPLETE, "JOBS": [{**COMPLETE["JOBS"][0], "ServiceAccount": name}]}


def test_role_and_pull_secrets_go_to_the_account_that_the_entry_names(cluster, run):
    cluster.credentials(with_account("x"))
    cluster.put("ServiceAccount", "x")
    access = {"job_role_arn": "arn:aws:iam::123456789012:role/jobs", "image_pull_secrets": ["pull"], "job_secret": "minio-key"}
    changed = {each["metadata"]["name"]: each for each in definitions(run(**OPTIONS, access=access), "present")}
    assert changed["x"]["imagePullSecrets"] == [{"name": "pull"}] and "ssjdispatcher-job-sa" not in changed
    assert [subject["name"] for subject in changed["ssjdispatcher-job-minio"]["subjects"]] == ["x"]
    assert run(**OPTIONS)["jobs"][0]["service_account"] == "x"


FOREIGN = {"name": "usersync", "pattern": "^s3://users/user.yaml$", "ServiceAccount": "x"}


def test_what_jobs_of_others_need_stays_and_ssjdispatcher_can_still_start(cluster, run):
    for name in ("ssjdispatcher-job-sa", "x"):
        cluster.put("ServiceAccount", name, annotations={CREATED_BY: CREATED_BY_VALUE})
    for kind in ("Role", "RoleBinding"):
        cluster.put(kind, "ssjdispatcher-jobs", annotations={CREATED_BY: CREATED_BY_VALUE})
    cluster.credentials({**COMPLETE, "JOBS": [*COMPLETE["JOBS"], FOREIGN]})
    cluster.former()
    unused = "https://sqs.us-east-1.amazonaws.com/000000000000/unused"
    removals = [["JOBS", {"name": "indexing"}], {"path": "SQS.url", "value": URL, "instead": unused}]
    result = run(withdraw=True, credentials={"remove": removals})
    deleted = {each["metadata"]["name"] for each in definitions(result, "absent")}
    assert deleted == {"ssjdispatcher-job-sa", "ssjdispatcher-jobs"}, "the chart's own binding gives the right to make Jobs"
    del cluster.objects["RoleBinding", "ssjdispatcher-binding", "default"]
    result = run(withdraw=True, credentials={"remove": removals})
    deleted = {each["metadata"]["name"] for each in definitions(result, "absent")}
    assert deleted == {"ssjdispatcher-job-sa"}
    assert result["after"][0] == {"AWS": {"region": "us-east-1"}, "SQS": {"url": unused}, "JOBS": [FOREIGN]}


def test_keys_of_ours_go_and_others_stay(cluster, run):
    cluster.credentials({**COMPLETE, "AWS": {"region": "r", "aws_access_key_id": "AKIA1", "aws_secret_access_key": PASSWORDS[3]}})
    removals = [{"path": f"AWS.{key}", "value": {"value_from": {"sensitive": key}}} for key in ("aws_access_key_id", "aws_secret_access_key")]
    sensitive = {"aws_access_key_id": "AKIA1", "aws_secret_access_key": PASSWORDS[3]}
    cluster.former()
    assert run(withdraw=True, credentials={"remove": removals}, sensitive=sensitive)["after"][0]["AWS"] == {"region": "r"}
    another = {**sensitive, "aws_secret_access_key": "another"}
    left = run(withdraw=True, credentials={"remove": removals}, sensitive=another)["after"][0]["AWS"]
    assert left == {"region": "r", "aws_secret_access_key": PASSWORDS[3]}


def test_where_nothing_was_changed_nothing_is_ours(cluster, run):
    """The entry has the name that we would use, and no run of ours has made it."""
    cluster.credentials(COMPLETE)
    result = run(**WITHDRAWAL)
    assert (result["after"][0], result["converged"], result["restart"]) == (COMPLETE, True, False)


@pytest.mark.parametrize(("choice", "annotated", "words"), [
    ("as_found", False, None), ("irsa", False, "has no IAM role"), ("irsa", True, None), ("ambient", False, None),
])
def test_a_choice_of_credentials_is_held_to_what_is_there(cluster, run, choice, annotated, words):
    cluster.credentials(COMPLETE)
    if annotated:
        for name in ("ssjdispatcher-sa", "ssjdispatcher-job-sa"):
            cluster.put("ServiceAccount", name, annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/r"})
    problems = run(**OPTIONS, aws_credentials=choice)["problems"]
    assert words in " ".join(problems) if words else problems == []


def test_keys_that_are_there_are_in_nobodys_way_unless_a_role_was_chosen(cluster, run):
    keys = {"region": "us-east-1", "aws_access_key_id": "AKIA1", "aws_secret_access_key": PASSWORDS[3]}
    cluster.credentials({**COMPLETE, "AWS": keys})
    assert run(**OPTIONS, aws_credentials="as_found")["problems"] == []
    assert "ssjdispatcher_remove_aws_keys" in " ".join(run(**OPTIONS, aws_credentials="ambient")["problems"])


def test_a_field_is_found_in_whatever_case_and_keeps_it(cluster, run):
    entry = {{"RequestCPU": "requestCPU", "pattern": "Pattern", "imageConfig": "ImageConfig"}.get(key, key): value
             for key, value in COMPLETE["JOBS"][0].items()}
    cluster.credentials({**COMPLETE, "JOBS": [{**entry, "requestCPU": "2"}]})
    result = run(**OPTIONS)
    (job,) = patch_of(result, "Secret")["merge"]["JOBS"]
    assert {"Pattern", "ImageConfig"} <= set(job) and not {"pattern", "imageConfig", "RequestCPU", "requestCPU"} & set(job)
    assert not result["problems"]


def test_a_password_made_by_hand_stays_and_is_not_shown(cluster, run):
    entry = copy.deepcopy(COMPLETE["JOBS"][0])
    entry["imageConfig"] |= {"username": "gdcapi", "password": PASSWORDS[3]}
    entry["ImageConfig"] = entry.pop("imageConfig")
    cluster.credentials({**COMPLETE, "JOBS": [entry]})
    options = copy.deepcopy(OPTIONS)
    config = options["credentials"]["merge"]["JOBS"][0]["imageConfig"]
    del config["username"]
    config["password"] = {"value_from": [{"secret": "indexd-service-creds", "key": "{user}"}]}
    merged = patch_of(run(**options), "Secret")["merge"]["JOBS"][0]["ImageConfig"]
    assert merged["username"] == "gdcapi" and "password" not in merged


KEYS = {"access_key_id": "gen3-indexer", "secret_access_key": "minio-secret-in-use"}
MINIO_JOB = {
    **CREDENTIALS["merge"]["JOBS"][0], "name": "indexing-minio", "pattern": "^s3://(local)/.+",
    "imageConfig": {**CREDENTIALS["merge"]["JOBS"][0]["imageConfig"], "s3": {"endpoint_url": "https://minio:9000", **KEYS}},
}
OURS, STOCK = "registry/indexer:1", "quay.io/cdis/indexs3client:2026.01"


def both(jobs, images, **more):
    """Options for buckets of these entries."""
    buckets = [{"name": "local", "storage": "minio", "job": "indexing-minio"}]
    buckets += [{"name": "gen3-bucket"}] if len(jobs) > 1 else []
    defaults = {"JOBS": [{"name": job["name"], "RequestCPU": "500m"} for job in jobs]}
    merge = {**CREDENTIALS["merge"], "JOBS": jobs}
    return {"credentials": {"defaults": defaults, "merge": merge, **more}, "job_images": {"merge": images}, "buckets": buckets}


S3_JOB = CREDENTIALS["merge"]["JOBS"][0]


@pytest.mark.parametrize(
    ("jobs", "pattern"),
    [([MINIO_JOB], "^s3://(local)/.+"), ([S3_JOB, MINIO_JOB], "^s3://(local|gen3-bucket)/.+")],
)
def test_in_a_secret_of_our_own_one_entry_takes_both_storages(cluster, run, jobs, pattern):
    deployment(cluster, mounts="ssjdispatcher-uploads")
    cluster.images({"indexing": OURS}, **HELM)
    stale = [["JOBS", {"name": "indexing-minio"}, "imageConfig", "s3", "secret_ref"]]
    result = run(**both(jobs, {"indexing-minio": OURS}, remove=stale))
    assert result["problems"] == [] and result["shared_entry"]
    document = patch_of(result, "Secret")
    assert (document["name"], document["labels"], document["annotations"]) == ("ssjdispatcher-uploads", {}, {})
    (entry,) = document["merge"]["JOBS"]
    assert (entry["name"], entry["pattern"], entry["RequestCPU"]) == ("indexing", pattern, "500m")
    assert entry["imageConfig"]["s3"] == {"endpoint_url": "https://minio:9000", **KEYS, "buckets": ["local"]}
    assert ["JOBS", {"name": "indexing"}, "imageConfig", "s3", "secret_ref"] in document["remove"]
    assert ["JOBS", {"name": "indexing-minio"}] in document["remove"]
    assert patch_of(result, "ConfigMap")["merge"] == {"indexing": OURS}
    assert [(job["name"], job["image"]) for job in result["jobs"]] == [("indexing", OURS)]


def test_two_images_need_two_entries(cluster, run):
    deployment(cluster, mounts="ssjdispatcher-uploads")
    result = run(**both([S3_JOB, MINIO_JOB], {"indexing": STOCK, "indexing-minio": OURS}))
    assert not result["shared_entry"] and [job["name"] for job in result["jobs"]] == ["indexing", "indexing-minio"]


def test_the_secret_of_the_chart_keeps_two_entries(cluster, run):
    result = run(**both([S3_JOB, MINIO_JOB], {"indexing-minio": OURS}))
    assert not result["shared_entry"] and not patch_of(result, "Secret")["start"]
    assert [job["name"] for job in patch_of(result, "Secret")["merge"]["JOBS"]] == ["indexing", "indexing-minio"]


def test_our_secret_starts_from_the_document_of_the_chart(cluster, run):
    deployment(cluster, mounts="ssjdispatcher-uploads")
    other = {"name": "usersync", "pattern": "^s3://other/.+", "image": "x", "imageConfig": {"password": PASSWORDS[1]}}
    cluster.credentials({**COMPLETE, "JOBS": [other, *COMPLETE["JOBS"]]}, **HELM)
    cluster.images({"indexing": STOCK, "usersync": "x"}, **HELM)
    result = run(**OPTIONS)
    document = patch_of(result, "Secret")
    assert json.loads(document["start"])["JOBS"][0] == other
    assert (result["problems"], result["refused"]) == ([], []) and not result["converged"]
    assert "RequestCPU" not in document["merge"]["JOBS"][0], "the entry has its own"
    cluster.put("Secret", "ssjdispatcher-uploads", {"data": {"credentials.json": base64.b64encode(b"{}").decode()}})
    assert not patch_of(run(**OPTIONS), "Secret")["start"]


def test_a_withdrawal_takes_the_shared_entry_along(cluster, run):
    deployment(cluster, mounts="ssjdispatcher-uploads")
    cluster.put("Secret", "ssjdispatcher-uploads", {"data": {"credentials.json": base64.b64encode(b"{}").decode()}},
                annotations={CREATED_BY: CREATED_BY_VALUE})
    remove = [["JOBS", {"name": "indexing-minio"}], {"path": "SQS.url", "value": URL}]
    result = run(withdraw=True, credentials={"remove": remove})
    assert ["JOBS", {"name": "indexing"}] in patch_of(result, "Secret")["remove"]
    assert not patch_of(result, "Secret")["start"]
