"""Names of tasks: a verb of the field first, and before it, where there is one, the area and a bar."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_files import load

ROOT = Path(__file__).resolve().parents[3]
VERBS = frozenset("""
    Activate Add Apply Build Check Clean Compare Configure Confirm Copy Count Create Deploy Detect Determine Disable Download Enable End Ensure Fail
    Find Follow Gather Install List Load Plan Prepare Push Query Read Record Reload Remove Report Reset Restart Restore Run Save Send Set
    Show Start Stop Unpack Validate Verify Wait Warn Write
""".split())
AREAS = frozenset({"Deploy", "Preflight", "Reindex", "Remove", "Verify"})
FILES = [*sorted((ROOT / "playbooks").glob("*.yml")), *sorted((ROOT / "playbooks/tasks").glob("*.yml")),
         *sorted((ROOT / "roles").glob("*/tasks/*.yml"))]


def tasks(value):
    """Yield the name of each play and task, None where one has none."""
    for each in value if isinstance(value, list) else []:
        yield each.get("name")
        for block in ("tasks", "block", "rescue", "always"):
            yield from tasks(each.get(block))


def is_in_the_fields_words(name):
    area, bar, rest = (name or "").partition(" | ")
    return area in AREAS and bool(rest) if bar else area.split(" ")[0] in VERBS


@pytest.mark.parametrize(("name", "good"), [
    ("Read the link", True), ("Preflight | AWS", True), ("Take MinIO's node in", False), ("Nonsense | AWS", False), ("Preflight | ", False),
    (None, False)])
def test_what_counts(name, good):
    assert is_in_the_fields_words(name) is good


def test_every_task_begins_with_a_verb_of_the_field():
    found = [(file.name, name) for file in FILES for name in tasks(load(file))]
    assert len(found) > 290
    assert [each for each in found if not is_in_the_fields_words(each[1])] == []
