"""The merge of JSON documents."""

import json

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import (
    ABSENT,
    Difference,
    DocumentError,
    differences,
    is_empty_tree,
    merge,
    parse,
    remove,
    render,
    select,
)

JOBS = {"JOBS": "name"}


def merged(text, patch, list_keys=JOBS):
    return render(merge(parse(text), patch, list_keys), like=text)


@pytest.mark.parametrize(
    "text",
    [
        '{"z":1,"a":{"c":[],"b":{}}}',
        '{"a": 1, "b": [1, 2]}',
        '{\n  "a": 1,\n  "b": [\n    1,\n    {}\n  ]\n}\n',
        '{\n\t"a": {\n\t\t"b": null\n\t}\n}',
        '{"numbers":[1.0,1e3,1E+3,-0,0.10,123456789012345678901234567890,-0.0,' + "9" * 5000 + "]}",
        '{"true":true,"false":false,"null":null,"":""}',
        '{"escapes":"\\u00e9\\ud83d\\ude00\\n\\"\\\\","lone":"\\ud800"}',
        '{"é":"日本"}',
        "{}",
    ],
)
def test_a_document_is_rendered_as_it_was_written(text):
    assert render(parse(text), like=text) == text


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ("{}", {"a": 1}, '{"a":1}'),
        ('{"b":1.0,"a":2}', {"a": 3}, '{"b":1.0,"a":3}'),
        ('{"a":{"x":1e3}}', {"a": {"y": True}}, '{"a":{"x":1e3,"y":true}}'),
        ('{"a":1.0}', {"a": 1}, '{"a":1.0}'),
        ('{"a":1e3}', {"a": 1000.0}, '{"a":1e3}'),
        ('{"a":1}', {"a": True}, '{"a":true}'),
        ('{"a":true}', {"a": 1}, '{"a":1}'),
        ('{"a":"1"}', {"a": 1}, '{"a":1}'),
        ('{"a":0.1}', {"a": 0.10000000000000001}, '{"a":0.1}'),
        ('{"a":12345678901234567890}', {"a": 12345678901234567891}, '{"a":12345678901234567891}'),
        ('{"a":null}', {"a": {"b": [1]}}, '{"a":{"b":[1]}}'),
        ('{"a":1}', {"a": None}, '{"a":null}'),
        ('{"a":[1,2]}', {"a": [2, 1]}, '{"a":[2,1]}'),
        ('{"JOBS":[]}', {"JOBS": [{"name": "x", "p": 1}]}, '{"JOBS":[{"name":"x","p":1}]}'),
        ("{}", {"JOBS": [{"name": "x"}]}, '{"JOBS":[{"name":"x"}]}'),
        (
            '{"JOBS":[{"name":"a","n":1.0},{"p":0,"name":"x"},{"name":"c"}]}',
            {"JOBS": [{"name": "x", "p": 2, "q": {}}, {"name": "new"}]},
            '{"JOBS":[{"name":"a","n":1.0},{"p":2,"name":"x","q":{}},{"name":"c"},{"name":"new"}]}',
        ),
        # Elements without a name are others'; two of another name are none of our business.
        (
            '{"JOBS":[7,{"name":1},{},{"name":"a"},{"name":"a"}]}',
            {"JOBS": [{"name": "x"}]},
            '{"JOBS":[7,{"name":1},{},{"name":"a"},{"name":"a"},{"name":"x"}]}',
        ),
    ],
)
def test_merge(before, patch, after):
    assert merged(before, patch) == after
    assert merged(after, patch) == after


def test_lists_inside_elements_have_keys_of_their_own():
    text = '{"JOBS":[{"name":"x","steps":[{"id":"a","n":1}]}]}'
    patch = {"JOBS": [{"name": "x", "steps": [{"id": "a", "m": 2}, {"id": "b"}]}]}
    expected = '{"JOBS":[{"name":"x","steps":[{"id":"a","n":1,"m":2},{"id":"b"}]}]}'
    assert merged(text, patch, {"JOBS": "name", "JOBS.steps": "id"}) == expected


def test_the_original_is_not_modified():
    document = parse('{"a":{"b":[1]},"JOBS":[{"name":"x"}]}')
    merge(document, {"a": {"b": [2]}, "JOBS": [{"name": "x", "y": 1}]}, JOBS)
    remove(document, ["JOBS[name=x]", "a.b"])
    assert document == {"a": {"b": [1]}, "JOBS": [{"name": "x"}]}


@pytest.mark.parametrize(
    ("text", "patch", "message"),
    [
        ('{"a":"text"}', {"a": {"b": 1}}, "holds a single value at a where an object is to be merged"),
        ('{"a":{"b":[1]}}', {"a": {"b": "x"}}, "holds a list at a.b where a single value is to be merged"),
        ('{"a":{}}', {"a": None}, "holds an object at a where null is to be merged"),
        ('{"JOBS":{}}', {"JOBS": [{"name": "x"}]}, "holds an object at JOBS where a list is to be merged"),
        (
            '{"JOBS":[{"name":"x"},{"name":"x"}]}',
            {"JOBS": [{"name": "x"}]},
            r"has JOBS\[name=x\] 2 times; remove all but one by hand",
        ),
        ("{}", {"JOBS": [{"name": "x"}, {"name": "x"}]}, r"is to get JOBS\[name=x\] twice"),
        ("{}", {"JOBS": [{"pattern": "x"}]}, "can only merge elements that have a name at JOBS"),
    ],
)
def test_merges_that_would_destroy_something(text, patch, message):
    with pytest.raises(DocumentError, match=f"^{message}$"):
        merge(parse(text), patch, JOBS)


@pytest.mark.parametrize(
    ("text", "removals", "after"),
    [
        ('{"a":1,"b":2}', ["a"], '{"b":2}'),
        ('{"a":{"b":1.0,"c":2}}', ["a.c", "a.nothing", "x.y", "a.b.c"], '{"a":{"b":1.0}}'),
        ('{"JOBS":[{"name":"a"},{"name":"b"}]}', ["JOBS[name=b]"], '{"JOBS":[{"name":"a"}]}'),
        ('{"JOBS":[{"name":"a","x":1}]}', ["JOBS[name=a].x", "JOBS[name=b].x"], '{"JOBS":[{"name":"a"}]}'),
        ('{"JOBS":{"name":"a"}}', ["JOBS[name=a]"], '{"JOBS":{"name":"a"}}'),
        ('{"a.b":{"c":1}}', [["a.b", "c"]], '{"a.b":{}}'),
        ('{"a":[1]}', ["a.0"], '{"a":[1]}'),
    ],
)
def test_remove(text, removals, after):
    assert render(remove(parse(text), removals), like=text) == after


def test_remove_refuses_to_choose_between_two_elements():
    with pytest.raises(DocumentError, match="2 times"):
        remove(parse('{"JOBS":[{"name":"a"},{"name":"a"}]}'), ["JOBS[name=a]"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'secret': 1}", "is not JSON (line 1, column 2: Expecting property name enclosed in double quotes)"),
        ('{"a": 1,\n "secret"}', "is not JSON (line 2, column 10: Expecting ':' delimiter)"),
        ("secret", "is not JSON (line 1, column 1: Expecting value)"),
        ('["secret"]', "holds a list, not a JSON object"),
        ('"secret"', "holds a single value, not a JSON object"),
        ('{"a": NaN}', "is not JSON (NaN is not a JSON number)"),
        ('{"x": {"a": "secret", "a": "secret"}}', "has the key 'a' twice in one object"),
        ("[" * 100000, "is nested too deeply"),
        ('{"a":' * 900 + "1" + "}" * 900, "is nested too deeply (more than 200 levels)"),
    ],
)
def test_documents_that_cannot_be_merged_into(text, message):
    with pytest.raises(DocumentError) as error:
        parse(text)
    assert str(error.value) == message
    assert "secret" not in str(error.value)


def test_a_number_that_no_program_can_work_with_stays():
    text = '{"a": 1e9999999999999999999, "b": 1}'
    document = parse(text)
    assert render(merge(document, {"b": 2}, {}), like=text) == '{"a": 1e9999999999999999999, "b": 2}'
    assert differences(document, parse(text), {}) == []


@pytest.mark.parametrize(("patch", "message"), [
    ({"a": {"b": float("nan")}}, "cannot hold nan at a.b, which is not a JSON number"),
    ({"JOBS": [{"name": "x", "c": float("-inf")}]}, "cannot hold -inf at JOBS.c, which is not a JSON number"),
])
def test_what_yaml_has_and_json_has_not_is_never_written(patch, message):
    with pytest.raises(DocumentError) as error:
        merge({}, patch, JOBS)
    assert str(error.value) == message


def test_a_patch_that_contains_itself_ends():
    patch = {}
    patch["a"] = patch
    with pytest.raises(DocumentError, match="would be nested too deeply"):
        merge({}, patch, {})


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text_is_an_empty_document(text):
    assert parse(text) == {}
    assert render({"a": [{"b": "é"}]}, like=text) == '{\n  "a": [\n    {\n      "b": "é"\n    }\n  ]\n}\n'


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 2}, [Difference("a", 1, 2)]),
        ({"a": {"b": 1}}, {"a": {"c": None}}, [Difference("a.b", 1, ABSENT), Difference("a.c", ABSENT, None)]),
        ({}, {"a": {}}, [Difference("a", ABSENT, {})]),
        ({}, {"a": {"b": 1, "c": []}}, [Difference("a.b", ABSENT, 1), Difference("a.c", ABSENT, [])]),
        ({"a": {"b": 1}}, {}, [Difference("a", {"b": 1}, ABSENT)]),
        (
            {"JOBS": [{"name": "x", "p": 1}, {"name": "y"}]},
            {"JOBS": [{"name": "x", "p": 2}, {"name": "z"}]},
            [
                Difference("JOBS[name=x].p", 1, 2),
                Difference("JOBS[name=y]", {"name": "y"}, ABSENT),
                Difference("JOBS[name=z].name", ABSENT, "z"),
            ],
        ),
        ({"JOBS": [1]}, {"JOBS": [2]}, [Difference("JOBS", [1], [2])]),
        # The order alone differs: nothing of ours can cause that, but it must not pass for "no change".
        (
            {"JOBS": [{"name": "x"}, {"name": "y"}]},
            {"JOBS": [{"name": "y"}, {"name": "x"}]},
            [Difference("JOBS", [{"name": "x"}, {"name": "y"}], [{"name": "y"}, {"name": "x"}])],
        ),
    ],
)
def test_differences(before, after, expected):
    assert differences(before, after, JOBS) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("user_db.fence", "p"),
        ("JOBS[name=b].n", 2),
        ("JOBS[name=b]", {"name": "b", "n": 2}),
        ("JOBS[name=twice]", ABSENT),
        ("user_db.nobody", ABSENT),
        ("user_db.fence.more", ABSENT),
        ("user_db[a=b]", ABSENT),
        ("none", None),
    ],
)
def test_select(path, value):
    document = json.loads(
        '{"user_db":{"fence":"p"},"none":null,'
        '"JOBS":[{"name":"a"},{"name":"b","n":2},{"name":"twice"},{"name":"twice"}]}'
    )
    assert select(document, path) == value


@pytest.mark.parametrize(
    ("value", "hollow"),
    [
        ({}, True),
        ({"JOBS": [], "SQS": {}}, True),
        ([[], {}], True),
        ({"a": None}, False),
        ({"a": [0]}, False),
        ("", False),
    ],
)
def test_is_hollow(value, hollow):
    assert is_empty_tree(value) is hollow
