"""What `make demo` takes from its environment."""

from __future__ import annotations

import pytest
from demo import variables


@pytest.mark.parametrize("environment", [{}, {"STORAGE": ""}, {"STORAGE": "s3", "ROUTE": ""}])
def test_without_minio_nothing_is_changed(environment):
    assert variables(environment) == []


@pytest.mark.parametrize(("route", "given"), [("sns", {}), ("sns", {"ROUTE": ""}), ("dispatcher", {"ROUTE": "dispatcher"})])
def test_minio_and_its_route(route, given):
    options = variables({"STORAGE": "minio", **given})
    assert options == ["-e", "@inventories/lab/minio.yml", "-e", f"uploads_minio_route={route}"]


@pytest.mark.parametrize(("environment", "message"), [
    ({"STORAGE": "gcs"}, "STORAGE=gcs is none of s3, minio."),
    ({"STORAGE": "minio", "ROUTE": "kafka"}, "ROUTE=kafka is none of sns, sqs, dispatcher."),
    ({"ROUTE": "sqs"}, "ROUTE=sqs needs STORAGE=minio")])
def test_what_the_demo_does_not_know_is_named(environment, message):
    with pytest.raises(ValueError, match=message):
        variables(environment)
