"""The role event_bridge in the cluster."""

from __future__ import annotations

import json

import pytest
from plays import run

NAME, MARK = "event-bridge", "gen3.uploads/created-by"
KINDS = ("Deployment", "Service", "NetworkPolicy", "ConfigMap", "Secret", "PersistentVolumeClaim")


class Role:
    """The role on a lab."""

    def __init__(self, lab, directory):
        self.lab, self._directory = lab, directory
        self.port = lab.state.settings["ports"]["minio-events"]

    def __call__(self, entries=("main",)):
        """Run entry points of the role in one play."""
        file = self._directory / "play.json"
        tasks = [{"ansible.builtin.import_role": {"name": "gen3.uploads.event_bridge", "tasks_from": entry}} for entry in entries]
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        settings = {
            "event_bridge_route": "dispatcher", "event_bridge_token": "token-of-the-bridge-in-the-cluster-01234567",
            "event_bridge_wait_timeout": 60,
            "event_bridge_image": f"lab.example.org/bento@sha256:{'0' * 64}", "event_bridge_service_type": "NodePort",
            "event_bridge_node_port": self.port, "event_bridge_tls_secret": "event-bridge-tls"}
        return run(self.lab, str(file), variables=settings)

    @property
    def objects(self):
        """(kind, name) -> what the role has made in the cluster."""
        return {(kind, each["metadata"]["name"]): each for kind in KINDS for each in self.lab.kube.list(kind, "default")
                if MARK in each["metadata"].get("annotations", {})}


@pytest.fixture
def role(clean_lab, tmp_path):
    return Role(clean_lab, tmp_path)


def test_what_others_made_is_neither_taken_over_nor_removed(role):
    """A Service of the bridge's name that somebody else made."""
    foreign = {"kind": "Service", "metadata": {"name": NAME}, "spec": {"ports": [{"port": 80}], "selector": {"app": "other"}}}
    role.lab.kube.create(foreign)
    with role.lab.calls() as calls:
        refused = role()
    assert refused.code != 0 and "Service event-bridge in default was not made by this role" in refused.message, refused.output
    assert calls.writes == []

    role.lab.kube.create({"kind": "ConfigMap", "metadata": {"name": NAME, "annotations": {MARK: "event_bridge"}}, "data": {}})
    removed = role(entries=("absent",))
    assert removed.code == 0 and "Service event-bridge in default was not made by this role, and stays" in removed.output
    assert role.objects == {}
    assert role.lab.kube.get("Service", NAME)["spec"]["selector"] == {"app": "other"}
