"""The lab's state directory before its first start."""

from __future__ import annotations

import base64
import json
import socket
import stat

import pytest
from lab import minio, seed
from lab.lab import Lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    for name in ("LAB_INDEXD_URL", "LAB_MDS_URL", "LAB_DISPATCHER_CMD", "LAB_DISPATCHER_PORT", "LAB_DISPATCHER_POLL",
                 "LAB_INDEXER_CMD", "LAB_GUID_PREFIX", "LAB_RECORD_COST", "LAB_PASSWORDS"):
        monkeypatch.delenv(name, raising=False)
    return Lab(tmp_path)


def test_a_new_lab_uses_its_own_stand_ins(lab):
    lab._prepare()
    settings = lab.state.settings
    own = f"http://127.0.0.1:{settings['ports']['gen3']}"
    assert (settings["indexd_url"], settings["mds_url"]) == (own, own)
    assert (settings["dispatcher_command"], settings["dispatcher_port"], settings["indexer_command"]) == (None, 0, None)
    # As the chart of gen3-helm configures indexd, and as a real indexd was measured.
    assert (settings["guid_prefix"], settings["record_cost"]) == ("PREFIX/", 0.0045)


def test_real_programs_are_named_by_variables(lab, monkeypatch):
    for name, value in {"INDEXD_URL": "http://i/", "MDS_URL": "http://m", "DISPATCHER_CMD": "ssjdispatcher",
                        "DISPATCHER_PORT": "8000", "DISPATCHER_POLL": "1.5", "INDEXER_CMD": "indexs3client",
                        "GUID_PREFIX": "", "RECORD_COST": "0"}.items():
        monkeypatch.setenv(f"LAB_{name}", value)
    lab._prepare()
    settings = lab.state.settings
    assert [settings[name] for name in (
        "indexd_url", "mds_url", "dispatcher_command", "dispatcher_port", "dispatcher_poll", "indexer_command", "guid_prefix",
        "record_cost")] == ["http://i", "http://m", "ssjdispatcher", 8000, 1.5, "indexs3client", "", 0]


def test_passwords_may_be_those_that_real_services_have(tmp_path):
    file = tmp_path / "passwords.json"
    file.write_text('{"indexd": {"fence": "x"}}')
    assert seed.passwords(str(file)) == {"indexd": {"fence": "x"}}
    assert seed.passwords(None) != seed.passwords(None)


def test_a_container_waits_as_long_as_a_kubelet_lets_it_unless_a_test_says_otherwise(lab):
    assert lab.state.back_off == (10, 300)
    with lab.back_off(1, 2):
        assert lab.state.back_off == (1, 2)
    assert lab.state.back_off == (10, 300)


def test_the_next_start_keeps_the_ports_unless_one_is_taken(lab):
    lab._prepare()
    ports = lab.state.settings["ports"]
    lab._prepare()
    assert lab.state.settings["ports"] == ports
    with socket.create_server(("127.0.0.1", ports["aws"])):
        lab._prepare()
        assert ports["aws"] not in lab.state.settings["ports"].values()


def test_the_next_start_forgets_the_data(lab):
    lab._prepare()
    for file in (lab.state.logs / "x.log", lab.state.kubernetes / "etcd", lab.state.passwords_file):
        file.write_text("old")
    certificate = lab.state.authority.certificate_file.read_bytes()
    lab._prepare()
    assert not (lab.state.logs / "x.log").exists()
    assert not (lab.state.kubernetes / "etcd").exists()
    assert not lab.state.passwords_file.exists()
    assert lab.state.authority.certificate_file.read_bytes() != certificate


def test_tokens_and_keys_are_for_their_owner_alone(lab):
    lab._prepare()
    private = [*lab.state.kubernetes.glob("*.kubeconfig"), lab.state.kubernetes / "tokens.csv",
               *lab.state.directory.rglob("*.key")]
    assert len(private) == 8
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}


def test_the_environment_leads_to_the_lab_alone(lab):
    lab._prepare()
    environment = lab.environment()
    kubeconfig = json.loads(open(environment["KUBECONFIG"]).read())
    assert kubeconfig["clusters"][0]["cluster"]["server"] == lab.state.url("kube-apiserver")
    assert environment["AWS_ENDPOINT_URL"] == lab.state.url("aws")
    assert len(environment["AWS_SECRET_ACCESS_KEY"]) == 40
    assert not any("amazonaws" in value for value in environment.values())


def test_what_minio_and_the_bridge_share(tmp_path):
    lab = Lab(tmp_path, minio_targets=["GEN3"])
    lab._prepare()
    with_minio = lab.environment()
    assert len(with_minio["LAB_BRIDGE_TOKEN"]) >= 32 and len(with_minio["LAB_INDEXER_SECRET"]) == 40
    assert int(with_minio["LAB_BRIDGE_NODE_PORT"]) in range(30000, 32768)
    target = minio.environment(lab.state)
    assert target["MINIO_NOTIFY_WEBHOOK_ENDPOINT_GEN3"] == f"https://127.0.0.1:{with_minio['LAB_BRIDGE_NODE_PORT']}/events"
    kind, _, login = target["MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_GEN3"].partition(" ")
    assert kind == "Basic" and base64.b64decode(login).decode() == f"minio:{with_minio['LAB_BRIDGE_TOKEN']}"


def test_without_minio_there_is_nothing_of_it(lab):
    lab._prepare()
    assert not [name for name in lab.environment() if "MINIO" in name or "BRIDGE" in name]


def test_a_lab_that_was_never_started_is_stopped(lab):
    assert not any(part["pid"] or part["healthy"] for part in lab.status())
    lab.down()
