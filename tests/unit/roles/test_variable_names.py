"""A name that a task registers is nobody's task variable: the registered value would win, also from an earlier role of the play."""

from __future__ import annotations

from pathlib import Path

from ansible_files import load

ROOT = Path(__file__).resolve().parents[3]


def names(value):
    """Yield ("kept" or "given", name) for every name that tasks keep for the rest of the play, and that they are given."""
    if isinstance(value, dict):
        if isinstance(value.get("register"), str):
            yield "kept", value["register"]
        for name in value.get("ansible.builtin.set_fact") or {}:
            yield "kept", name
        for name in value.get("vars") or {}:
            yield "given", name
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from names(each)


def shadowed(documents):
    """Return the names that stand on both sides."""
    found = set(names(documents))
    return {name for kind, name in found if kind == "kept"} & {name for kind, name in found if kind == "given"}


def test_what_counts():
    assert shadowed([{"register": "a"}, {"block": [{"vars": {"a": 1, "b": 2}}]}, {"vars": {"c": 3}}, {"register": "d"}]) == {"a"}


def test_no_registered_name_is_a_task_variable():
    files = [path for folder in ("roles", "playbooks") for path in (ROOT / folder).rglob("*.yml")]
    assert not shadowed([load(path) for path in files])
