"""What the role refuses before it touches anything."""

from __future__ import annotations

import os
import subprocess

import pytest
import yaml
from ansible.template import trust_as_template
from ansible_collections.gen3.uploads.plugins.module_utils._event_bridge import settings
from bridge_engine import DESTINATIONS, ROLE, TOKEN, templar

KEY = "secret-key-of-the-tests"
GOOD = {"event_bridge_token": TOKEN, "event_bridge_install_method": "go", **DESTINATIONS}
KEYS = {"event_bridge_aws_access_key_id": "AKIA1", "event_bridge_aws_secret_access_key": KEY}
CLUSTER = {**GOOD, "event_bridge_route": "dispatcher", "event_bridge_image": f"bento@sha256:{'0' * 64}"}
PUBLISHER = {**CLUSTER, **KEYS, "event_bridge_route": "sns", "event_bridge_location": "cluster",
             "event_bridge_url": "https://gen3.example.org/minio-events"}
READER = {**CLUSTER, "event_bridge_source": "queue", "event_bridge_token": None}
OPEN = {**CLUSTER, "event_bridge_service_type": "NodePort", "event_bridge_tls_secret": "tls",
        "event_bridge_allowed_addresses": ["192.0.2.10/32"]}
CASES = {
    "a topic": (GOOD, ""),
    "a queue": ({**GOOD, "event_bridge_route": "sqs"}, ""),
    "a queue with keys": ({**GOOD, **KEYS, "event_bridge_route": "sqs"}, ""),
    "days that are none": ({**GOOD, "event_bridge_dead_letter_days": 0}, "days"),
    "a checksum": ({**GOOD, "event_bridge_install_method": "url", "event_bridge_sha256": "0" * 64}, ""),
    "no token": ({**GOOD, "event_bridge_token": None}, "token"),
    "a short token": ({**GOOD, "event_bridge_token": TOKEN[:31]}, "token"),
    "a token of two words": ({**GOOD, "event_bridge_token": f"Basic {TOKEN}"}, "token"),
    "a token with a quote": ({**GOOD, "event_bridge_token": f'{TOKEN}"'}, "token"),
    "a token of two lines": ({**GOOD, "event_bridge_token": f"{TOKEN}\nX=1"}, "token"),
    "a token with an end of line": ({**GOOD, "event_bridge_token": f"{TOKEN}\n"}, "token"),
    "a path for everything": ({**GOOD, "event_bridge_path": "/events/"}, "path"),
    "all addresses": ({**GOOD, "event_bridge_address": "0.0.0.0:4199"}, "address"),
    "a public status": ({**GOOD, "event_bridge_metrics_address": "192.0.2.1:4195"}, "address"),
    "an address with more behind it": ({**GOOD, "event_bridge_address": "127.0.0.1:4199,0.0.0.0:4199"}, "address"),
    "an address with an end of line": ({**GOOD, "event_bridge_metrics_address": "127.0.0.1:4195\n"}, "address"),
    "no checksum": ({**GOOD, "event_bridge_install_method": "url"}, "checksum"),
    "no file": ({**GOOD, "event_bridge_install_method": "file", "event_bridge_sha256": "0" * 64}, "file"),
    "a version that is a path": ({**GOOD, "event_bridge_version": "../1.20.0"}, "version"),
    "no topic": ({**GOOD, "event_bridge_topic_arn": None}, "topic"),
    "a topic elsewhere": ({**GOOD, "event_bridge_region": "eu-west-1"}, "topic's-region"),
    "no queue": ({**GOOD, "event_bridge_route": "sqs", "event_bridge_queue_url": None}, "queue"),
    "a queue elsewhere": ({**GOOD, "event_bridge_route": "sqs", "event_bridge_region": "eu-west-1"}, "queue's-region"),
    "half a key": ({**GOOD, "event_bridge_aws_secret_access_key": KEY}, "keys"),
    "a temporary key": ({**GOOD, "event_bridge_aws_access_key_id": "ASIA1", "event_bridge_aws_secret_access_key": KEY},
                        "temporary-keys"),
    "a key of two lines": ({**GOOD, "event_bridge_aws_access_key_id": "AKIA1", "event_bridge_aws_secret_access_key": f"{KEY}\n"},
                           "characters-of-the-keys"),
    "a pod": (CLUSTER, ""),
    "an image by its tag": ({**CLUSTER, "event_bridge_image": "bento:1.20.0"}, "image"),
    "a node port without TLS": ({**OPEN, "event_bridge_tls_secret": None}, "TLS"),
    "a node port with TLS": (OPEN, ""),
    "a node port for everybody": ({**OPEN, "event_bridge_allowed_addresses": []}, "allowed-addresses"),
    "a load balancer for everybody": ({**OPEN, "event_bridge_service_type": "LoadBalancer", "event_bridge_allowed_addresses": []},
                                      "allowed-addresses"),
    "a pod that publishes": (PUBLISHER, ""),
    "a pod that sends": ({**PUBLISHER, "event_bridge_route": "sqs"}, ""),
    "a pod that nobody reaches": ({**PUBLISHER, "event_bridge_url": None}, "way-in"),
    "a pod without keys": ({**PUBLISHER, **dict.fromkeys(KEYS)}, "keys-in-the-cluster"),
    "a pod without a topic": ({**PUBLISHER, "event_bridge_topic_arn": None}, "topic"),
    "a pod with the role of its account": ({**PUBLISHER, **dict.fromkeys(KEYS), "event_bridge_service_account": "publisher"}, ""),
    "a pod that reads the queue": (READER, ""),
    "a pod that reads no queue": ({**READER, "event_bridge_queue_url": None}, "queue"),
    "a pod that reads a queue elsewhere": ({**READER, "event_bridge_region": "eu-west-1"}, "queue's-region"),
    "a pod that reads the queue and fills it": ({**READER, **KEYS, "event_bridge_route": "sqs", "event_bridge_url": "https://a.example.org/e"},
                                                "source"),
    "a node that reads the queue": ({**GOOD, "event_bridge_source": "queue", "event_bridge_route": "dispatcher", "event_bridge_location": "node",
                                     "event_bridge_dispatcher_url": "http://192.0.2.7"}, "source"),
    "a node that posts nowhere": ({**GOOD, "event_bridge_route": "dispatcher", "event_bridge_location": "node"}, "dispatcher"),
    "a node that posts": ({**GOOD, "event_bridge_route": "dispatcher", "event_bridge_location": "node",
                           "event_bridge_dispatcher_url": "http://192.0.2.7"}, ""),
}


FINDINGS = {
    "token": "event_bridge_token needs at least 32", "path": "event_bridge_path needs a path", "source": "event_bridge_source queue hands",
    "days": "event_bridge_dead_letter_days needs", "topic": "Route sns needs event_bridge_topic_arn",
    "topic's-region": "event_bridge_region is not the region of event_bridge_topic_arn",
    "queue": "needs event_bridge_queue_url", "queue's-region": "event_bridge_region is not the region in event_bridge_queue_url",
    "keys": "Set both", "temporary-keys": "is a temporary key", "characters-of-the-keys": "A key of AWS has a double quote",
    "image": "needs event_bridge_image", "TLS": "where the token needs TLS", "allowed-addresses": "name the senders",
    "way-in": "goes through the cluster only where MinIO reaches it", "keys-in-the-cluster": "in the cluster needs event_bridge_aws_access_key_id",
    "service-manager": "is not managed by systemd", "processor": "this node is s390x", "version": "event_bridge_version names",
    "file": "needs event_bridge_local_file", "checksum": "needs event_bridge_sha256", "address": "need an address of the loopback interface",
    "dispatcher": "needs event_bridge_dispatcher_url"}
"""What a finding is about -> words of its sentence."""


def refused(variables, **facts):
    """What the findings are about, each of which is one sentence."""
    options = list(yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"])
    values = templar(**{"event_bridge_route": "sns", "ansible_facts": {}, **variables})
    values = {name: values.template(trust_as_template(f"{{{{ {name} }}}}")) for name in options}
    found = settings.problems(values, {"service_mgr": "systemd", "architecture": "x86_64", **facts})
    about = [[name for name, words in FINDINGS.items() if words in sentence] for sentence in found]
    assert all(len(names) == 1 for names in about), found
    return [name for names in about for name in names]


@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    variables, about = CASES[case]
    assert " ".join(refused(variables)) == about


@pytest.mark.parametrize(("facts", "about"), [({"service_mgr": "openrc"}, "service-manager"), ({"architecture": "s390x"}, "processor")])
def test_a_node_that_cannot_run_it(facts, about):
    assert refused(GOOD, **facts) == [about] and refused(CLUSTER, **facts) == []


def test_all_findings_at_once():
    assert refused({**OPEN, "event_bridge_token": None, "event_bridge_image": None, "event_bridge_tls_secret": None}) == ["token", "image", "TLS"]


def test_a_play_that_is_refused_prints_no_secret(tmp_path):
    """Not even one that prints all it can."""
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [
        {"name": "Refuse", "ansible.builtin.include_role": {"name": "gen3.uploads.event_bridge", "tasks_from": "preflight"},
         "vars": {**CASES["a key of two lines"][0], "event_bridge_token": f"{TOKEN}\n"}}]}]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", "-vvv", str(play)], capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROLE.parents[1] / ".collections")})
    said = done.stdout + done.stderr
    assert done.returncode == 2 and "event_bridge_token needs at least 32" in said, said[-3000:]
    assert [word for word in (TOKEN, KEY) if word in said] == []
