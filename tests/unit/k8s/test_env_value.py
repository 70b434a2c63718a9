"""A value that goes through env[].value reaches the container as it is."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.env_value import escape, unescape
from lab.node.references import expand

VALUES = {"AWS_REGION": "us-east-1", "INPUT_URL": "s3://b/k"}


@pytest.mark.parametrize("text", [
    "", "plain", "a$b", "$", "end$", "$$", "$$$", "a$$b", "$(AWS_REGION)", "$$(AWS_REGION)", "$($(INPUT_URL))", "$(unknown)", "$)(", "ü$$(€",
])
def test_the_container_gets_the_text(text):
    assert expand(escape(text), VALUES) == text == unescape(escape(text))


@pytest.mark.parametrize("text", ["plain", "a$b", "end$", "${NAME}"])
def test_what_kubernetes_takes_as_it_is_stays(text):
    assert escape(text) == text
