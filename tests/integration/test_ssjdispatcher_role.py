"""The role ssjdispatcher against the cluster as gen3-helm leaves it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from ansible_collections.gen3.uploads.plugins.modules import minio_resources
from lab.faults import THROTTLED, UNAVAILABLE
from plays import kill, run, start

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue"
SETTINGS = {
    "ssjdispatcher_queue_url": URL,
    "ssjdispatcher_region": "us-east-1",
    "ssjdispatcher_buckets": [{"name": "gen3-bucket"}],
    "ssjdispatcher_wait_timeout": 60,
}
IRSA = "eks.amazonaws.com/role-arn"
ARNS = {
    "ssjdispatcher_irsa_role_arn": "arn:aws:iam::123456789012:role/dispatcher",
    "ssjdispatcher_irsa_job_role_arn": "arn:aws:iam::123456789012:role/job",
}
KEYS = {
    "ssjdispatcher_aws_credentials": "variables",
    "ssjdispatcher_aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "ssjdispatcher_aws_secret_access_key": 'wJalr"XUtnFEMI/K7MDENG+bPxRfiCY\\EXAMPLEKEY',
}
FOREIGN = """{"AWS": {"region": "us-east-1", "other": 1.0},
 "JOBS": [{"name": "other", "pattern": "^s3://other-bucket/.+", "imageConfig": {"x": 1e3}, "DeadLine": 60}], "key": [1, null]}"""


UNUSED = "https://sqs.us-east-1.amazonaws.com/000000000000/unused"
MINIO_KEYS = {"access_key_id": "gen3-indexer", "secret_access_key": 's3-"secret\\of+MinIO%'}


@pytest.fixture
def play(clean_lab, tmp_path):
    """Run the role as the operator, with SETTINGS and more."""
    file = tmp_path / "play.json"
    file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": ["gen3.uploads.ssjdispatcher"]}]))

    def play(*arguments, environment=None, do=run, **variables):
        return do(clean_lab, str(file), *arguments, variables={**SETTINGS, **variables}, environment=environment)

    return play


@pytest.fixture
def minio(clean_lab, run_module):
    """A bucket on MinIO and its user for the Jobs; returns the role's variables for it."""
    done = run_module(
        minio_resources, **clean_lab.minio_login,
        buckets=[{"name": "local"}], policies=[{"name": "indexer", "grant": "indexer", "buckets": ["local"]}],
        users=[{"name": MINIO_KEYS["access_key_id"], "secret": MINIO_KEYS["secret_access_key"], "policies": ["indexer"]}])
    assert not done["failed"], done
    return {
        "ssjdispatcher_buckets": [{"name": "local", "storage": "minio"}],
        "ssjdispatcher_minio_image": "lab.example.org/gen3-indexer:1",
        "ssjdispatcher_minio_endpoint_url": clean_lab.minio_login["url"],
        **{f"ssjdispatcher_minio_{name}": value for name, value in MINIO_KEYS.items()},
    }


def without_queue(variables):
    """Return the variables of a commons that has nothing on AWS."""
    return {**variables, "ssjdispatcher_queue_url": None, "ssjdispatcher_region": None}


def changes(play):
    """Return what a run changed."""
    return play.changes


def document(lab):
    return json.loads(base64.b64decode(lab.kube.get("Secret", "ssjdispatcher-creds")["data"]["credentials.json"]))


def secret(text, **metadata):
    data = {"credentials.json": base64.b64encode(text.encode()).decode(), "other": "AAEC"}
    return {"kind": "Secret", "metadata": {"name": "ssjdispatcher-creds", **metadata}, "data": data}


def images(lab, **mapping):
    """Write the image map."""
    lab.kube.patch("ConfigMap", "manifest-ssjdispatcher", {"data": {"job_images": json.dumps(mapping)}})


def may(lab, verb, account="ssjdispatcher-sa", **resource):
    """Tell whether a ServiceAccount, ssjdispatcher's, may do this with something, Jobs."""
    resource = resource or {"group": "batch", "resource": "jobs"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:default:{account}",
            "resourceAttributes": {"namespace": "default", "verb": verb, **resource},
        },
    }
    return lab.kube.request("POST", "apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"]


def test_a_check_a_run_and_a_run_with_nothing_to_do(clean_lab, play):
    with clean_lab.calls() as calls:
        predicted = play("--check", **ARNS)
    assert calls.writes == []
    done = play(**ARNS)
    assert done.code == 0, done.output
    assert changes(predicted) == changes(done) != []
    job, = document(clean_lab)["JOBS"]
    passwords = clean_lab.state.passwords()
    assert document(clean_lab)["SQS"]["url"] == URL
    assert job["pattern"] == "^s3://(gen3-bucket)/.+"
    assert job["imageConfig"]["password"] == passwords["indexd"]["fence"]
    assert job["imageConfig"]["metadataService"]["password"] == passwords["metadata"]["gateway"]

    pods = [pod["metadata"]["uid"] for pod in clean_lab.kube.list("Pod", "default")]
    with clean_lab.calls() as calls:
        again = play(**ARNS)
    assert again.code == 0 and changes(again) == [] and calls.writes == []
    assert [pod["metadata"]["uid"] for pod in clean_lab.kube.list("Pod", "default")] == pods


def test_the_rights_are_enough_without_those_of_the_chart(clean_lab, play):
    clean_lab.kube.delete("RoleBinding", "ssjdispatcher-binding", "default")
    assert not may(clean_lab, "create")
    assert play().code == 0
    assert {verb for verb in ("create", "get", "list", "delete", "watch", "update") if may(clean_lab, verb)} == {
        "create", "get", "list", "delete"}
    assert play(ssjdispatcher_bind_cluster_admin=True).code == 0
    assert may(clean_lab, "update")
    assert play(ssjdispatcher_state="absent").code == 0
    assert not may(clean_lab, "create")


def test_what_others_wrote_stays(clean_lab, play):
    kube = clean_lab.kube
    kube.create(secret(FOREIGN, labels={"l": "1"}, annotations={"a": "2"}))
    images(clean_lab, other="registry/other:1", indexing="registry/mine:1")
    kube.patch("ServiceAccount", "ssjdispatcher-job-sa", {"metadata": {"annotations": {"a": "2"}}, "imagePullSecrets": [{"name": "p"}]})
    kinds = ("ServiceAccount", "RoleBinding", "Role", "ConfigMap", "Service")

    def contents():
        return {
            (kind, each["metadata"]["name"]): (
                each["metadata"].get("labels"), each["metadata"].get("annotations"), each.get("data"), each.get("roleRef"),
                each.get("subjects"), each.get("imagePullSecrets"))
            for kind in kinds for each in kube.list(kind, "default")
        }

    before = contents()
    variables = {**ARNS, "ssjdispatcher_image_pull_secrets": ["registry"]}
    done = play(**variables)
    assert done.code == 0, done.output
    after = kube.get("Secret", "ssjdispatcher-creds")
    assert (after["metadata"]["labels"], after["metadata"]["annotations"], after["data"]["other"]) == ({"l": "1"}, {"a": "2"}, "AAEC")
    text = base64.b64decode(after["data"]["credentials.json"]).decode()
    assert '"other": 1.0' in text and "1e3" in text
    assert document(clean_lab)["JOBS"][0] == json.loads(FOREIGN)["JOBS"][0]
    account = kube.get("ServiceAccount", "ssjdispatcher-job-sa")
    assert account["imagePullSecrets"] == [{"name": "p"}, {"name": "registry"}]
    assert account["metadata"]["annotations"].items() >= {"a": "2", IRSA: ARNS["ssjdispatcher_irsa_job_role_arn"]}.items()
    dispatcher = kube.get("ServiceAccount", "ssjdispatcher-sa")
    assert dispatcher["metadata"]["annotations"][IRSA] == ARNS["ssjdispatcher_irsa_role_arn"]

    withdrawn = play(**variables, ssjdispatcher_state="absent")
    assert withdrawn.code == 0, withdrawn.output
    assert contents() == before
    left = document(clean_lab)
    assert left.pop("SQS") == {"url": UNUSED}  # without a URL ssjdispatcher ends, and the foreign entry with it
    assert left == json.loads(FOREIGN)
    again = play(**variables, ssjdispatcher_state="absent")
    assert again.code == 0 and changes(again) == []


def test_a_commons_that_had_its_own_entry_has_it_again(clean_lab, play):
    kube = clean_lab.kube
    service = {"url": "u", "username": "n", "password": "p"}
    entry = {"name": "indexing", "pattern": "^s3://(gen3-bucket)/.+", "imageConfig": {**service, "metadataService": service}, "x": 1}
    text = json.dumps({"AWS": {"region": "us-east-1"}, "SQS": {"url": f"{URL}2"}, "JOBS": [entry]}, indent=3)
    kube.create(secret(text))
    images(clean_lab, indexing="registry/theirs:1")
    variables = {**ARNS, "ssjdispatcher_image": "registry/ours:1"}
    assert play(**variables).code == 0
    assert document(clean_lab)["SQS"]["url"] == URL
    assert kube.get("Secret", "ssjdispatcher-former") is not None
    withdrawn = play(**variables, ssjdispatcher_state="absent")
    assert withdrawn.code == 0, withdrawn.output
    data = kube.get("Secret", "ssjdispatcher-creds")["data"]
    assert data["credentials.json"] == base64.b64encode(text.encode()).decode()
    assert json.loads(kube.get("ConfigMap", "manifest-ssjdispatcher")["data"]["job_images"]) == {"indexing": "registry/theirs:1"}
    assert kube.get("Secret", "ssjdispatcher-former") is None
    again = play(**variables, ssjdispatcher_state="absent")
    assert again.code == 0 and changes(again) == []


def test_what_we_created_is_deleted(clean_lab, play):
    clean_lab.kube.delete("ServiceAccount", "ssjdispatcher-job-sa", "default")
    assert play().code == 0
    account = clean_lab.kube.get("ServiceAccount", "ssjdispatcher-job-sa")
    assert account["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}  # so that the release can take it over
    predicted = play("--check", ssjdispatcher_state="absent")
    withdrawn = play(ssjdispatcher_state="absent")
    assert changes(predicted) == changes(withdrawn) != []
    for kind, name in (("ServiceAccount", "ssjdispatcher-job-sa"), ("Secret", "ssjdispatcher-creds"),
                       ("Role", "ssjdispatcher-jobs"), ("RoleBinding", "ssjdispatcher-jobs")):
        assert clean_lab.kube.get(kind, name) is None


def left_of_the_check(lab):
    return [each["metadata"]["name"] for kind in ("Job", "Secret") for each in lab.kube.list(kind, "default")
            if "minio-check" in each["metadata"]["name"]]


def test_both_storages(clean_lab, play, minio):
    assert play().code == 0
    (indexing,) = document(clean_lab)["JOBS"]
    both = {**minio, "ssjdispatcher_buckets": [*SETTINGS["ssjdispatcher_buckets"], *minio["ssjdispatcher_buckets"]]}
    predicted = play("--check", **both)
    done = play(**both)
    assert done.code == 0, done.output
    assert changes(predicted) == changes(done) != []
    assert left_of_the_check(clean_lab) == []
    entry = document(clean_lab)["JOBS"][1]
    assert document(clean_lab)["JOBS"][0] == indexing
    assert (entry["name"], entry["pattern"]) == ("indexing-minio", "^s3://(local)/.+")
    assert entry["imageConfig"].pop("s3") == {
        "endpoint_url": minio["ssjdispatcher_minio_endpoint_url"], "region": "us-east-1", **MINIO_KEYS}
    assert entry["imageConfig"] == indexing["imageConfig"]
    image_map = json.loads(clean_lab.kube.get("ConfigMap", "manifest-ssjdispatcher")["data"]["job_images"])
    assert image_map["indexing-minio"] == "lab.example.org/gen3-indexer:1" != image_map["indexing"]
    with clean_lab.calls() as calls:
        again = play(**both)
    assert again.code == 0 and changes(again) == [] and calls.writes == [], "not even a check"


def test_minio_alone_and_nothing_on_aws(clean_lab, play, minio):
    foreign = json.loads(FOREIGN)
    foreign["AWS"] |= {"aws_access_key_id": "AKIATHEIRS", "aws_secret_access_key": "theirs"}
    foreign["JOBS"].append({"name": "indexing", "pattern": "^s3://theirs/.+", "imageConfig": {
        "url": "u", "username": "n", "password": "p", "metadataService": {"url": "u", "username": "n", "password": "p"}}})
    clean_lab.kube.create(secret(json.dumps(foreign)))
    images(clean_lab, other="o", indexing="i")
    variables = without_queue(minio)
    done = play(**variables)
    assert done.code == 0, done.output
    after = document(clean_lab)
    assert (after.pop("SQS"), after["JOBS"].pop()["name"]) == ({"url": UNUSED}, "indexing-minio")
    assert after == foreign
    withdrawn = play(**variables, ssjdispatcher_state="absent")
    assert withdrawn.code == 0, withdrawn.output
    after = document(clean_lab)
    assert after.pop("SQS") == {"url": UNUSED} and after == foreign, "without a URL ssjdispatcher could not start any more"
    assert json.loads(clean_lab.kube.get("ConfigMap", "manifest-ssjdispatcher")["data"]["job_images"]) == {"other": "o", "indexing": "i"}


def test_the_key_of_minio_in_a_secret(clean_lab, play, minio):
    kube = clean_lab.kube
    data = {name: base64.b64encode(value.encode()).decode() for name, value in MINIO_KEYS.items()}
    kube.create({"kind": "Secret", "metadata": {"name": "minio-key"}, "data": data})
    former = {"JOBS": [{"name": "indexing-minio", "imageConfig": {"s3": MINIO_KEYS}}]}
    kube.create(secret(json.dumps(former)))
    reference = {"ssjdispatcher_minio_credentials": "secret_ref", "ssjdispatcher_minio_secret_ref": {"name": "minio-key"},
                 "ssjdispatcher_minio_access_key_id": None, "ssjdispatcher_minio_secret_access_key": None}
    done = play(**without_queue({**minio, **reference}))
    assert done.code == 0, done.output
    s3 = document(clean_lab)["JOBS"][0]["imageConfig"]["s3"]
    assert s3["secret_ref"]["name"] == "minio-key" and not MINIO_KEYS.keys() & s3.keys()

    def jobs_may(verb, name):
        return may(clean_lab, verb, "ssjdispatcher-job-sa", resource="secrets", name=name)

    assert jobs_may("get", "minio-key") and not jobs_may("get", "ssjdispatcher-creds") and not jobs_may("update", "minio-key")
    assert play(**without_queue(minio)).code == 0
    s3 = document(clean_lab)["JOBS"][0]["imageConfig"]["s3"]
    assert s3.items() >= MINIO_KEYS.items() and "secret_ref" not in s3
    assert not jobs_may("get", "minio-key")


CHECKS = {
    "a wrong secret": ({"ssjdispatcher_minio_secret_access_key": "wrong"}, "the secret access key is not right"),
    "another bucket": ({"ssjdispatcher_buckets": [{"name": "none", "storage": "minio"}]}, "needs s3:GetObject"),
    "no such image": ({"ssjdispatcher_minio_image": "elsewhere/indexer:1"}, "Failed to pull image"),
}


@pytest.mark.parametrize("variables, words", CHECKS.values(), ids=CHECKS)
def test_what_jobs_could_not_read_is_not_configured(clean_lab, play, minio, variables, words):
    refused = play(**without_queue({**minio, **variables}))
    assert refused.code != 0 and words in refused.output, refused.output
    assert clean_lab.kube.get("Secret", "ssjdispatcher-creds") is None
    assert left_of_the_check(clean_lab) == []


def test_a_check_that_is_killed_leaves_no_key_for_long(clean_lab, play, minio):
    """Its Job ends by itself and takes the Secret along; here it is removed before its time."""
    kube = clean_lab.kube
    process = play(do=start, **without_queue(minio))
    clean_lab.wait_for(lambda: kube.get("Secret", "ssjdispatcher-minio-check"), what="the check")
    assert kill(process)
    assert len(left_of_the_check(clean_lab)) == 2
    job, = [each for each in kube.list("Job") if "minio-check" in each["metadata"]["name"]]
    assert job["spec"]["ttlSecondsAfterFinished"] == 300
    kube.delete("Job", job["metadata"]["name"])
    clean_lab.wait_for(lambda: left_of_the_check(clean_lab) == [], what="the end of the Secret")


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_no_secret_is_ever_shown(clean_lab, play, minio, arguments):
    buckets = [*SETTINGS["ssjdispatcher_buckets"], *minio.pop("ssjdispatcher_buckets")]
    shown = play("-vvvv", "--diff", *arguments, environment={"ANSIBLE_STDOUT_CALLBACK": "default"}, **KEYS, **minio,
                 ssjdispatcher_buckets=buckets)
    assert shown.code == 0, shown.output
    passwords = clean_lab.state.passwords()
    secrets = [passwords["indexd"]["fence"], passwords["metadata"]["gateway"], KEYS["ssjdispatcher_aws_secret_access_key"],
               MINIO_KEYS["secret_access_key"]]
    for value in secrets:
        for form in (value, base64.b64encode(value.encode()).decode()[:-4], quote(value), quote(value, safe=""), json.dumps(value)[1:-1]):
            assert form not in shown.output


@pytest.mark.parametrize("how", ["restored", "merged but not restarted"])
def test_a_pod_with_another_configuration_is_restarted(clean_lab, play, how):
    kube = clean_lab.kube
    kube.create(secret(FOREIGN))
    images(clean_lab, other="o", indexing="i")
    if how == "restored":
        assert play().code == 0
        ours = kube.get("Secret", "ssjdispatcher-creds")["data"]
        for data in (secret(FOREIGN)["data"], ours):
            kube.patch("Secret", "ssjdispatcher-creds", {"data": data})
    else:
        assert play(ssjdispatcher_wait_timeout=0).code != 0
        clean_lab.wait_for(lambda: kube.get("Deployment", "ssjdispatcher")["status"].get("availableReplicas"), what="the pod")
        template = {"spec": {"template": {"metadata": {"annotations": {"gen3.uploads/configuration": None}}}}}
        kube.patch("Deployment", "ssjdispatcher", template)  # as if the restart had never happened
    assert [change["attribute"] for change in changes(play())] == ["restart"]


REFUSALS = {
    "a pattern that does not compile": ({"JOBS": [{"name": "other", "pattern": "*.bam"}]}, "does not compile in Go"),
    "a bucket would be lost": ({"JOBS": [{"name": "indexing", "pattern": "^s3://(gen3-bucket|second)/.+"}]}, "the bucket second"),
    "no JSON": ("{,}", "it is not JSON"),
}


@pytest.mark.parametrize("content, words", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_comes_before_any_write(clean_lab, play, content, words):
    clean_lab.kube.create(secret(content if isinstance(content, str) else json.dumps(content)))
    images(clean_lab, other="o")
    with clean_lab.calls() as calls:
        refused = play()
    assert refused.code != 0 and words in refused.message, refused.output
    assert "Traceback" not in refused.output
    assert calls.writes == []


MINIO = {
    "ssjdispatcher_buckets": [{"name": "b", "storage": "minio"}],
    "ssjdispatcher_minio_image": "lab.example.org/gen3-indexer:1",
    "ssjdispatcher_minio_endpoint_url": "https://minio.example.org",
    **{f"ssjdispatcher_minio_{name}": value for name, value in MINIO_KEYS.items()},
}
BAD_INPUT = {
    "keys": ({**KEYS, "ssjdispatcher_aws_access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "temporary key"),
    "secret": ({"ssjdispatcher_indexd_password_from": {"secret": "none", "key": "k"}}, "there is no such Secret"),
    "namespace": ({"ssjdispatcher_namespace": "other"}, "there is no ssjdispatcher in namespace other"),
    "storage": ({"ssjdispatcher_buckets": [{"name": "b", "storage": "other"}]}, "must be one of: s3, minio"),
    "queue": ({"ssjdispatcher_queue_url": None}, "ssjdispatcher_queue_url is not set, and a bucket with storage s3 needs it"),
    "MinIO": ({"ssjdispatcher_buckets": [{"name": "b", "storage": "minio"}]}, "ssjdispatcher_minio_endpoint_url is not set"),
    "image": ({**MINIO, "ssjdispatcher_minio_image": None}, "there is no image for JOBS[name=indexing-minio]"),
    "both": ({**MINIO, "ssjdispatcher_buckets": [{"name": "b"}, {"name": "b", "storage": "minio"}]}, "b is listed 2 times"),
    "no file": ({**MINIO, "ssjdispatcher_minio_ca_file": "/nonexistent/ca.crt"}, "/nonexistent/ca.crt"),
    "no certificate": ({**MINIO, "ssjdispatcher_minio_ca_file": "/etc/passwd"}, "a certificate in PEM"),
}


@pytest.mark.parametrize("variables, words", BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input(clean_lab, play, variables, words):
    with clean_lab.calls() as calls:
        refused = play(**variables)
    assert refused.code != 0 and words in refused.output, refused.output
    assert "Traceback" not in refused.output
    assert calls.writes == []


def test_it_converges_when_a_fifth_of_all_calls_fails(clean_lab, play):
    with clean_lab.faults(kubernetes=0.2, kinds=(THROTTLED, UNAVAILABLE), seed=1) as kubeconfig:
        done = play(environment={"K8S_AUTH_KUBECONFIG": kubeconfig, "KUBECONFIG": kubeconfig})
    assert done.code == 0, done.output
    assert changes(play()) == []
