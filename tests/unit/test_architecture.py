"""The plan of plugins/module_utils: imports point downwards, and what only thinks imports nothing that calls."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
OURS = "ansible_collections.gen3.uploads.plugins.module_utils"
FLOORS = (
    {"_core"},
    {"_k8s", "_aws", "_minio", "_gen3"},
    {"_json_document", "_channel", "_bucket_notifications", "_reindex", "_uploads", "_event_bridge"},
    {"_ssjdispatcher"},
    {"_probe"},
    {"_trace"},
)
"""Packages from the lowest floor up; each may import from those below it, and the second floor one foreign system each."""
PURE = ("plan", "model", "merge", "patterns", "automaton", "pattern_review", "validate", "rollout_plan", "rbac", "settings", "jobs",
        "former", "policy", "judge", "review", "events", "targets", "addresses")
CALLING = ("client", "api", "json_http")
LIBRARIES = {"boto3", "botocore", "kubernetes", "minio", "urllib3", "requests"}
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def imports(source):
    """Yield what a file imports: a module of ours as ``package.file``, anything else by its top name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
            inside = node.module.removeprefix(OURS).lstrip(".")
            yield from [inside] if "." in inside else (f"{inside}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def floor(package):
    return next(number for number, packages in enumerate(FLOORS) if package in packages)


def upwards(package, source):
    """Return the imports of a file that don't point downwards."""
    others = {name.partition(".")[0] for name in imports(source) if name.startswith("_") and "." in name} - {package}
    return {other for other in others if floor(other) >= floor(package)}


def calling(source):
    """Return the imports of a file that reach out of the process."""
    return {name for name in imports(source) if name in LIBRARIES or "." in name and name.rpartition(".")[2] in CALLING}


def test_what_counts():
    source = f"from {OURS}._aws import client\nfrom {OURS}._probe.model import X\nimport boto3\nfrom json import loads"
    assert set(imports(source)) == {"_aws.client", "_probe.model", "boto3", "json"}
    assert upwards("_channel", source) == {"_probe"} and upwards("_aws", source) == {"_probe"}
    assert calling(source) == {"_aws.client", "boto3"}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_point_downwards_and_what_thinks_does_not_call(file):
    source = (ROOT / file).read_text()
    assert not upwards(file.parts[0], source)
    if file.stem in PURE or file.stem.startswith("validate"):
        assert not calling(source)


def test_there_are_no_circles_within_a_package():
    graph = {str(file.with_suffix("")).replace("/", "."): set(imports((ROOT / file).read_text())) for file in FILES}
    while graph:
        leaves = {name for name, imported in graph.items() if not imported & set(graph)}
        assert leaves, sorted(graph)
        graph = {name: imported for name, imported in graph.items() if name not in leaves}
