"""Fixtures for the integration tests: one lab for the whole session.

With pytest-xdist every worker has a lab of its own, so that its tests may change and reset it as they like.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lab.lab import Lab

BUILD = Path(__file__).resolve().parents[2] / "build"


@pytest.fixture(scope="session")
def lab():
    """A running lab, started for this session alone; what an interrupted session has left is stopped first."""
    lab = Lab(BUILD / f"lab-{os.environ.get('PYTEST_XDIST_WORKER', 'test')}", print)
    lab.down()
    lab.up()
    yield lab
    lab.down()


@pytest.fixture
def clean_lab(lab):
    """The session's lab, brought back to its first state."""
    lab.reset()
    return lab
