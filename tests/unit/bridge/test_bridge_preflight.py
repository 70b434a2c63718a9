"""What the role refuses before it touches anything, each by itself; all in one play, as a start of Ansible takes seconds."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml
from bridge_engine import DESTINATIONS, ROLE, TOKEN

KEY = "secret-key-of-the-tests"
GOOD = {"event_bridge_token": TOKEN, "event_bridge_install_method": "go", **DESTINATIONS}
CLUSTER = {**GOOD, "event_bridge_route": "dispatcher", "event_bridge_image": f"bento@sha256:{'0' * 64}"}
CASES = {
    "a topic": (GOOD, ""),
    "a queue": ({**GOOD, "event_bridge_route": "sqs"}, ""),
    "a queue with keys": ({**GOOD, "event_bridge_route": "sqs", "event_bridge_aws_access_key_id": "AKIA1",
                           "event_bridge_aws_secret_access_key": KEY}, ""),
    "a checksum": ({**GOOD, "event_bridge_install_method": "url", "event_bridge_sha256": "0" * 64}, ""),
    "no token": ({**GOOD, "event_bridge_token": None}, "token"),
    "a short token": ({**GOOD, "event_bridge_token": TOKEN[:31]}, "token"),
    "a token of two words": ({**GOOD, "event_bridge_token": f"Basic {TOKEN}"}, "token"),
    "a token with a quote": ({**GOOD, "event_bridge_token": f'{TOKEN}"'}, "token"),
    "a token of two lines": ({**GOOD, "event_bridge_token": f"{TOKEN}\nX=1"}, "token"),
    "a token with an end of line": ({**GOOD, "event_bridge_token": f"{TOKEN}\n"}, "token"),
    "a path for everything": ({**GOOD, "event_bridge_path": "/events/"}, "path"),
    "all addresses": ({**GOOD, "event_bridge_address": "0.0.0.0:4199"}, "address"),
    "a public status": ({**GOOD, "event_bridge_status_address": "192.0.2.1:4195"}, "address"),
    "no checksum": ({**GOOD, "event_bridge_install_method": "url"}, "checksum"),
    "no file": ({**GOOD, "event_bridge_install_method": "file", "event_bridge_sha256": "0" * 64}, "file"),
    "a version that is a path": ({**GOOD, "event_bridge_version": "../1.20.0"}, "version"),
    "no topic": ({**GOOD, "event_bridge_topic_arn": None}, "topic topic's-region"),
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
    "a node port without TLS": ({**CLUSTER, "event_bridge_service_type": "NodePort"}, "TLS"),
    "a node port with TLS": ({**CLUSTER, "event_bridge_service_type": "NodePort", "event_bridge_tls_secret": "tls"}, ""),
}

@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """case -> what each failed check was about; and all that Ansible said."""
    directory = tmp_path_factory.mktemp("preflight")
    blocks = []
    for number, (name, (variables, _)) in enumerate(CASES.items()):
        told = {"name": f"Note {name}", "ansible.builtin.set_fact": {
            f"case_{number}": "{{ ansible_failed_result.results | selectattr('failed') | map(attribute='item.about') "
                              "if ansible_failed_result.results is defined else ['other: ' ~ ansible_failed_result.msg] }}"}}
        blocks.append({"name": f"Try {name}", "vars": variables, "rescue": [told], "block": [
            {"name": "Check", "ansible.builtin.include_role": {"name": "gen3.uploads.event_bridge", "tasks_from": "preflight"}}]})
    results = ", ".join(f"{name!r}: case_{number} | default([])" for number, name in enumerate(CASES))
    copy = {"ansible.builtin.copy": {"content": f"{{{{ {{{results}}} | to_json }}}}", "dest": str(directory / "results.json"),
                                     "mode": "0600"}}
    play = directory / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [*blocks, copy]}]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", "-vvv", str(play)], capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROLE.parents[1] / ".collections"), "ANSIBLE_DEPRECATION_WARNINGS": "0"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((directory / "results.json").read_text()), done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES)
def test_refusals(refused, case):
    """The tests' own machine need not be managed by systemd."""
    about = [name.replace(" ", "-") for name in refused[0][case] if name != "service manager"]
    assert " ".join(about) == CASES[case][1]


def test_no_secret_is_printed(refused):
    """Not even by a play that prints all it can."""
    assert [word for word in (TOKEN, KEY) if word in refused[1]] == []
