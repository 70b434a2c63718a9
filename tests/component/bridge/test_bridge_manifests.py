"""What the role brings into the cluster."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY_VALUE
import yaml
from bridge_engine import ROLE, TOKEN, render, token_hash
from kubernetes.client import ApiClient

IMAGE = f"registry.example.org/bento@sha256:{'0' * 64}"
PUBLISHER = {"event_bridge_route": "sns", "event_bridge_location": "cluster", "event_bridge_aws_access_key_id": "AKIA1",
             "event_bridge_aws_secret_access_key": "secret"}
KINDS = ("secret", "config_map", "claim", "service", "network_policies", "deployment")


def manifests(**variables):
    """All manifests, by kind and name."""
    values = {"event_bridge_route": "dispatcher", "event_bridge_token": TOKEN, "event_bridge_image": IMAGE, **variables}
    found = [document for kind in KINDS for document in yaml.safe_load_all(render(f"kubernetes/{kind}.yml.j2", **values))]
    return {(document["kind"], document["metadata"]["name"]): document for document in found}


@pytest.fixture
def pod():
    """The pod's specification."""
    return manifests()["Deployment", "event-bridge"]["spec"]["template"]["spec"]


def test_the_pod_can_do_no_harm(pod):
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False and pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["image"] == IMAGE


def test_the_token_is_in_the_secret_alone():
    found = manifests()
    secret = found.pop(("Secret", "event-bridge"))
    assert base64.b64decode(secret["data"]["EVENT_BRIDGE_TOKEN_HASH"]).decode() == token_hash(TOKEN)
    assert TOKEN not in str(found) and secret["data"]["EVENT_BRIDGE_TOKEN_HASH"] not in str(found)


def test_the_keys_are_in_the_secret_alone_and_only_where_they_are_needed():
    keys = {"event_bridge_aws_access_key_id": "AKIAKEYOFTHETESTS", "event_bridge_aws_secret_access_key": "secret-key"}
    found = manifests(**{**PUBLISHER, **keys})
    data = found.pop(("Secret", "event-bridge"))["data"]
    assert {name: base64.b64decode(value).decode() for name, value in data.items()} == {
        "EVENT_BRIDGE_TOKEN_HASH": token_hash(TOKEN), "AWS_ACCESS_KEY_ID": "AKIAKEYOFTHETESTS", "AWS_SECRET_ACCESS_KEY": "secret-key"}
    assert [value for value in (*keys.values(), *data.values()) if value in str(found)] == []
    assert set(manifests(**keys)["Secret", "event-bridge"]["data"]) == {"EVENT_BRIDGE_TOKEN_HASH"}


@pytest.mark.parametrize("endpoint, port", [(None, 443), ("https://vpce.example.org", 443), ("http://127.0.0.1:5000", 5000)])
def test_a_bridge_that_publishes_is_let_out_to_aws_alone(endpoint, port):
    found = manifests(**PUBLISHER, event_bridge_aws_endpoint_url=endpoint)
    dns, aws = found["NetworkPolicy", "event-bridge"]["spec"]["egress"]
    assert ({each["port"] for each in dns["ports"]}, aws) == ({53}, {"ports": [{"port": port}]})
    assert ("NetworkPolicy", "event-bridge-to-ssjdispatcher") not in found


def test_the_engine_gets_the_configuration_of_its_route():
    found = manifests()
    text = found["ConfigMap", "event-bridge"]["data"]["bento.yml"]
    assert text == render(event_bridge_route="dispatcher")
    assert yaml.safe_load(text)["http"]["address"] == "0.0.0.0:4199"
    events, readiness = (each["http_server"] for each in yaml.safe_load(text)["input"]["broker"]["inputs"][:2])
    assert "address" not in events and readiness["address"] == "0.0.0.0:4195"


def test_ports_labels_and_volumes_fit_each_other(pod):
    found = manifests()
    template = found["Deployment", "event-bridge"]["spec"]["template"]
    ports = {port["name"]: port["containerPort"] for port in pod["containers"][0]["ports"]}
    assert ports == {"events": 4199, "status": 4195}
    assert found["Service", "event-bridge"]["spec"]["ports"][0]["targetPort"] == "events"
    from_bridge = found["NetworkPolicy", "event-bridge-to-ssjdispatcher"]["spec"]["ingress"][0]["from"][0]
    selectors = [found["Service", "event-bridge"]["spec"]["selector"],
                 found["Deployment", "event-bridge"]["spec"]["selector"]["matchLabels"],
                 found["NetworkPolicy", "event-bridge"]["spec"]["podSelector"]["matchLabels"],
                 from_bridge["podSelector"]["matchLabels"]]
    assert all(selector == template["metadata"]["labels"] for selector in selectors)
    assert [mount["name"] for mount in pod["containers"][0]["volumeMounts"]] == [volume["name"] for volume in pod["volumes"]]
    assert found["PersistentVolumeClaim", "event-bridge"]["spec"]["resources"] == {"requests": {"storage": "1Gi"}}


def test_tls_and_a_node_port():
    found = manifests(event_bridge_tls_secret="bridge-tls", event_bridge_service_type="NodePort", event_bridge_node_port=30443)
    server = yaml.safe_load(found["ConfigMap", "event-bridge"]["data"]["bento.yml"])["http"]
    pod = found["Deployment", "event-bridge"]["spec"]["template"]["spec"]
    assert server["cert_file"].rpartition("/")[0] == pod["containers"][0]["volumeMounts"][-1]["mountPath"]
    assert pod["volumes"][-1] == {"name": "tls", "secret": {"secretName": "bridge-tls"}}
    assert found["Service", "event-bridge"]["spec"]["ports"] == [
        {"name": "events", "port": 443, "targetPort": "events", "nodePort": 30443}]


def test_only_the_named_networks_may_enter():
    policy = manifests(event_bridge_allowed_addresses=["192.0.2.0/24"])["NetworkPolicy", "event-bridge"]
    assert policy["spec"]["ingress"] == [{"ports": [{"port": "events"}], "from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]


@pytest.mark.parametrize(("kind", "addresses", "hands_on"), [
    ("NodePort", ["192.0.2.0/24"], "Local"), ("LoadBalancer", ["192.0.2.0/24"], "Local"), ("ClusterIP", ["192.0.2.0/24"], None),
])
def test_the_network_policy_sees_the_sender_and_not_the_node(kind, addresses, hands_on):
    found = manifests(event_bridge_service_type=kind, event_bridge_allowed_addresses=addresses)
    assert found["Service", "event-bridge"]["spec"].get("externalTrafficPolicy") == hands_on


def test_everything_is_marked_as_ours():
    assert all(document["metadata"]["annotations"]["gen3.uploads/created-by"] == CREATED_BY_VALUE
               for document in manifests().values())
    assert {file.stem.partition(".")[0] for file in (ROLE / "templates" / "kubernetes").iterdir()} == set(KINDS)


class Answer:
    """What the client wants of an HTTP answer."""

    def __init__(self, document):
        self.data = json.dumps(document)


@pytest.mark.parametrize("variables", [{}, PUBLISHER, {"event_bridge_tls_secret": "tls", "event_bridge_service_type": "NodePort",
                                            "event_bridge_node_port": 30443, "event_bridge_storage_class": "fast",
                                            "event_bridge_allowed_addresses": ["192.0.2.0/24"]}])
def test_kubernetes_knows_every_field(variables):
    """Its client drops what it does not know."""
    client = ApiClient()
    for (kind, _), document in manifests(**variables).items():
        model = client.deserialize(Answer(document), f"V1{kind}")
        assert client.sanitize_for_serialization(model) == document
