"""Fixtures for the integration tests: one lab for the whole session.

Every session, and with pytest-xdist every worker, has a lab of its own, so that its tests may change and reset it.
"""

from __future__ import annotations

import fcntl
import itertools
from pathlib import Path

import pytest
from lab.lab import Lab

BUILD = Path(__file__).resolve().parents[2] / "build"


@pytest.fixture(scope="session")
def lab():
    """A running lab, started for this session alone; what an interrupted session has left is stopped first."""
    for number in itertools.count():
        directory = BUILD / f"lab-test-{number}"
        directory.mkdir(parents=True, exist_ok=True)
        with open(directory / "session.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another session's
                continue
            lab = Lab(directory, print, minio_targets=["GEN3"], chart_secret=False)
            lab.down()
            try:
                lab.up()
                yield lab
            finally:
                lab.down()
            return


@pytest.fixture
def clean_lab(lab):
    """The session's lab, brought back to its first state."""
    lab.reset()
    return lab


@pytest.fixture
def uploads_variables():
    """The file with the variables of the lab's inventory."""
    return BUILD.parent / "inventories" / "lab" / "group_vars" / "all.yml"
