"""One base of errors and one end of modules: a sentence for the operator, and a fault of ours as a fault."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError, UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module as end

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
PHRASES = {"DocumentError", "StepFailed", "PatternError", "UnsupportedPattern"}
"""Parts of sentences, which others finish, a step of the probe that was not passed, and a pattern that cannot be judged."""


class Module:
    """A module that does some work, as run_module of the tests runs one."""

    def __init__(self, work):
        self.work = work

    def main(self):
        end(AnsibleModule(argument_spec={}), self.work)


def raising(error):
    def work():
        raise error
    return Module(work)


def test_an_error_of_ours_is_one_sentence_with_its_details(run_module):
    result = run_module(raising(PlanError("No bucket b: make it.", problems=["x"])))
    assert (result["failed"], result["msg"], result["problems"]) == (True, "No bucket b: make it.", ["x"])


def test_another_error_is_not_dressed_as_one(run_module):
    with pytest.raises(ValueError, match="a fault"):
        run_module(raising(ValueError("a fault")))


def test_a_result_and_its_warnings(run_module):
    result = run_module(Module(lambda: {"changed": False, "found": 1, "warnings": ["Look."]}))
    assert result["found"] == 1 and len(result["warnings"]) == 1 and "Look." in str(result["warnings"])


def test_every_error_has_the_one_base():
    classes = [node for file in PLUGINS.rglob("*.py") for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef)]
    errors = {node.name: ast.unparse(node.bases[0]) for node in classes
              if node.bases and ("Error" in ast.unparse(node.bases[0]) or "Exception" in ast.unparse(node.bases[0]))}
    assert len(errors) > 10
    assert {name for name, base in errors.items() if base != "UploadsError"} == PHRASES | {"UploadsError"}
    assert issubclass(PlanError, UploadsError)
