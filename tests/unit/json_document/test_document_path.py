"""Paths into documents."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.path import Element, format_path, parse_path


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("SQS", ("SQS",)),
        ("SQS.url", ("SQS", "url")),
        ("JOBS[name=indexing]", ("JOBS", Element("name", "indexing"))),
        ("JOBS[name=a.b=c].imageConfig.url", ("JOBS", Element("name", "a.b=c"), "imageConfig", "url")),
        ("a[b=]", ("a", Element("b", ""))),
        (["a.b", {"name": "x[y]"}, "c"], ("a.b", Element("name", "x[y]"), "c")),
        (["ADMIN_LOGINS", 1], ("ADMIN_LOGINS", "1")),
    ],
)
def test_paths_that_can_be_read(path, steps):
    assert parse_path(path) == steps


@pytest.mark.parametrize(
    "path", ["", ".a", "a.", "a..b", "a[b]", "a[=x]", "[a=b]", "a]", "a[b=c", [], [{}], [{"a": 1, "b": 2}], [[]], 5, {}]
)
def test_paths_that_cannot_be_read(path):
    with pytest.raises(ValueError, match="path"):
        parse_path(path)


@pytest.mark.parametrize("path", ["SQS.url", "JOBS[name=indexing].imageConfig.password"])
def test_a_path_is_written_as_it_is_read(path):
    assert format_path(parse_path(path)) == path
