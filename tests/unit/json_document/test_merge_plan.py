"""What has to be written for a document."""

import base64
from dataclasses import replace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import CREATED_BY, CREATED_BY_VALUE
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.plan import MergeError, Desired, plan, warnings
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import FIELD_MANAGER, Owner

WISH = Desired("Secret", "creds", "ns", "c.json", merge={"JOBS": [{"name": "x", "p": 2}]}, list_keys={"JOBS": "name"})
REMOVAL = replace(WISH, merge={}, remove=["JOBS[name=x]"])
CONTROLLER = [Owner("controller", "ExternalSecret es")]
TARGET = {"kind": "Secret", "name": "creds", "namespace": "ns"}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def secret(text=None, ours=False, others=None, **fields):
    data = {**({} if text is None else {"c.json": encoded(text)}), **(others or {})}
    annotations = {CREATED_BY: CREATED_BY_VALUE} if ours else {}
    return {"metadata": {"resourceVersion": "7", "annotations": annotations}, "data": data, **fields}


def only(changes):
    (change,) = changes
    return change


def test_nothing_is_written_where_nothing_changes():
    assert plan(WISH, secret('{"JOBS":[{"p":2.0,"name":"x"}]}'), [], False) == []


def test_a_missing_object_is_created_with_our_mark():
    desired = replace(WISH, labels={"l": "1"}, annotations={"a": "2"})
    change = only(plan(desired, None, [], False))
    text = '{\n  "JOBS": [\n    {\n      "name": "x",\n      "p": 2\n    }\n  ]\n}\n'
    assert (change.action, change.operation) == ("create", "create")
    assert change.parameters == {
        "manifest": {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "creds",
                "namespace": "ns",
                "labels": {"l": "1"},
                "annotations": {"a": "2", CREATED_BY: CREATED_BY_VALUE},
            },
            "data": {"c.json": encoded(text)},
        }
    }
    assert change.before == {}
    assert change.after == {"JOBS[name=x].name": "<redacted>", "JOBS[name=x].p": "<redacted>"}


def test_an_update_patches_one_key_of_the_version_that_was_read():
    change = only(
        plan(WISH, secret('{"z":1.0,"JOBS":[{"name":"x","p":1,"q":null}]}', others={"other": "AA=="}), [], False)
    )
    assert (change.action, change.resource, change.attribute) == ("update", "Secret ns/creds", "c.json")
    assert change.operation == "merge_patch"
    assert change.parameters == {
        **TARGET,
        "patch": {
            "metadata": {"resourceVersion": "7"},
            "data": {"c.json": encoded('{"z":1.0,"JOBS":[{"name":"x","p":2,"q":null}]}')},
        },
    }
    assert change.before == {"JOBS[name=x].p": "<redacted>"}
    assert change.after == {"JOBS[name=x].p": "<redacted, changed>"}


def test_a_config_map_holds_plain_text_and_shows_its_values():
    desired = Desired("ConfigMap", "images", "ns", "job_images", merge={"indexing": "image:2"}, remove=["old"])
    current = {
        "metadata": {"resourceVersion": "7"},
        "data": {"job_images": '{"indexing": "image:1", "old": 1, "é": 2}'},
    }
    change = only(plan(desired, current, [], False))
    assert change.parameters["patch"]["data"] == {"job_images": '{"indexing": "image:2", "é": 2}'}
    assert change.before == {"indexing": "image:1", "old": 1}
    assert change.after == {"indexing": "image:2"}


def test_removal_comes_before_the_merge():
    desired = replace(WISH, merge={"AWS": {"region": "r"}}, remove=["AWS"])
    change = only(plan(desired, secret('{"AWS":{"region":"r","aws_access_key_id":"AKIA"}}'), [], False))
    assert change.parameters["patch"]["data"] == {"c.json": encoded('{"AWS":{"region":"r"}}')}
    assert change.before == {"AWS.aws_access_key_id": "<redacted>"}
    assert change.after == {}


@pytest.mark.parametrize(
    ("current", "operation"),
    [
        (None, None),
        (secret(), None),
        (secret('{"JOBS":[{"name":"y"}]}', ours=True), None),
        (secret('{"JOBS":[{"name":"x"}]}', ours=True), "delete"),
        (secret('{"JOBS":[{"name":"x"}],"SQS":{}}', ours=True), "delete"),
        # An interrupted or earlier removal has left only the hull.
        (secret('{"JOBS":[]}', ours=True), "delete"),
        (secret('{"JOBS":[{"name":"x"},{"name":"y"}]}', ours=True), "merge_patch"),
        (secret('{"JOBS":[{"name":"x"}],"AWS":{"region":""}}', ours=True), "merge_patch"),
        (secret('{"JOBS":[{"name":"x"}]}', ours=True, others={"other": ""}), "merge_patch"),
        (secret('{"JOBS":[{"name":"x"}]}'), "merge_patch"),
        (secret('{"JOBS":[]}'), None),
    ],
)
def test_removal_deletes_only_what_we_created_and_nobody_uses(current, operation):
    changes = plan(REMOVAL, current, [], False)
    assert [change.operation for change in changes] == ([operation] if operation else [])
    if operation == "delete":
        assert changes[0].parameters == {**TARGET, "resource_version": "7"}


def test_a_merge_never_deletes():
    assert plan(replace(WISH, merge={"JOBS": []}), secret('{"JOBS":[]}', ours=True), [], False) == []


@pytest.mark.parametrize(
    ("desired", "current", "owners", "message"),
    [
        (
            WISH,
            secret("{not json"),
            [],
            "Cannot merge into key c.json of Secret ns/creds: it is not JSON (line 1, column 2: Expecting property name"
            " enclosed in double quotes).",
        ),
        (
            WISH,
            {"metadata": {"resourceVersion": "7"}, "data": {"c.json": "/w=="}},
            [],
            "Cannot merge into key c.json of Secret ns/creds: it is not text in UTF-8.",
        ),
        (
            replace(WISH, kind="ConfigMap"),
            {"metadata": {"resourceVersion": "7"}, "binaryData": {"c.json": "/w=="}},
            [],
            "Cannot merge into key c.json of ConfigMap ns/creds: it is binary data.",
        ),
        (
            WISH,
            secret("{}", immutable=True),
            [],
            "Cannot change key c.json of Secret ns/creds: the object is immutable; delete it and let it be created"
            " again.",
        ),
        (
            replace(WISH, create=False),
            None,
            [],
            "Cannot merge into key c.json of Secret ns/creds: the object does not exist, and create is false.",
        ),
        (
            WISH,
            secret("{}"),
            CONTROLLER,
            "Refusing to change key c.json of Secret ns/creds: ExternalSecret es manages the object and would overwrite"
            " the change within minutes; make the change at its source, or set overwrite_externally_managed.",
        ),
        (
            replace(WISH, remove=["a..b"]),
            secret("{}"),
            [],
            "Cannot merge into key c.json of Secret ns/creds: 'a..b' is not a path such as"
            " JOBS[name=indexing].imageConfig.",
        ),
    ],
)
def test_what_cannot_be_done(desired, current, owners, message):
    with pytest.raises(MergeError) as error:
        plan(desired, current, owners, False)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "current", [secret('{"JOBS":[{"name":"x","p":2}]}', immutable=True), secret('{"JOBS":[{"name":"x","p":2}]}')]
)
def test_what_needs_no_write_is_not_refused(current):
    assert plan(WISH, current, CONTROLLER, False) == []


def test_overwrite_lifts_the_refusal():
    assert only(plan(WISH, secret("{}"), CONTROLLER, True)).operation == "merge_patch"


FORMER = replace(WISH, start='{"AWS": {"n": 1.0}, "JOBS": [{"name": "x", "p": 1}, {"name": "y"}]}')


@pytest.mark.parametrize("current", [None, secret(), secret("")])
def test_a_document_that_is_not_there_starts_from_another(current):
    change = only(plan(FORMER, current, [], False))
    data = (change.parameters.get("manifest") or change.parameters["patch"])["data"]["c.json"]
    assert base64.b64decode(data).decode() == '{"AWS": {"n": 1.0}, "JOBS": [{"name": "x", "p": 2}, {"name": "y"}]}'
    assert "AWS.n" in change.after and change.before == {}


def test_a_document_that_is_there_does_not_start_anew():
    assert plan(FORMER, secret('{"JOBS":[{"name":"x","p":2}]}'), [], False) == []
    assert plan(replace(FORMER, merge={}, remove=["JOBS[name=x]"]), None, [], False) == []
    assert "very" not in repr(replace(WISH, start="very secret"))


def test_the_refusal_tells_how_to_go_on():
    with pytest.raises(MergeError, match="or set ssjdispatcher_overwrite_externally_managed.$"):
        plan(WISH, secret("{}"), CONTROLLER, False, "set ssjdispatcher_overwrite_externally_managed")


def test_other_owners_are_a_warning():
    assert warnings(WISH, [Owner("helm", "gen3"), Owner("argocd", "commons"), *CONTROLLER]) == [
        "Secret ns/creds: the next helm upgrade of release gen3 overwrites this change unless its values say the same.",
        "Secret ns/creds: Argo CD overwrites this change at the next sync of commons unless the application's source"
        " says the same; with selfHeal it does so within seconds.",
        "Secret ns/creds: ExternalSecret es manages the object and would overwrite the change within minutes.",
    ]


def test_a_claim_that_a_killed_run_has_left_is_given_up():
    current = secret('{"JOBS":[{"name":"x","p":2}]}')
    current["metadata"]["managedFields"] = [{"manager": "helm"}, {"manager": FIELD_MANAGER}]
    change = only(plan(WISH, current, CONTROLLER, False))  # that is no change of the content, so nobody takes it back
    assert (change.action, change.attribute, change.operation, change.parameters) == (
        "update", "managedFields", "release", TARGET)
    current["metadata"]["managedFields"].pop()
    assert plan(WISH, current, CONTROLLER, False) == []
    ours = secret('{"JOBS":[{"name":"x","p":2}]}', ours=True)
    ours["metadata"]["managedFields"] = [{"manager": FIELD_MANAGER}]
    assert plan(WISH, ours, [], False) == []
