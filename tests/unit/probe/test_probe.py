"""What follows from a probe: times, hashes, the Job that is its own, reasons and advice."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._probe import model as _probe

URL = "s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/a file (1).txt"


def test_who_reads_the_queue_is_asked_first():
    now = {"visible": 2, "in_flight": 1, "dead": 0}
    advice = _probe.no_job_advice("-n ns deployment/d", "Gen3Queue", now, None, reader="-n ns deployment/event-bridge-queue")
    assert len(advice) == 2 and all("the event bridge that reads it" in line and "deployment/event-bridge-queue" in line for line in advice)
    empty = {"visible": 0, "in_flight": 0, "dead": 0}
    assert "dead letters" in _probe.no_job_advice("d", "Gen3Queue", empty, None, reader="-n ns deployment/r")[0]
    assert _probe.stations("b", "ns", False, "ssj-topic", "Gen3Queue", "r") == ["s3://b", "ssj-topic", "Gen3Queue", "r", "ssjdispatcher in ns", "indexd"]


def test_crc32c_is_castagnoli():
    # The check value of the CRC catalogue, and RFC 3720 B.4: 32 bytes of zeros.
    assert _probe.crc32c(b"123456789") == 0xE3069283
    assert _probe.crc32c(bytes(32)) == 0x8A9136AA


def test_digests_have_the_names_and_the_form_of_the_indexing_image():
    digests = _probe.digests(b"")
    lengths = {name: len(value) for name, value in digests.items()}
    assert lengths == {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "crc": 8}
    assert digests["md5"] == "d41d8cd98f00b204e9800998ecf8427e"
    assert digests["crc"] == "00000000"


def step(probe, name, started, ended, state=_probe.PASSED):
    return _probe.add_step(probe, name, state, started, ended, [])


def test_before_the_upload_a_step_takes_as_long_as_its_task():
    probe = step(step({}, "configuration", 100.0, 100.3), "record", 101.0, 101.2)
    assert [each["seconds"] for each in probe["steps"]] == [0.3, 0.2]
    assert [each["after_upload"] for each in probe["steps"]] == [None, None]


def test_after_the_upload_a_step_counts_from_the_end_of_the_one_before():
    probe = {**step({}, "upload", 100.0, 100.5), "uploaded": 100.5}
    probe = step(step(probe, "job", 101.5, 102.5), "job_completed", 103.0, 103.1)
    assert [each["seconds"] for each in probe["steps"]] == [0.5, 2.0, 0.6]
    assert [each["after_upload"] for each in probe["steps"]] == [None, 2.0, 2.6]


def test_the_removal_counts_for_itself():
    probe = {**step({}, "upload", 100.0, 100.5), "uploaded": 100.5}
    removal = step(probe, "cleanup", 110.0, 110.2)["steps"][-1]
    assert (removal["seconds"], removal["after_upload"]) == (0.2, None)


def test_a_step_is_added_to_a_copy():
    first = step({}, "configuration", 0, 1)
    step(first, "record", 1, 2)
    assert len(first["steps"]) == 1


def test_where_clocks_differ_no_step_ends_before_the_one_before():
    probe = {**step({}, "upload", 100.0, 100.5), "uploaded": 100.5}
    probe = step(step(probe, "job", 101.0, 51.0), "job_completed", 102.0, 103.0)
    assert [each["seconds"] for each in probe["steps"]] == [0.5, 0.0, 2.5]


@pytest.mark.parametrize(("created", "left"), [
    ("1970-01-01T00:01:00", False), ("1970-01-01T00:00:59.9", True), ("1970-01-01T00:00:00.000001", True), (None, False)])
def test_what_is_older_than_any_run_was_left_behind(created, left):
    assert _probe.stale_probes([{"did": "G", "created_date": created}], now=160, age=100) == (["G"] if left else [])


def test_a_time_stamp_of_kubernetes_means_the_end_of_its_second():
    assert _probe.latest("1970-01-01T00:01:00Z") == 61.0
    assert _probe.latest(None) is None


@pytest.mark.parametrize(("minio", "names"), [
    (False, ["configuration", "record", "upload", "job", "job_completed", "indexed", "metadata", "ready", "cleanup"]),
    (True, ["configuration", "record", "upload", "notification_target", "job", "job_completed", "indexed", "metadata", "ready", "cleanup"]),
])
def test_steps_that_were_not_reached_are_shown_as_such_in_their_order(minio, names):
    steps = _probe.all_steps(step(step({}, "configuration", 0, 1), "cleanup", 1, 2), minio)
    assert [each["name"] for each in steps] == names
    reached = {each["name"] for each in steps if each["state"] != _probe.NOT_REACHED}
    assert reached == {"configuration", "cleanup"}
    assert {key for each in steps for key in each} - {"ended"} == set(steps[1])


def test_the_table_has_a_line_a_step_and_stays_in_its_columns():
    lines = _probe.table(_probe.all_steps(step({}, "configuration", 0, 1.25), minio=True))
    assert len(lines) == 1 + len(_probe.STEPS)
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split("  ")[0] == _probe.STEPS["configuration"] and "1.2 s" in lines[1]
    assert "not reached" in lines[2]


@pytest.mark.parametrize(("minio", "topic", "queue", "stations"), [
    (False, "ssj-topic", "Gen3Queue", "s3://b > ssj-topic > Gen3Queue > ssjdispatcher in ns > indexd"),
    (True, "ssj-topic", "Gen3Queue", "b on MinIO > event bridge > ssj-topic > Gen3Queue > ssjdispatcher in ns > indexd"),
    (True, None, "Gen3Queue", "b on MinIO > event bridge > Gen3Queue > ssjdispatcher in ns > indexd"),
    (True, None, None, "b on MinIO > event bridge > ssjdispatcher in ns > indexd"),
])
def test_the_stations_of_each_route(minio, topic, queue, stations):
    assert " > ".join(_probe.stations("b", "ns", minio, topic, queue)) == stations


PROBE = {"url": URL, "size": 3, "hashes": _probe.digests(b"abc")}
RECORD = {"size": 3, "hashes": PROBE["hashes"], "urls": [URL]}


@pytest.mark.parametrize(("record", "problem"), [
    ({}, None),
    ({"hashes": {"md5": PROBE["hashes"]["md5"]}}, None),
    ({"hashes": {name: value.upper() for name, value in PROBE["hashes"].items()}}, None),
    ({"hashes": {**PROBE["hashes"], "future": "1"}}, None),
    ({"size": 4}, "size is 4, the object has 3 bytes"),
    ({"size": None}, "size is None, the object has 3 bytes"),
    ({"hashes": {"md5": "0" * 32}}, f"md5 is {'0' * 32}, the object's is {PROBE['hashes']['md5']}"),
    ({"hashes": {}}, "it has no hash"),
    ({"hashes": None}, "it has no hash"),
    ({"hashes": {"future": "1"}}, "it has no hash"),
    ({"urls": []}, f"its URLs do not contain {URL}"),
    ({"urls": None}, f"its URLs do not contain {URL}"),
])
def test_a_record_is_held_against_the_object(record, problem):
    assert _probe.record_problems({**RECORD, **record}, PROBE) == ([problem] if problem else [])


def test_a_crc_may_have_lost_its_leading_zeros():
    probe = {**PROBE, "hashes": {"crc": "00ab12cd"}}
    assert _probe.record_problems({**RECORD, "hashes": {"crc": "ab12cd"}}, probe) == []
    assert _probe.record_problems({**RECORD, "hashes": {"crc": "ab12cdef"}}, probe) != []


@pytest.mark.parametrize(("record", "filled"), [
    ({"size": 0, "hashes": {"md5": "x"}}, True),
    ({"size": None, "hashes": {"md5": "x"}}, False),
    ({"size": 1, "hashes": {}}, False),
    ({}, False),
])
def test_a_record_is_filled_with_both_size_and_hashes(record, filled):
    assert _probe.is_filled(record) is filled


def job(url, **variable):
    env = [{"name": "AWS_REGION", "value": ""}, {"name": "INPUT_URL", "value": url, **variable}]
    return {"metadata": {"name": "indexing-abcde"}, "spec": {"template": {"spec": {"containers": [{"env": env}]}}}}


@pytest.mark.parametrize(("url", "found"), [
    ("s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/a+file+%281%29.txt", True),
    ("s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11%2Fa+file+%281%29.txt", True),
    ("s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/a%20file%20(1).txt", True),
    ("s3://gen3-bucket/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/another.txt", False),
    ("s3://gen3-bucket-2/0f5c1c1e-0d3a-4f0e-9a50-2f6a4f6c7b11/a+file+%281%29.txt", False),
    (None, False),
])
def test_the_probes_job_is_the_one_with_its_url(url, found):
    other = job("s3://gen3-bucket/somebody/else.txt")
    assert (_probe.find_job([other, job(url)], URL) is not None) is found


@pytest.mark.parametrize("strange", [{}, {"spec": {"template": {"spec": {"containers": [{}]}}}}])
def test_jobs_of_another_shape_are_passed_over(strange):
    assert _probe.find_job([strange], URL) is None


@pytest.mark.parametrize(("status", "state"), [
    (None, None),
    ({}, None),
    ({"active": 1, "failed": 2}, None),
    ({"succeeded": 1}, _probe.PASSED),
    ({"conditions": [{"type": "Complete", "status": "True"}]}, _probe.PASSED),
    ({"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}]}, None),
    ({"conditions": [{"type": "FailureTarget", "status": "True"}]}, None),
    ({"conditions": [{"type": "Failed", "status": "True"}]}, _probe.FAILED),
    ({"conditions": [{"type": "Failed", "status": "False"}]}, None),
])
def test_the_state_of_a_job(status, state):
    assert _probe.job_state({"status": status}) == state


@pytest.mark.parametrize(("status", "reasons"), [
    ({}, []),
    ({"containerStatuses": [{"state": {"running": {}}}]}, []),
    ({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}, []),
    ({"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]},
     ["pod p: ErrImagePull: not found"]),
    ({"containerStatuses": [{"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}, []),
    ({"containerStatuses": [{"state": {"terminated": {"exitCode": 2, "reason": "Error"}}}]},
     ["pod p: Error, exit code 2"]),
    ({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]},
     ["pod p: OOMKilled, exit code 137"]),
    ({"phase": "Failed", "reason": "DeadlineExceeded"}, ["pod p: DeadlineExceeded"]),
    ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]},
     ["pod p: not scheduled: 0/3 nodes are available"]),
])
def test_why_a_pod_fails(status, reasons):
    assert _probe.pod_failures([{"metadata": {"name": "p"}, "status": status}]) == reasons


def depth(visible=0, in_flight=0, dead=0):
    return {"visible": visible, "in_flight": in_flight, "dead": dead}


@pytest.mark.parametrize(("now", "before", "words"), [
    (depth(), depth(), ["is empty", "topic policy", "--check --diff"]),
    (depth(visible=3), depth(), ["3 messages wait", "sqs:ReceiveMessage"]),
    (depth(in_flight=2), depth(), ["2 messages", "free Job slot"]),
    (depth(dead=1), depth(), ["dead-letter queue", "--previous"]),
    (depth(dead=1), depth(dead=1), ["is empty", "--check --diff"]),
    (depth(visible=1, in_flight=1), None, ["messages wait", "free Job slot"]),
    (None, depth(), ["sqs:GetQueueAttributes", "ssjdispatcher"]),
])
def test_what_to_look_at_when_no_job_appears(now, before, words):
    advice = _probe.no_job_advice("-n ns deployment/d", "Gen3Queue", now, before)
    assert "Gen3Queue" in advice[0]
    assert all(any(word in line for line in advice) for word in words), advice
    assert any("-n ns deployment/d" in line for line in advice)
    assert "bridge" not in " ".join(advice), "Amazon S3 has none"


def target(status="online", waiting=0):
    return _probe.Target("webhook/GEN3", status, waiting)


@pytest.mark.parametrize(("queue", "now", "said", "words", "others"), [
    ("Gen3Queue", depth(), target(), ["Gen3Queue is empty", "dead letters", "event_bridge_records", "pattern"], ["policy"]),
    ("Gen3Queue", depth(visible=2), target(), ["2 messages wait"], ["dead letters are"]),
    ("Gen3Queue", depth(), target(waiting=4), ["MinIO keeps events (4)", "another token", "output_error"], ["is empty"]),
    ("Gen3Queue", depth(visible=2), target(waiting=4), ["MinIO keeps events (4)", "2 messages wait"], []),
    (None, None, target(), ["No event is known to wait", "dead letters", "pattern"], ["queue", "sqs"]),
    (None, None, target("offline", 1), ["does not reach the event bridge", "webhook/GEN3"], ["dead letters", "sqs"]),
    (None, None, target(None, None), ["no target webhook/GEN3", "site.yml"], ["sqs"]),
    (None, None, target(waiting=None), ["No event is known to wait"], ["sqs"]),
    (None, None, None, ["No event is known to wait", "dead letters"], ["sqs"]),
])
@pytest.mark.parametrize(("place", "log"), [
    ("node", "journalctl -u event-bridge"), ("cluster", "kubectl logs -n ns deployment/event-bridge")])
def test_what_to_look_at_when_no_job_appears_for_a_file_on_minio(queue, now, said, words, others, place, log):
    advice = " ".join(_probe.no_job_advice("d", queue, now, depth(), said, _probe.bridge(place, "ns")))
    assert all(word in advice for word in words) and not any(word in advice for word in others), advice
    assert log in advice or "2 messages wait" in advice or "no target" in advice


@pytest.mark.parametrize(("said", "words"), [
    (target(), "webhook/GEN3 is online; events waiting for it: 0"),
    (target("offline", 2), "webhook/GEN3 is offline; events waiting for it: 2"),
    (target(None, None), "webhook/GEN3 is not known to MinIO; events waiting for it: unknown"),
])
def test_what_minio_says_of_its_target_in_words(said, words):
    assert _probe.target_evidence(said) == words


def test_the_queues_metrics_in_words():
    assert _probe.queue_evidence(None) == "queue not readable"
    assert _probe.queue_evidence({"visible": 1, "in_flight": 2}) == "queue: 1 waiting, 2 received and not yet deleted"
    assert _probe.queue_evidence(depth(1, 2, 3)).endswith("dead-letter queue 3")


@pytest.mark.parametrize(("place", "words"), [
    ("cluster", ["-n ns deployment/another", "port-forward -n ns deployment/another 5195", "/letters in its pod"]),
    ("node", ["http://127.0.0.1:5195/metrics", "/letters there"]),
])
def test_the_bridge_is_called_by_its_own_names(place, words):
    text = " ".join(_probe.bridge(place, "ns", "another", "127.0.0.1:5195", "/letters"))
    assert all(word in text for word in words) and "4195" not in text and "event-bridge/dead" not in text
