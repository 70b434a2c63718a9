"""Services of the lab: which pods are behind one, and its node ports."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from lab import processes
from lab.node.node_ports import NodePorts, backends
from lab.services import PORTS_ANNOTATION, endpoints

EVENTS = {"port": 443, "targetPort": "events", "nodePort": 30443}
STATUS = {"port": 80, "targetPort": 4195}


def service(*ports, selector=None, namespace="default"):
    return {"metadata": {"namespace": namespace}, "spec": {"selector": selector, "ports": ports}}


def pod(events, ready=True, **metadata):
    ports = {"events": events, "4199": events, "status": events + 1, "4195": events + 1}
    return {"metadata": {"namespace": "default", "labels": {"app": "bridge", "x": "y"},
                         "annotations": {PORTS_ANNOTATION: json.dumps(ports)}, **metadata},
            "status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}


@pytest.mark.parametrize(("pods", "selector", "port", "expected"), [
    ([pod(15000), pod(16000)], {"app": "bridge"}, EVENTS, [15000, 16000]),
    ([pod(15000)], {"app": "bridge"}, STATUS, [15001]),
    ([pod(15000)], {"app": "bridge", "x": "z"}, EVENTS, []),
    ([pod(15000)], None, EVENTS, []),
    ([pod(15000, ready=False)], {"app": "bridge"}, EVENTS, []),
    ([pod(15000, namespace="other")], {"app": "bridge"}, EVENTS, []),
    ([pod(15000, deletionTimestamp="now")], {"app": "bridge"}, EVENTS, []),
    ([pod(15000)], {"app": "bridge"}, {"targetPort": "other"}, []),
    ([{"metadata": {"namespace": "default"}}], {"app": "bridge"}, EVENTS, [])])
def test_endpoints(pods, selector, port, expected):
    assert endpoints(service(selector=selector), port, pods) == expected


def test_only_node_ports_that_lead_anywhere_are_backends():
    services = [service(EVENTS, STATUS, selector={"app": "bridge"}), service({**EVENTS, "nodePort": 30444}, selector={"app": "other"})]
    assert backends(services, [pod(15000)]) == {30443: [15000]}


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_node_port_passes_both_directions_on_and_refuses_when_nothing_is_behind_it():
    node_port, = processes.free_ports(1)
    reports = []
    ports = NodePorts(reports.append)
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            connection, _address = server.accept()
            with connection:
                question = b""
                while data := connection.recv(100):
                    question += data
                connection.sendall(question.upper())
        threading.Thread(target=answer, daemon=True).start()
        ports.update({node_port: [server.getsockname()[1]]})
        with connect(node_port) as caller:
            caller.sendall(b"question")
            caller.shutdown(socket.SHUT_WR)
            assert caller.recv(100) == b"QUESTION"
            assert caller.recv(100) == b""
    with connect(node_port) as caller:
        assert caller.recv(100) == b""  # the pod has just ended
    ports.update({})
    with pytest.raises(ConnectionRefusedError):
        connect(node_port)
    with somebody_else(node_port):
        ports.update({node_port: [1]})
        ports.update({node_port: [1]})
    assert len(reports) == 1 and str(node_port) in reports[0]
    ports.update({node_port: [1]})
    connect(node_port).close()
    ports.update({})


def somebody_else(port):
    """Take a port, so that nobody else can listen on it."""
    return socket.create_server(("127.0.0.1", port))
