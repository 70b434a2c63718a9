"""An installation whose AWS part Terraform or CDK made: used as it is, and left as it was."""

from __future__ import annotations

import pytest
from aws_of_others import make, state
from plays import CONFIRM, SITE, TEARDOWN, succeed


@pytest.fixture
def installed(clean_lab):
    """A lab with an installation of Terraform's."""
    make(clean_lab)
    return clean_lab


def test_terraforms_part_is_used_and_left_as_it_was(installed):
    lab = installed
    before = state(lab)
    earlier = lab.upload()
    first = succeed(lab, SITE)
    assert "by the rule tf-s3-topic-20240101 (an Id as Terraform makes it)" in first.output
    assert state(lab)["rules"] == before["rules"]
    lab.wait_until_ready(earlier)
    lab.wait_until_ready(lab.upload())
    assert succeed(lab, SITE).changed == []
    succeed(lab, TEARDOWN, variables=CONFIRM)
    assert state(lab) == before
