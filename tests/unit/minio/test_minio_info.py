"""What a MinIO server says of itself and of its targets."""

import base64
import hashlib
import hmac
import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._minio import info as _minio_info

SAID = {
    "sqsARN": ["arn:minio:sqs:eu:THEIRS:redis", "arn:minio:sqs:eu:GEN3:webhook"], "region": "eu", "deploymentID": "d",
    "servers": [{"version": "2026-01-01T00:00:00Z"}],
    "services": {"notifications": [{"webhook": [{"GEN3": {"status": "online"}}]}, {"redis": []}]},
}
METRICS = """# TYPE minio_notify_target_queue_length gauge
minio_notify_target_queue_length{server="127.0.0.1:9000",target_id="GEN3",target_name="webhook"} 3
minio_notify_target_queue_length{server="127.0.0.2:9000",target_id="GEN3",target_name="webhook"} 1.2e+06
minio_notify_target_queue_length{server="127.0.0.1:9000",target_id="GEN3",target_name="redis"} 5
minio_notify_target_queue_length{server="127.0.0.1:9000",target_id="GEN30",target_name="webhook"} 7
minio_notify_target_failed_events{server="127.0.0.1:9000",target_id="GEN3",target_name="webhook"} 9
"""


@pytest.mark.parametrize(("metrics", "waiting"), [(METRICS, 1200003), (METRICS.replace("queue_length", "x"), None), ("", None)])
def test_waiting_events_are_those_of_the_one_target_on_all_nodes(metrics, waiting):
    assert _minio_info.events_waiting(metrics, "webhook", "GEN3") == waiting


def test_the_servers_own_account_and_its_metrics_in_one():
    summary = _minio_info.summary(SAID, METRICS)
    assert summary == {
        "version": "2026-01-01T00:00:00Z", "region": "eu", "deployment_id": "d",
        "target_arns": ["arn:minio:sqs:eu:GEN3:webhook", "arn:minio:sqs:eu:THEIRS:redis"],
        "targets": [
            {"arn": "arn:minio:sqs:eu:GEN3:webhook", "id": "GEN3", "type": "webhook", "status": "online", "waiting": 1200003},
            {"arn": "arn:minio:sqs:eu:THEIRS:redis", "id": "THEIRS", "type": "redis", "status": "unknown", "waiting": None},
        ],
    }


def test_a_server_without_targets_and_regions_says_so():
    summary = _minio_info.summary({"sqsARN": None, "services": None})
    assert (summary["region"], summary["version"], summary["targets"]) == ("", None, [])


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_token_for_the_metrics_is_a_signed_json_web_token_of_a_quarter_of_an_hour():
    token = _minio_info.metrics_token("root", "secret", 1000.7)
    header, claims, signature = token.split(".")
    assert decoded(header) == {"alg": "HS512", "typ": "JWT"}
    assert decoded(claims) == {"exp": 1900, "iss": "prometheus", "sub": "root"}
    expected = hmac.new(b"secret", f"{header}.{claims}".encode(), hashlib.sha512).digest()
    assert base64.urlsafe_b64decode(signature + "==") == expected and "=" not in token
