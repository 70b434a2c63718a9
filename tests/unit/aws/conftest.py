"""An AWS account in memory for the tests of the AWS modules."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def aws(monkeypatch):
    """Return a function that makes boto3 clients for an empty account in us-east-1."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        yield lambda service, region="us-east-1": boto3.client(service, region_name=region)
