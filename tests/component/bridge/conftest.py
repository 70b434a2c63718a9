"""Fixtures: the built engine, and a bridge of each route in front of its sink."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bridge_engine import ROUTES, Bridge
from bridge_sinks import SINKS
from lab import programs

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


@pytest.fixture(scope="session")
def bento():
    """The program."""
    return programs.ensure(print, "go-bento")["bento"]


@pytest.fixture(scope="session")
def recorded():
    """case -> what MinIO posted."""
    lines = (CONTRACTS / "minio_events.jsonl").read_text().splitlines()
    return {event["case"]: event for event in map(json.loads, lines)}


@pytest.fixture
def make_bridge(bento, tmp_path):
    """Start a bridge of a route; returns it and its sink. All end with the test."""
    started = []

    def make(route, sink_up=True, answer_within=None, **variables):
        sink = SINKS[route]()
        bridge = Bridge(bento, tmp_path, **sink.variables, **sink.endpoint, **variables)
        if answer_within:
            bridge.configuration.write_text(bridge.configuration.read_text().replace("timeout: 45s", f"timeout: {answer_within}"))
        started.extend([bridge.stop, sink.down])
        if sink_up:
            sink.up()
        return bridge.start(), sink

    yield make
    for stop in started:
        stop()


@pytest.fixture(params=ROUTES)
def way(request, make_bridge):
    """A bridge and its sink, of each route in turn."""
    return make_bridge(request.param)
