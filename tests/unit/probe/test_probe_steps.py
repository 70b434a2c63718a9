"""The steps against stand-ins: what each sees, makes, remembers, and how it fails."""

import base64
import json
from types import SimpleNamespace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import PROBE_FILE_NAME
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe
from ansible_collections.gen3.uploads.plugins.module_utils._probe import steps as _probe_steps
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import KubeError
from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import MinioError
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.services import Gen3Error
from ansible_collections.gen3.uploads.plugins.module_utils._probe.storage import AmazonS3
from botocore.exceptions import ClientError

GUID = "0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11"
URL = f"s3://gen3-bucket/{GUID}/{PROBE_FILE_NAME}"
PASSWORD = "correct-horse-battery-staple"
CONFIG = {"url": "http://indexd-service/index", "username": "fence", "password": PASSWORD,
          "metadataService": {"url": "http://mds", "username": "gateway", "password": PASSWORD}}


class Services:
    """indexd and the metadata service: ``answers`` maps "METHOD service path" to what is answered, in turn."""

    def __init__(self, **answers):
        self.answers, self.calls = dict(answers), []

    def __call__(self, service, config):
        def send(method, path, body=None, authenticated=False):
            call = f"{method} {service}{path.partition('?')[0].replace(GUID, 'G')}"
            self.calls.append((call, authenticated))
            answer = self.answers.get(call, (404, None))
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if isinstance(answer, Exception):
                raise answer
            return answer
        return send


def deployment(replicas=1, available=1):
    return {"metadata": {"name": "ssjdispatcher", "namespace": "ns"}, "status": {"availableReplicas": available},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "ssjdispatcher"}}}}


RUNNING = deployment()


class Cluster:
    """Secrets, Jobs, pods and ssjdispatcher; ``jobs`` is what each look at the list of Jobs sees, in turn."""

    def __init__(self, document=None, jobs=(), job=None, pods=(), secret=True, dispatcher=RUNNING):
        if document is None:
            document = {"JOBS": [{"Name": "other"}, {"Name": "indexing", "ImageConfig": CONFIG}]}
        text = document if isinstance(document, str) else json.dumps(document)
        self.secret = {"data": {"credentials.json": base64.b64encode(text.encode()).decode()}} if secret else None
        self.jobs, self.job, self.pods = list(jobs) or [[]], list(job or [None]), pods
        self.dispatcher = dispatcher

    def get(self, kind, name, namespace):
        if kind == "Deployment":
            if isinstance(self.dispatcher, Exception):
                raise self.dispatcher
            return self.dispatcher
        return self.secret if kind == "Secret" else self.job.pop(0) if len(self.job) > 1 else self.job[0]

    def list(self, kind, namespace, label_selector=None):
        if kind == "Pod":
            return self.pods
        seen = self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
        if isinstance(seen, Exception):
            raise seen
        return seen


class Aws:
    """S3 and SQS in one; ``depths`` holds (visible, in flight) of each queue, or an error."""

    def __init__(self, depths=None, put=None, delete=None):
        self.depths = {"queue": (0, 0), "dead": (0, 0)} if depths is None else depths
        self.put, self.delete, self.calls = put, delete, []

    def get_queue_attributes(self, QueueUrl, AttributeNames):
        if isinstance(self.depths, Exception):
            raise self.depths
        return {"Attributes": dict(zip(AttributeNames, map(str, self.depths[QueueUrl])))}

    def put_object(self, **arguments):
        self.calls.append(("put", arguments))
        if self.put:
            raise self.put
        return {"VersionId": "v1"}

    def delete_object(self, **arguments):
        self.calls.append(("delete", arguments))
        if self.delete:
            raise self.delete


class Minio:
    """MinIO as a storage; ``said`` is the target, or an error."""

    def __init__(self, said=None, error=None):
        self.said, self.error, self.calls = said or _probe.Target("webhook/GEN3", "online", 0), error, []

    def put(self, *arguments):
        self.calls.append(("put", *arguments))
        if self.error:
            raise self.error
        return "v1"

    def remove(self, *arguments):
        self.calls.append(("remove", *arguments))
        if self.error:
            raise self.error

    def target(self, name):
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def denied(operation):
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, operation)


def context(services=None, cluster=None, aws=None, minio=None, **params):
    """A world whose time passes only while it sleeps."""
    clock = SimpleNamespace(now=1000.0)
    aws = aws or Aws()
    params = {"timeout": 5, "interval": 1, "bucket": "gen3-bucket", "file_name": PROBE_FILE_NAME, "prefix": "", "suffix": "", "drift": [],
              "queue": "Gen3Queue", "queue_reader": None, "queue_url": "queue", "dead_letter_queue_url": "dead", "namespace": "ns",
              "jobs_namespace": "jobs-ns", "deployment": "ssjdispatcher", "configuration_secret": "ssjdispatcher-creds",
              "configuration_key": "credentials.json", "job_name": "indexing", "minio_url": "https://minio" if minio else None,
              "minio_target": "webhook/GEN3", "bridge": "node",
              "bridge_name": "event-bridge", "bridge_address": "127.0.0.1:4199", "bridge_dead_letters": "/dead", **params}

    def sleep(seconds):
        clock.now += seconds

    cluster = cluster or Cluster()
    return _probe_steps.Context(
        aws=lambda service: aws, kube=lambda: cluster, send=services or Services(), params=params,
        storage=minio or AmazonS3(lambda service: aws), clock=lambda: clock.now, sleep=sleep)


def probe(**more):
    content = f"A probe of gen3.uploads: {GUID}\n".encode()
    return {"guid": GUID, "made": ["record", "metadata", "object"], "url": URL, "bucket": "gen3-bucket",
            "version": "v1", "key": f"{GUID}/{PROBE_FILE_NAME}", "size": len(content),
            "hashes": _probe.digests(content), "uploaded": 999.0, "job": "indexing-abcde",
            "steps": [{"name": "upload", "ended": 999.0}], **more}


def test_what_was_made_is_removed_although_a_step_failed():
    start = {"guid": GUID, "made": ["record"]}
    after, failure = _probe_steps.follow(
        ["upload", "job", "cleanup"], start, context(Services(**REMOVABLE), aws=Aws(put=denied("PutObject"))))
    assert [(step["name"], step["state"]) for step in after["steps"]] == [("upload", "failed"), ("cleanup", "passed")]
    assert "The upload stopped at the step 'Object in the bucket'" in failure and after["made"] == []


def run_step(name, probe, context):
    """Return the last step, what the probe remembers, and the sentence of a failure."""
    after, failure = _probe_steps.run_step(name, probe, context)
    return after["steps"][-1], after, failure


CREATE = {"action": "create", "resource": "SNS topic ssj-topic", "attribute": None}
UPDATE = {"action": "update", "resource": "SQS queue Gen3Queue", "attribute": "retention"}


@pytest.mark.parametrize(("drift", "state", "evidence"), [
    ([], _probe.PASSED, "as declared"),
    ([UPDATE], _probe.INFORMATION, "site.yml would update SQS queue Gen3Queue retention"),
    ([UPDATE, CREATE], _probe.FAILED, "create SNS topic ssj-topic"),
])
def test_the_way_is_judged_by_what_site_yml_would_change(drift, state, evidence):
    step, _, failure = run_step("configuration", {}, context(drift=drift))
    assert step["state"] == state and any(evidence in line for line in step["evidence"])
    assert bool(failure) is (state == _probe.FAILED)


NO_QUEUE = {"queue": None, "queue_url": None, "dead_letter_queue_url": None}


@pytest.mark.parametrize(("minio", "queue", "evidence"), [
    (None, {}, "the bucket's rule and topic, queues, subscription and their policies and ssjdispatcher's configuration and rights"
     " are as declared"),
    (Minio(), {}, "MinIO's bucket, rule, users and policies and topic, queues, subscription and their policies and"
     " ssjdispatcher's configuration and rights are as declared"),
    (Minio(), NO_QUEUE, "MinIO's bucket, rule, users and policies and ssjdispatcher's configuration and rights are as declared"),
])
def test_what_was_compared_is_named(minio, queue, evidence):
    step, _, _ = run_step("configuration", {}, context(minio=minio, **queue))
    assert step["evidence"] == [evidence, "ssjdispatcher runs"]


CRASHING = {"metadata": {"name": "ssjdispatcher-1"}, "status": {"containerStatuses": [
    {"name": "ssjdispatcher", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}


@pytest.mark.parametrize("step_name", ["configuration", "job"])
@pytest.mark.parametrize(("dispatcher", "pods", "words"), [
    (deployment(replicas=0, available=0), [], "Deployment ns/ssjdispatcher has 0 replicas, so nothing takes the events."),
    (deployment(available=0), [CRASHING], "Container ssjdispatcher of pod ssjdispatcher-1: CrashLoopBackOff."),
    (None, [], "There is no Deployment ns/ssjdispatcher."),
])
def test_an_ssjdispatcher_that_does_not_run_is_named_and_nothing_else(step_name, dispatcher, pods, words):
    aws = Aws({"queue": (4, 0), "dead": (0, 0)})
    _, _, failure = run_step(step_name, probe(), context(aws=aws, cluster=Cluster(dispatcher=dispatcher, pods=pods)))
    assert words in failure and "AWS keys" not in failure and "pattern" not in failure


def test_an_ssjdispatcher_that_may_not_be_read_stops_the_first_step_with_that_reason():
    denied_by_kubernetes = KubeError("You may not get Deployment ns/ssjdispatcher.", 403)
    _, _, failure = run_step("configuration", {}, context(cluster=Cluster(dispatcher=denied_by_kubernetes)))
    assert "You may not get Deployment ns/ssjdispatcher." in failure


BLANK = (201, {"did": GUID, "rev": "1a2b3c4d", "baseid": "x"})


def test_a_blank_record_and_a_metadata_object_are_made_with_passwords():
    services = Services(**{"POST indexd/blank/": BLANK, "POST metadata/metadata/G": (201, {})})
    step, after, failure = run_step("record", {}, context(services))
    assert failure is None and after["guid"] == GUID and after["made"] == ["record", "metadata"]
    assert services.calls == [("POST indexd/blank/", True), ("POST metadata/metadata/G", True), ("GET indexd/", False)]
    assert GUID in step["evidence"][0] and PASSWORD not in json.dumps(after)


def test_the_login_is_the_one_that_the_job_gets_through_its_environment():
    config = {**CONFIG, "password": "a$$$$b$$(AWS_REGION)"}
    used = context(cluster=Cluster(document={"JOBS": [{"name": "indexing", "imageConfig": config}]})).indexer
    assert used["password"] == "a$$b$(AWS_REGION)"


def test_without_a_metadata_object_the_probe_goes_on():
    services = Services(**{"POST indexd/blank/": BLANK, "POST metadata/metadata/G": (503, None)})
    step, after, failure = run_step("record", {}, context(services))
    assert failure is None and after["made"] == ["record"] and "HTTP 503" in step["evidence"][1]
    step, _, failure = run_step("metadata", after, context(services))
    assert failure is None and step["state"] == _probe.INFORMATION


OLD = {"did": GUID, "uploader": "fence", "file_name": f"gen3-bucket/{PROBE_FILE_NAME}", "created_date": "1969-12-31T23:00:00"}


@pytest.mark.parametrize(("found", "params", "cleared"), [
    ((200, {"records": [OLD]}), {}, True),
    ((200, {"records": [{**OLD, "created_date": "1970-01-01T00:00:00"}]}), {}, False),
    ((200, {"records": [OLD]}), {"timeout": 3600}, False),
    ((200, {"records": [{**OLD, "uploader": "somebody"}]}), {}, False),
    ((200, {"records": []}), {}, False),
    ((500, None), {}, False),
])
def test_the_next_run_removes_what_a_killed_one_has_left(found, params, cleared):
    services = Services(**{"POST indexd/blank/": BLANK, "GET indexd/": found, **REMOVABLE})
    minio = Minio()
    step, after, failure = run_step("record", {}, context(services, minio=minio, **params))
    assert failure is None and after["made"] == ["record"]
    assert minio.calls == [("remove", "gen3-bucket", f"{GUID}/{PROBE_FILE_NAME}", None)] * cleared
    removed = [call for call, _ in services.calls if call.startswith("DELETE")]
    assert removed == ["DELETE metadata/metadata/G", "DELETE indexd/G"] * cleared
    assert any("left by an earlier run, removed: object, metadata, record" in line for line in step["evidence"]) is cleared


def test_what_a_killed_run_has_left_and_cannot_be_removed_is_named():
    services = Services(**{"POST indexd/blank/": BLANK, "GET indexd/": (200, {"records": [OLD]}), **REMOVABLE})
    step, _, failure = run_step("record", {}, context(services, minio=Minio(error=MinioError("MinIO is away."))))
    assert failure is None and step["evidence"][-1].endswith("removed: metadata, record; object: MinIO is away.")


@pytest.mark.parametrize(("cluster", "words"), [
    (Cluster(secret=False), "no key credentials.json of Secret ns/ssjdispatcher-creds. Run site.yml first."),
    (Cluster(document="{"), "no JSON object"),
    (Cluster(document="[]"), "no JSON object"),
    (Cluster(document={"JOBS": None}), "has no entry indexing"),
    (Cluster(document={"JOBS": ["indexing", {"name": "indexing"}]}), "has no entry indexing"),
])
def test_without_ssjdispatchers_configuration_there_is_no_probe(cluster, words):
    _, _, failure = run_step("record", {}, context(cluster=cluster))
    assert failure.startswith("The upload stopped at the step 'Blank record in indexd': ") and words in failure


def test_a_stale_password_is_named_as_the_cause_and_not_shown():
    services = Services(**{"POST indexd/blank/": (403, {"error": "Invalid username or password"})})
    step, after, failure = run_step("record", {}, context(services))
    assert "HTTP 403 (Invalid username or password)" in failure and "fence" in failure and "site.yml" in failure
    assert PASSWORD not in json.dumps(after) + failure


def test_the_object_is_put_below_its_guid_and_its_hashes_are_remembered():
    aws = Aws()
    step, after, failure = run_step("upload", {"guid": GUID, "made": ["record"]}, context(aws=aws))
    assert failure is None and after["url"] == URL and after["made"] == ["record", "object"]
    (_, put), = aws.calls
    assert (put["Bucket"], put["Key"]) == ("gen3-bucket", f"{GUID}/{PROBE_FILE_NAME}")
    assert after["hashes"] == _probe.digests(put["Body"]) and after["size"] == len(put["Body"])
    assert after["uploaded"] == 1000.0 and step["after_upload"] is None


@pytest.mark.parametrize(("prefix", "suffix", "name"), [
    ("", ".bam", f"{PROBE_FILE_NAME}.bam"),
    ("", ".txt", PROBE_FILE_NAME),
    (GUID[:3], "", PROBE_FILE_NAME),
])
def test_the_key_fits_the_rule_of_the_bucket(prefix, suffix, name):
    aws = Aws()
    _, _, failure = run_step("upload", {"guid": GUID, "made": ["record"]}, context(aws=aws, prefix=prefix, suffix=suffix))
    assert failure is None and aws.calls[0][1]["Key"] == f"{GUID}/{name}"


def test_a_prefix_that_no_guid_has_is_named_and_nothing_is_uploaded():
    aws = Aws()
    _, after, failure = run_step("upload", {"guid": GUID, "made": ["record"]}, context(aws=aws, prefix="blood/"))
    assert "takes keys below blood/ alone" in failure and GUID in failure and "uploads_buckets" in failure
    assert aws.calls == [] and after["made"] == ["record"], "the record is removed at the end"


def test_a_refused_upload_says_what_to_look_at():
    _, after, failure = run_step("upload", {"guid": GUID, "made": ["record"]}, context(aws=Aws(put=denied("PutObject"))))
    assert "s3:PutObject" in failure and URL in failure and after["made"] == ["record"]


def test_on_minio_the_object_is_put_and_removed_there():
    minio, aws = Minio(), Aws()
    step, after, failure = run_step("upload", {"guid": GUID, "made": ["record"]}, context(minio=minio, aws=aws, **NO_QUEUE))
    assert failure is None and after["url"] == URL and after["version"] == "v1"
    assert len(step["evidence"]) == 1, "a way without a queue has no metrics of one"
    run_step("cleanup", after, context(Services(**REMOVABLE), minio=minio, aws=aws, **NO_QUEUE))
    (_, bucket, key, content), removed = minio.calls
    assert (bucket, key, len(content)) == ("gen3-bucket", f"{GUID}/{PROBE_FILE_NAME}", after["size"])
    assert removed == ("remove", bucket, key, "v1") and aws.calls == []


def test_a_refused_upload_to_minio_says_what_to_look_at():
    minio = Minio(error=MinioError("Could not put an object at https://minio: NoSuchBucket: There is none."))
    _, _, failure = run_step("upload", {"guid": GUID, "made": []}, context(minio=minio))
    assert "https://minio: NoSuchBucket: There is none. Does the bucket gen3-bucket exist" in failure
    _, _, failure = run_step("cleanup", probe(), context(Services(**REMOVABLE), minio=minio))
    assert "object: Could not put" in failure and "record: " not in failure


@pytest.mark.parametrize(("said", "state", "evidence", "advice"), [
    (("online", 2), _probe.PASSED, "webhook/GEN3 is online; events waiting for it: 2", None),
    (("offline", 1), _probe.FAILED, "webhook/GEN3 is offline; events waiting for it: 1", "journalctl -u event-bridge"),
    ((None, None), _probe.FAILED, "webhook/GEN3 is not known to MinIO", "run site.yml"),
])
def test_a_target_that_is_not_online_stops_the_upload(said, state, evidence, advice):
    minio = Minio(_probe.Target("webhook/GEN3", *said))
    step, _, failure = run_step("notification_target", probe(), context(minio=minio))
    assert step["state"] == state and evidence in step["evidence"][0]
    assert (advice in failure) if advice else failure is None


def test_the_question_to_minio_takes_the_file_no_time():
    step, _, _ = run_step("notification_target", probe(), context(minio=Minio()))
    assert (step["seconds"], step["after_upload"]) == (0.0, 0.0)


def live_job(url=URL, created="2026-01-01T00:00:00Z", **status):
    env = [{"name": "INPUT_URL", "value": url}]
    return {"metadata": {"name": "indexing-abcde", "creationTimestamp": created}, "status": status,
            "spec": {"template": {"spec": {"containers": [{"env": env}]}}}}


def test_the_job_is_awaited_through_outages_of_the_api():
    cluster = Cluster(jobs=[[], KubeError("the API server is away", 503), [live_job("s3://other/x"), live_job()]])
    step, after, failure = run_step("job", probe(), context(cluster=cluster))
    assert failure is None and after["job"] == "indexing-abcde"
    assert (step["seconds"], step["after_upload"]) == (3.0, 3.0)


@pytest.mark.parametrize(("created", "after_upload"), [
    ("1970-01-01T00:16:20Z", 0.0),  # another clock: before the upload
    ("1970-01-01T00:16:40Z", 2.0),  # second 1000
    ("1970-01-01T00:16:41Z", 3.0),
    ("1970-01-01T00:20:00Z", 4.0),  # another clock: after the look
])
def test_a_job_counts_from_its_creation_as_far_as_clocks_agree(created, after_upload):
    step, _, _ = run_step("job", probe(), context(cluster=Cluster(jobs=[[], [], [], [live_job(created=created)]])))
    assert step["after_upload"] == after_upload


def test_a_job_that_never_comes_is_explained_by_the_queue():
    aws = Aws({"queue": (4, 0), "dead": (0, 0)})
    step, _, failure = run_step("job", probe(queue_before={"visible": 0, "in_flight": 0, "dead": 0}), context(aws=aws))
    assert step["seconds"] == 6.0, "5 seconds of waiting, and 1 since the upload"
    assert "No Job for" in failure and "4 messages wait in Gen3Queue" in failure
    assert "deployment/ssjdispatcher" in failure
    assert step["advice"] and "queue: 4 waiting" in step["evidence"][1]


@pytest.mark.parametrize(("said", "queue", "bridge", "words", "evidence"), [
    (_probe.Target("webhook/GEN3", "online", 3), {}, "node", "MinIO keeps events (3)", "queue: 0 waiting"),
    (_probe.Target("webhook/GEN3", "online", 3), NO_QUEUE, "cluster", "logs -n ns deployment/event-bridge", "waiting for it: 3"),
    (MinioError("MinIO is away."), NO_QUEUE, "node", "No event is known to wait", "MinIO is away."),
])
def test_a_job_that_never_comes_for_a_file_on_minio_is_explained_by_all_that_is_known(said, queue, bridge, words, evidence):
    step, _, failure = run_step("job", probe(), context(minio=Minio(said), bridge=bridge, **queue))
    assert failure.startswith("The upload stopped at the step 'Job created for the object': No Job for") and words in failure
    assert any(evidence in line for line in step["evidence"])
    assert any("queue: " in line for line in step["evidence"]) is not bool(queue)


def test_an_outage_that_lasts_is_the_failure():
    _, _, failure = run_step("job", probe(), context(cluster=Cluster(jobs=[KubeError("the API server is away", 503)])))
    assert failure.endswith("the API server is away")


def test_a_queue_that_may_not_be_read_is_no_failure_by_itself():
    cluster = Cluster(jobs=[[live_job()]])
    step, _, failure = run_step("job", probe(), context(cluster=cluster, aws=Aws(denied("GetQueueAttributes"))))
    assert failure is None and "queue not readable" in step["evidence"]


@pytest.mark.parametrize(("jobs", "state"), [
    ([live_job(active=1), live_job(succeeded=1, completionTime="2026-01-01T00:00:09Z")], _probe.PASSED),
    ([live_job(active=1), None], _probe.INFORMATION),
])
def test_a_job_that_has_ended_or_gone_is_passed(jobs, state):
    step, _, failure = run_step("job_completed", probe(), context(cluster=Cluster(job=jobs)))
    assert failure is None and step["state"] == state


def pod(**state):
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"state": state}]}}


FAILED_POD = pod(terminated={"exitCode": 2, "reason": "Error"})
PULLING = pod(waiting={"reason": "ImagePullBackOff"})


@pytest.mark.parametrize(("live", "its_pod", "words"), [
    (live_job(conditions=[{"type": "Failed", "status": "True"}]), FAILED_POD, ["failed", "exit code 2"]),
    (live_job(active=1), PULLING, ["did not finish", "ImagePullBackOff"]),
])
def test_a_job_that_fails_or_hangs_is_explained_by_its_pods(live, its_pod, words):
    step, _, failure = run_step("job_completed", probe(), context(cluster=Cluster(job=[live], pods=[its_pod])))
    assert words[0] in failure and "kubectl -n jobs-ns logs job/indexing-abcde" in failure
    assert any(words[1] in line for line in step["evidence"])


def record(**more):
    return {"did": GUID, "rev": "2", "size": probe()["size"], "hashes": probe()["hashes"], "urls": [URL], **more}


def test_size_and_hashes_are_awaited_and_compared():
    answers = [(200, record(size=None, hashes={})), Gen3Error("no answer"), (200, record())]
    services = Services(**{"GET indexd/G": answers})
    step, _, failure = run_step("indexed", probe(), context(services))
    assert failure is None and "crc, md5, sha1, sha256, sha512 equal" in step["evidence"][0]
    assert not any(authenticated for _, authenticated in services.calls), "reading is public"


@pytest.mark.parametrize(("answers", "seconds"), [
    ([(200, record())], 0.0),
    ([(200, record(size=None, hashes={})), (200, record())], 2.0),
])
def test_what_is_there_at_the_first_look_was_there_when_the_job_ended(answers, seconds):
    step, _, _ = run_step("indexed", probe(), context(Services(**{"GET indexd/G": answers})))
    assert step["seconds"] == seconds


@pytest.mark.parametrize(("answer", "words"), [
    ((200, record(size=None, hashes={})), "got no size and no hashes"),
    ((404, None), "got no size and no hashes"),
    ((200, record(size=1)), "size is 1"),
    ((500, None), "HTTP 500"),
])
def test_a_record_that_is_not_or_wrongly_filled_fails(answer, words):
    _, _, failure = run_step("indexed", probe(), context(Services(**{"GET indexd/G": answer})))
    assert words in failure


@pytest.mark.parametrize(("answers", "words"), [
    ([(200, {"_upload_status": "processing"}), (200, {"_upload_status": "uploaded"})], None),
    ([(200, {"_upload_status": "error"})], "_upload_status error"),
    ([(200, {})], "_upload_status unset"),
    ([(200, {"_upload_status": "processing"})], "_upload_status processing"),
])
def test_the_upload_status(answers, words):
    _, _, failure = run_step("metadata", probe(), context(Services(**{"GET metadata/metadata/G": answers})))
    assert (words in failure) if words else failure is None


@pytest.mark.parametrize(("answer", "ready"), [
    ((200, record()), True),
    ((200, record(hashes={})), False),
    ((404, None), False),
])
def test_ready_is_what_anyone_can_read(answer, ready):
    services = Services(**{"GET indexd/G": answer})
    _, _, failure = run_step("ready", probe(), context(services))
    assert (failure is None) is ready and services.calls == [("GET indexd/G", False)]


REMOVABLE = {"GET indexd/G": (200, record()), "DELETE indexd/G": (200, {}), "DELETE metadata/metadata/G": (200, {})}


def test_what_was_made_is_removed_that_version_of_it():
    aws, services = Aws(), Services(**REMOVABLE)
    step, after, failure = run_step("cleanup", probe(), context(services, aws=aws))
    assert failure is None and after["made"] == [] and "object, metadata, record" in step["evidence"][0]
    assert aws.calls == [("delete", {"Bucket": "gen3-bucket", "Key": f"{GUID}/{PROBE_FILE_NAME}", "VersionId": "v1"})]
    assert ("DELETE indexd/G", True) in services.calls


def test_what_others_have_removed_already_counts_as_removed():
    _, _, failure = run_step("cleanup", probe(), context(Services()))
    assert failure is None


@pytest.mark.parametrize("early", [{}, {"steps": []}])
def test_nothing_is_removed_when_nothing_was_made(early):
    services, aws = Services(**REMOVABLE), Aws()
    _, _, failure = run_step("cleanup", early, context(services, aws=aws))
    assert failure is None and services.calls == aws.calls == []


def test_one_thing_that_stays_behind_does_not_keep_the_others():
    services = Services(**{**REMOVABLE, "DELETE indexd/G": (403, None)})
    step, after, failure = run_step("cleanup", probe(), context(services, aws=Aws(delete=denied("DeleteObject"))))
    assert "object: " in failure and "AccessDenied" in failure and "record: " in failure and "metadata: " not in failure
    assert "removed: metadata" in step["evidence"] and after["made"] == ["record", "metadata", "object"]
