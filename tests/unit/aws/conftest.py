"""An AWS account in memory, and a tap on the calls that modules make to it."""

from __future__ import annotations

import functools
from contextlib import contextmanager

import boto3
import botocore.session
import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._aws import fresh_write
from botocore.client import BaseClient
from lab.moto_as_sqs import keep_policies
from moto import mock_aws

keep_policies()

READS = ("Get", "List", "Head")


# Reading the descriptions of AWS's services takes most of a run's time; once is enough for all tests.
shared_loader = functools.cache(botocore.session.create_loader)


class Calls(list):
    """The names of the API calls made while recording, in order."""

    @property
    def writes(self):
        return [name for name in self if not name.startswith(READS)]


@pytest.fixture
def aws(monkeypatch):
    """Return a function that makes boto3 clients for an empty account."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_URL", "AWS_SESSION_TOKEN",
                 "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr("botocore.session.create_loader", shared_loader)
    with mock_aws():
        yield lambda service, region="us-east-1": boto3.client(service, region_name=region)


@pytest.fixture(autouse=True)
def nobody_else_writes(monkeypatch):
    """Look at once whether a policy is as it was written; a test with a second writer sets the pause again."""
    monkeypatch.setattr(fresh_write, "SETTLE", 0)


@pytest.fixture
def tap(monkeypatch):
    """Return a context manager: put a function (proceed, operation, parameters) around every API call within."""

    @contextmanager
    def around(handler):
        original = BaseClient._make_api_call

        def call(client, operation, parameters):
            return handler(lambda: original(client, operation, parameters), operation, parameters)

        with monkeypatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", call)
            yield

    return around


@pytest.fixture
def recording(tap):
    """Return a context manager that gives the list of API calls made within."""

    @contextmanager
    def record():
        calls = Calls()

        def handler(proceed, operation, parameters):
            calls.append(operation)
            return proceed()

        with tap(handler):
            yield calls

    return record


@pytest.fixture
def impatient(monkeypatch):
    """Make every pause between retries free; returns the list of their lengths in seconds."""
    pauses = []
    clock = [0.0]

    def sleep(seconds):
        pauses.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    return pauses
