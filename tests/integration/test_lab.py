"""The lab itself: its parts together do what the pipeline's real parts do."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import requests
from kubernetes import client, config
from lab import seed
from lab.faults import ANSWER_LOST, THROTTLED, UNAVAILABLE
from lab.lab import Lab

DISPATCHER = "app=ssjdispatcher"


class Pipeline:
    """Topic, queue and rule made by hand, and the dispatcher's configuration."""

    def __init__(self, lab):
        self.lab = lab
        sns, sqs = lab.boto3("sns"), lab.boto3("sqs")
        self.queue_url = sqs.create_queue(QueueName="Gen3Queue")["QueueUrl"]
        topic = sns.create_topic(Name="ssj-topic")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:Gen3Queue")
        lab.boto3("s3").put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})

    def start_dispatcher(self, **aws):
        """Give the dispatcher its Secret and wait until it is ready."""
        self.write_secret(**aws)
        self.lab.wait_for(self.pod_ready, what="the dispatcher's readiness")

    def write_secret(self, **aws):
        """Write credentials.json; ``aws``: its AWS block."""
        passwords = self.lab.state.passwords()
        aws = aws or {"region": "us-east-1", "aws_access_key_id": "AKIALABDISPATCH00001", "aws_secret_access_key": "x"}
        content = {"AWS": aws, "SQS": {"url": self.queue_url}, "JOBS": [{
            "name": "indexing", "pattern": "^s3://gen3-bucket/.+", "imageConfig": {
                "url": "http://indexd-service/index", "username": "fence", "password": passwords["indexd"]["fence"],
                "metadataService": {"url": "http://revproxy-service/mds", "username": "gateway",
                                    "password": passwords["metadata"]["gateway"]}}}]}
        self.lab.kube.apply(seed.secret("ssjdispatcher-creds", {"credentials.json": json.dumps(content)}))

    def pod_ready(self):
        return self.lab.kube.get("Deployment", "ssjdispatcher")["status"].get("readyReplicas") == 1


@pytest.fixture
def pipeline(clean_lab):
    return Pipeline(clean_lab)


def dispatcher_pods(lab):
    return lab.kube.list("Pod", labelSelector=DISPATCHER)


def container_of(lab):
    """Return the status of the dispatcher's container, {} before the agent has reported one."""
    pods = dispatcher_pods(lab)
    return (pods[0]["status"].get("containerStatuses") or [{}])[0] if len(pods) == 1 else {}


def processes_of(lab):
    """Return the ids of the pods' processes that run."""
    marker = f"LAB_ROOT={lab.state.pods}/".encode()
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and marker in _environ(entry)}


def _environ(entry):
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("name", ["sample.txt", "my file (1)+ü&=.txt", "a/b.txt"])
def test_an_upload_becomes_ready(pipeline, name):
    pipeline.start_dispatcher()
    guid = pipeline.lab.upload(name, b"hello")
    record = pipeline.lab.wait_until_ready(guid)
    assert record["size"] == 5
    assert record["hashes"]["md5"] == "5d41402abc4b2a76b9719d911017c592"
    assert record["hashes"]["crc"] == "9a71bb4c"
    assert record["urls"] == [f"s3://gen3-bucket/{guid}/{name}"]
    jobs = pipeline.lab.kube.list("Job")
    assert len(jobs) == 1
    pipeline.lab.wait_for(lambda: pipeline.lab.kube.list("Job")[0]["status"].get("succeeded"), what="the Job's success")


def test_aws_access_by_service_account(pipeline):
    for account in ("ssjdispatcher-sa", "ssjdispatcher-job-sa"):
        pipeline.lab.kube.patch("ServiceAccount", account, {"metadata": {"annotations": {
            "eks.amazonaws.com/role-arn": f"arn:aws:iam::123456789012:role/{account}"}}})
    pipeline.start_dispatcher(region="us-east-1")
    guid = pipeline.lab.upload()
    assert pipeline.lab.wait_until_ready(guid)["size"] == 6
    env = pipeline.lab.kube.list("Job")[0]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "AWS_ACCESS_KEY_ID"} in env  # an empty value


def test_the_dispatcher_waits_for_its_secret(clean_lab):
    lab = clean_lab
    lab.wait_for(lambda: container_of(lab).get("state"), what="the pod's status")
    assert container_of(lab)["state"]["waiting"]["reason"] == "ContainerCreating"
    assert dispatcher_pods(lab)[0]["status"]["phase"] == "Pending"
    assert any(event["reason"] == "FailedMount" and 'secret "ssjdispatcher-creds" not found' in event["message"]
               for event in lab.kube.list("Event"))


def test_a_missing_config_map_is_a_configuration_error(pipeline):
    lab = pipeline.lab
    lab.kube.delete("ConfigMap", "manifest-ssjdispatcher")
    pipeline.write_secret()
    expected = {"reason": "CreateContainerConfigError", "message": 'configmap "manifest-ssjdispatcher" not found'}
    lab.wait_for(lambda: container_of(lab).get("state") == {"waiting": expected}, what="the error")


@pytest.mark.parametrize(("content", "code"), [("not json", 1), ('{"SQS": {"url": 1}}', 2)])
def test_a_wrong_configuration_is_a_crash_loop(clean_lab, content, code):
    lab = clean_lab
    with lab.back_off(1, 10):
        lab.kube.apply(seed.secret("ssjdispatcher-creds", {"credentials.json": content}))
        lab.wait_for(lambda: container_of(lab).get("restartCount", 0) >= 2, what="the second restart")
        container = lab.wait_for(lambda: "waiting" in (status := container_of(lab))["state"] and status, what="a pause")
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["exitCode"] == code
    assert not container["ready"]


def test_a_poison_message_crashes_the_dispatcher_which_is_restarted(pipeline):
    lab, sqs = pipeline.lab, pipeline.lab.boto3("sqs")
    pipeline.start_dispatcher()
    sqs.send_message(QueueUrl=pipeline.queue_url, MessageBody='{"Message": null}')
    lab.wait_for(lambda: container_of(lab).get("restartCount"), what="the restart")
    assert container_of(lab)["lastState"]["terminated"]["exitCode"] == 2
    assert container_of(lab)["state"]["waiting"]["message"].startswith("back-off 10s ")
    lab.wait_for(lambda: container_of(lab).get("ready"), what="the readiness after the crash")


def test_a_rollout_replaces_the_pod_once_the_new_one_is_ready(pipeline):
    lab = pipeline.lab
    pipeline.start_dispatcher()
    old = dispatcher_pods(lab)[0]["metadata"]["name"]
    old_processes = processes_of(lab)
    lab.kube.patch("Deployment", "ssjdispatcher", {"spec": {"template": {"metadata": {"annotations": {"x": "y"}}}}})

    def replaced():
        names = [pod["metadata"]["name"] for pod in dispatcher_pods(lab)]
        assert names and (old in names or pipeline.pod_ready())
        return old not in names
    lab.wait_for(replaced, what="the end of the old pod")
    assert len(processes_of(lab)) == 1
    assert not processes_of(lab) & old_processes


def job(name, image="lab/shell", policy="Never", **container):
    return {"kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": {
        "restartPolicy": policy, "containers": [{"name": "main", "image": image, **container}]}}}}


def test_a_short_job_runs_its_own_command_in_the_clusters_network(clean_lab):
    lab = clean_lab
    code = ("import os, urllib.request as u; print(u.urlopen('http://indexd-service/_status').read(), os.environ['X'],"
            " open(os.environ['LAB_ROOT'] + '/in/passwords/fence').read())")
    manifest = job("short", command=["python3", "-c"], args=[code], env=[{"name": "X", "value": "y"}],
                   volumeMounts=[{"name": "p", "mountPath": "/in/passwords"}])
    manifest["spec"]["template"]["spec"]["volumes"] = [{"name": "p", "secret": {"secretName": "indexd-service-creds"}}]
    lab.kube.create({"apiVersion": "batch/v1", **manifest})
    lab.wait_for(lambda: lab.kube.get("Job", "short")["status"].get("succeeded"), what="the Job's success")
    pod = lab.kube.list("Pod", labelSelector="job-name=short")[0]["metadata"]["name"]
    password = lab.state.passwords()["indexd"]["fence"]
    assert (lab.state.logs / f"pod-{pod}.log").read_text() == f"b'Healthy' y {password}\n"


def test_what_a_container_leaves_behind_is_ended_with_it(clean_lab):
    clean_lab.kube.create({"apiVersion": "batch/v1", **job("parent", command=["sh", "-c", "sleep 600 & exit 0"])})
    clean_lab.wait_for(lambda: clean_lab.kube.get("Job", "parent")["status"].get("succeeded"), what="the Job's success")
    clean_lab.wait_for(lambda: not processes_of(clean_lab), what="the end of its child")


def test_a_failing_job(clean_lab):
    clean_lab.kube.create({"apiVersion": "batch/v1", **job("failing", command=["sh", "-c", "printf why > $TERMINATION_LOG; exit 7"])})
    clean_lab.wait_for(lambda: clean_lab.kube.get("Job", "failing")["status"].get("failed"), what="the Job's failure")
    status = clean_lab.kube.list("Pod", labelSelector="job-name=failing")[0]["status"]
    assert status["phase"] == "Failed"
    end = status["containerStatuses"][0]["state"]["terminated"]
    assert (end["exitCode"], end["message"]) == (7, "why")


def test_an_unknown_image(clean_lab):
    lab = clean_lab
    lab.kube.create({"apiVersion": "batch/v1", **job("unknown", image="quay.io/cdis/none:1")})

    def reason():
        for pod in lab.kube.list("Pod", labelSelector="job-name=unknown"):
            return (pod["status"].get("containerStatuses") or [{}])[0].get("state", {}).get("waiting", {}).get("reason")
    lab.wait_for(lambda: reason() == "ErrImagePull", what="the pull's failure")


def test_deleting_a_pod_ends_its_process(pipeline):
    lab = pipeline.lab
    pipeline.start_dispatcher()
    assert len(processes_of(lab)) == 1
    lab.kube.delete("Deployment", "ssjdispatcher")
    lab.wait_for(lambda: not dispatcher_pods(lab) and not processes_of(lab), what="the end of the dispatcher")


def test_the_dispatchers_api_is_reached_by_its_service_name(pipeline):
    lab = pipeline.lab
    pipeline.start_dispatcher()
    guid = lab.new_record("direct.txt")
    s3 = lab.boto3("s3")
    s3.put_bucket_notification_configuration(Bucket="gen3-bucket", NotificationConfiguration={})
    s3.put_object(Bucket="gen3-bucket", Key=f"{guid}/direct.txt", Body=b"direct")

    def post(**body):
        return requests.post("http://ssjdispatcher-service/dispatchJob", json=body, timeout=10,
                             proxies={"http": lab.state.url("network")})
    assert post(bucket="gen3-bucket", key=f"{guid}%2Fdirect.txt").text == "Successfully dispatch a new job!"
    assert lab.wait_until_ready(guid)["size"] == 6
    assert post(bucket="other", key="x").status_code == 200
    assert post(bucket="gen3-bucket", key='"').status_code == 200
    assert len(lab.kube.list("Job")) == 1
    assert requests.post("http://ssjdispatcher-service/dispatchJob", data="[]", timeout=10,
                         proxies={"http": lab.state.url("network")}).status_code == 400


BRIDGE = """
http: {address: "0.0.0.0:4195"}
input:
  http_server: {address: "0.0.0.0:4199", path: /events, cert_file: /tls/tls.crt, key_file: /tls/tls.key}
pipeline:
  processors:
    - branch:
        request_map: root = ""
        processors: [{http: {url: http://ssjdispatcher-service/_status, verb: GET, retries: 0}}]
        result_map: root.dispatcher = content().string()
output:
  broker:
    pattern: fan_out_sequential
    outputs:
      - aws_sns: {topic_arn: "arn:aws:sns:us-east-1:123456789012:ssj-topic", region: us-east-1}
      - file: {path: /kept/events.jsonl, codec: lines}
"""


def deploy_bridge(lab, node_port):
    """Run Bento as a Deployment with a claim, behind a node port."""
    volumes = {"configuration": {"configMap": {"name": "bridge"}}, "tls": {"secret": {"secretName": "event-bridge-tls"}},
               "kept": {"persistentVolumeClaim": {"claimName": "bridge"}}}
    container = {
        "name": "bento", "image": f"lab.example.org/bento@sha256:{'0' * 64}", "args": ["-c", "/configuration/bento.yml"],
        "env": [{"name": name, "value": "AKIALABBRIDGE0000001"} for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")],
        "ports": [{"name": "events", "containerPort": 4199}, {"name": "status", "containerPort": 4195}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "status"}},
        "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in volumes]}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    template = {"metadata": {"labels": {"app": "bridge"}}, "spec": {
        "containers": [container], "volumes": [{"name": name, **source} for name, source in volumes.items()]}}
    for kind, content in (
            ("ConfigMap", {"data": {"bento.yml": BRIDGE}}), ("PersistentVolumeClaim", {"spec": claim}),
            ("Service", {"spec": {"type": "NodePort", "selector": {"app": "bridge"}, "ports": [
                {"port": 443, "targetPort": "events", "nodePort": node_port}]}}),
            ("Deployment", {"spec": {"selector": {"matchLabels": {"app": "bridge"}}, "template": template}})):
        lab.kube.apply({"kind": kind, "metadata": {"name": "bridge"}, **content})


def test_the_bridge_answers_at_its_node_port_and_its_claim_outlives_the_pod(pipeline):
    lab = pipeline.lab
    node_port = lab.state.settings["ports"]["minio-events"]
    pipeline.start_dispatcher()
    deploy_bridge(lab, node_port)

    def post(**event):
        try:
            return requests.post(f"https://127.0.0.1:{node_port}/events", json=event, timeout=10,
                                 verify=lab.state.authority.certificate_file)
        except requests.ConnectionError:
            return None
    assert lab.wait_for(lambda: post(number=1), what="the bridge's answer").status_code == 200
    pod, = lab.kube.list("Pod", labelSelector="app=bridge")
    lab.kube.delete("Pod", pod["metadata"]["name"], grace_period=0)
    lab.wait_for(lambda: lab.kube.get("Pod", pod["metadata"]["name"]) is None, what="the end of the pod")
    assert lab.wait_for(lambda: post(number=2), what="the next pod's answer").status_code == 200
    kept, = lab.state.volumes.glob("*/events.jsonl")
    assert [json.loads(line) for line in kept.read_text().splitlines()] == [
        {"dispatcher": "Healthy", "number": number} for number in (1, 2)]
    assert '"AKIALABBRIDGE0000001", "region": "us-east-1", "service": "sns", "action": "Publish"' in lab.state.aws_log.read_text()

    lab.kube.delete("Deployment", "bridge")
    lab.wait_for(lambda: not post(number=3), what="the end of the node port")
    lab.kube.delete("PersistentVolumeClaim", "bridge")
    lab.wait_for(lambda: not lab.kube.list("PersistentVolumeClaim"), what="the end of the claim")


def test_pods_reach_minio_by_a_name_with_tls(lab):
    answer = requests.get("https://minio.lab.example.org/minio/health/live", timeout=10,
                          proxies={"https": lab.state.url("network")}, verify=lab.state.authority.certificate_file)
    assert answer.status_code == 200


def snapshot(lab):
    """Return (kind, namespace, name, content's keys) of all that tests can change."""
    kinds = [kind for kind in seed.ORDER_OF_REMOVAL if kind not in ("Pod", "ReplicaSet", "Event")]
    items = [(kind, item["metadata"], item.get("data", {})) for kind in kinds for item in lab.kube.list(kind, None)]
    return {(kind, metadata.get("namespace"), metadata["name"], str(metadata.get("labels")), str(sorted(data)))
            for kind, metadata, data in items}


def test_reset_restores_the_first_state(clean_lab):
    lab = clean_lab
    lab.kube.apply({"kind": "Namespace", "metadata": {"name": "other"}})
    lab.wait_for(lambda: lab.kube.get("ConfigMap", "kube-root-ca.crt", "other") and
                 lab.kube.get("ServiceAccount", "default", "other"), what="the namespace's own objects")
    first = snapshot(lab)
    lab.kube.delete("Secret", "indexd-service-creds")
    lab.kube.patch("ConfigMap", "manifest-ssjdispatcher", {"data": {"foreign": "x"}})
    lab.kube.patch("Deployment", "ssjdispatcher", {"metadata": {"labels": {"x": "y"}}})
    lab.kube.apply(seed.secret("foreign", {"a": "b"}))
    lab.kube.apply({"kind": "ConfigMap", "metadata": {"name": "foreign", "namespace": "other"}})
    lab.kube.apply(cluster_role("foreign"))
    lab.kube.create({"apiVersion": "batch/v1", **job("running", command=["sleep", "60"])})
    guid = lab.upload()
    lab.boto3("sns").create_topic(Name="foreign")
    lab.minio_s3().create_bucket(Bucket="foreign")
    (lab.state.volumes / "foreign").mkdir()
    lab.wait_for(lambda: processes_of(lab), what="the Job's process")
    assert snapshot(lab) != first
    lab.reset()
    assert snapshot(lab) == first
    assert not processes_of(lab)
    assert lab.boto3("sns").list_topics()["Topics"] == []
    assert lab.minio_s3().list_buckets()["Buckets"] == [] and not list(lab.state.volumes.iterdir())
    assert [bucket["Name"] for bucket in lab.boto3("s3").list_buckets()["Buckets"]] == ["gen3-bucket"]
    with pytest.raises(requests.HTTPError):
        lab.record(guid)


def cluster_role(name):
    return {"kind": "ClusterRole", "metadata": {"name": name}, "rules": []}


def operator(kubeconfig):
    """Return the official client's CoreV1Api for a kubeconfig."""
    return client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))


def test_the_operators_calls_are_counted_and_no_one_elses(clean_lab):
    lab = clean_lab
    api = operator(lab.environment()["KUBECONFIG"])
    with lab.calls() as calls:
        api.list_namespaced_secret("default")
        lab.kube.apply({"kind": "ConfigMap", "metadata": {"name": "by-a-test"}})
        lab.boto3("sns").create_topic(Name="by-a-test")
    assert calls.writes == []
    assert [event["verb"] for event in calls.kubernetes] == ["list"]
    with lab.calls() as calls:
        api.create_namespaced_config_map("default", {"metadata": {"name": "x"}}, dry_run="All")
        api.delete_namespaced_config_map("by-a-test", "default")
    assert calls.writes == ["delete /api/v1/namespaces/default/configmaps/by-a-test"]


def test_faults_strike_kubernetes_calls_through_the_gateway(clean_lab):
    lab = clean_lab
    statuses = []
    with lab.faults(kubernetes=0.3, kinds=(THROTTLED, UNAVAILABLE)) as kubeconfig:
        api = operator(kubeconfig)
        for _ in range(50):
            try:
                api.read_namespaced_secret("indexd-service-creds", "default")
                statuses.append(200)
            except client.ApiException as error:
                statuses.append(error.status)
    assert set(statuses) == {200, 429, 503}
    assert 5 < 50 - statuses.count(200) < 25
    api.read_namespaced_secret("indexd-service-creds", "default")


def test_a_write_whose_answer_is_lost_has_happened(clean_lab):
    with clean_lab.faults(kubernetes=1, kinds=(ANSWER_LOST,)) as kubeconfig:
        with pytest.raises(client.ApiException):
            operator(kubeconfig).create_namespaced_config_map("default", {"metadata": {"name": "lost"}})
    assert clean_lab.kube.get("ConfigMap", "lost")


def kill(lab, *parts):
    """Kill parts of the lab and wait until they are dead."""
    for part in lab.status():
        if part["part"] in parts:
            os.kill(part["pid"], signal.SIGKILL)
    lab.wait_for(lambda: not any(part["pid"] for part in lab.status() if part["part"] in parts), what="their death")


@pytest.mark.parametrize("killed", [("node", "network"), ("aws", "gen3"), ("etcd", "kube-apiserver", "gateway")])
def test_starting_again_starts_only_what_is_gone(clean_lab, killed):
    lab = clean_lab
    before = {part["part"]: part["pid"] for part in lab.status()}
    kill(lab, *killed)
    lab.up()
    assert [part for part in lab.status() if not part["healthy"]] == []
    after = {part["part"]: part["pid"] for part in lab.status()}
    assert set(killed) <= {part for part in before if before[part] != after[part]} <= {*killed, "kube-controller-manager"}
    pipeline = Pipeline(lab)
    pipeline.start_dispatcher()
    assert lab.wait_until_ready(lab.upload())["size"] == 6


def test_pods_go_on_when_the_agent_was_killed(pipeline):
    lab = pipeline.lab
    pipeline.start_dispatcher()
    orphans = processes_of(lab)
    kill(lab, "node")
    assert processes_of(lab) == orphans
    lab.up()
    lab.wait_for(lambda: container_of(lab).get("restartCount") == 1 and container_of(lab)["ready"], what="the restart")
    assert not processes_of(lab) & orphans
    assert lab.wait_until_ready(lab.upload())["size"] == 6


def test_an_interrupted_first_start_is_begun_anew(tmp_path, monkeypatch):
    lab = Lab(tmp_path / "lab")
    with monkeypatch.context() as patch:
        patch.setattr(seed, "fill", lambda *arguments, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lab.up()
    try:
        lab.up()
        assert lab.kube.get("Deployment", "ssjdispatcher")
        assert lab.new_record()
    finally:
        lab.down()


def test_down_leaves_nothing_even_when_the_agent_was_killed(tmp_path):
    lab = Lab(tmp_path / "lab")
    try:
        lab.up()
        Pipeline(lab).start_dispatcher()
        pids = {part["part"]: part["pid"] for part in lab.status()}
        kill(lab, "node")
        assert processes_of(lab)
    finally:
        lab.down()
    assert not processes_of(lab)
    assert not [part for part in lab.status() if part["pid"] or part["healthy"]]
    assert not [pid for pid in pids.values() if Path(f"/proc/{pid}").exists() and _environ(Path(f"/proc/{pid}"))]
