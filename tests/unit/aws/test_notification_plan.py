"""The plan of a bucket's notifications, as tables: what is found, which document is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications import plan as planning
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications.model import Rule
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import UPLOAD_EVENTS as EVENTS

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
OTHER_TOPIC = "arn:aws:sns:us-east-1:123456789012:other"
RULE = Rule("gen3-uploads", TOPIC, EVENTS)
NARROW = Rule("gen3-uploads", TOPIC, EVENTS, prefix="up/", suffix=".dat")


def filters(*pairs):
    return {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in pairs]}}


OURS = {"Id": "gen3-uploads", "TopicArn": TOPIC, "Events": list(EVENTS)}
OURS_NARROW = {**OURS, "Filter": filters(("prefix", "up/"), ("suffix", ".dat"))}
LAMBDA = {"Id": "thumbnails", "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
          "Events": ["s3:ObjectRemoved:*"]}
QUEUE = {"Id": "audit", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:audit", "Events": ["s3:ObjectTagging:*"]}
OTHER = {"Id": "other", "TopicArn": OTHER_TOPIC, "Events": ["s3:ObjectRestore:*"],
         "Filter": filters(("Prefix", ""), ("Suffix", ".zip"))}
FOREIGN = {"LambdaFunctionConfigurations": [LAMBDA], "QueueConfigurations": [QUEUE], "EventBridgeConfiguration": {}}


def written(changes):
    (change,) = changes
    return change.parameters["configuration"]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(OURS_NARROW, id="the same"),
        pytest.param({**OURS_NARROW, "Events": list(EVENTS[::-1])}, id="other order of events"),
        pytest.param({**OURS_NARROW, "Filter": filters(("suffix", ".dat"), ("prefix", "up/"))}, id="order of filters"),
        pytest.param({**OURS_NARROW, "Filter": filters(("Prefix", "up/"), ("Suffix", ".dat"))}, id="case of filters"),
    ],
)
def test_a_rule_that_means_the_same_is_not_written(found):
    assert planning.plan_present("b", {"TopicConfigurations": [OTHER, found]}, [NARROW]) == []


def test_empty_filters_mean_no_filter():
    found = {**OURS, "Filter": filters(("Prefix", ""), ("Suffix", ""))}
    assert planning.plan_present("b", {"TopicConfigurations": [found]}, [RULE]) == []


@pytest.mark.parametrize(
    ("current", "action", "configuration"),
    [
        pytest.param({}, "create", {"TopicConfigurations": [OURS]}, id="empty bucket"),
        pytest.param(FOREIGN, "create", {**FOREIGN, "TopicConfigurations": [OURS]}, id="foreign kinds and EventBridge"),
        pytest.param({"TopicConfigurations": [OTHER]}, "create", {"TopicConfigurations": [OTHER, OURS]}, id="topics"),
        pytest.param(
            {**FOREIGN, "TopicConfigurations": [{**OURS, "Events": ["s3:ObjectCreated:Copy"]}, OTHER]}, "update",
            {**FOREIGN, "TopicConfigurations": [OURS, OTHER]}, id="our rule with fewer events beside others"),
        pytest.param(
            {"TopicConfigurations": [{**OURS, "Events": ["s3:ObjectCreated:Put"]}]}, "update",
            {"TopicConfigurations": [OURS]}, id="events missing"),
        pytest.param({"TopicConfigurations": [OURS_NARROW]}, "update", {"TopicConfigurations": [OURS]}, id="filter"),
    ],
)
def test_present(current, action, configuration):
    changes = planning.plan_present("b", current, [RULE])
    assert written(changes) == configuration
    assert (changes[0].action, changes[0].resource, changes[0].attribute) == (
        action, "S3 bucket b", "notifications gen3-uploads")


def test_several_rules_of_one_bucket_are_one_write():
    first, second = Rule("one", TOPIC, EVENTS, prefix="a/"), Rule("two", TOPIC, EVENTS, prefix="b/")
    assert [rule["Id"] for rule in written(planning.plan_present("b", {}, [first, second]))["TopicConfigurations"]] == [
        "one", "two"]


def test_filters_are_written_in_lower_case_and_never_empty():
    (rule,) = written(planning.plan_present("b", {}, [Rule("r", TOPIC, EVENTS, suffix=".dat")]))["TopicConfigurations"]
    assert rule["Filter"] == filters(("suffix", ".dat"))


@pytest.mark.parametrize(
    ("other", "is_refused"),
    [
        pytest.param({"Events": ["s3:ObjectCreated:*"]}, True, id="same keys, wildcard"),
        pytest.param({"Events": ["s3:ObjectCreated:Copy"]}, True, id="one common event"),
        pytest.param({"Events": ["s3:ObjectRemoved:*"]}, False, id="other events"),
        pytest.param({"Events": ["s3:ObjectCreated:*"], "Filter": filters(("Prefix", "up/raw/"))}, True, id="below"),
        pytest.param({"Events": ["s3:ObjectCreated:*"], "Filter": filters(("Prefix", "u"))}, True, id="above"),
        pytest.param({"Events": ["s3:ObjectCreated:*"], "Filter": filters(("Prefix", "down/"))}, False, id="beside"),
        pytest.param({"Events": ["s3:ObjectCreated:*"], "Filter": filters(("suffix", ".zip"))}, False, id="suffixes"),
        pytest.param({"Events": ["s3:ObjectCreated:*"], "Filter": filters(("suffix", "x.dat"))}, True, id="longer suffix"),
    ],
)
@pytest.mark.parametrize("kind", ["Topic", "Queue", "LambdaFunction"])
def test_rules_that_s3_would_not_accept_together(kind, other, is_refused):
    current = {f"{kind}Configurations": [{"Id": "theirs", f"{kind}Arn": "arn:theirs", **other}]}
    if is_refused:
        with pytest.raises(PlanError, match="Bucket b already has a rule theirs that sends .* to arn:theirs"):
            planning.plan_present("b", current, [NARROW])
    else:
        assert written(planning.plan_present("b", current, [NARROW]))[f"{kind}Configurations"][0]["Id"] == "theirs"


def test_rules_of_ours_may_not_overlap_either():
    with pytest.raises(PlanError, match="Bucket b already has a rule one"):
        planning.plan_present("b", {}, [Rule("one", TOPIC, EVENTS), Rule("two", TOPIC, EVENTS, prefix="a/")])


def test_an_id_that_names_a_rule_of_another_kind_is_refused():
    with pytest.raises(PlanError, match="choose another id"):
        planning.plan_present("b", {"QueueConfigurations": [{**QUEUE, "Id": "gen3-uploads"}]}, [RULE])


@pytest.mark.parametrize(
    ("current", "configuration"),
    [
        pytest.param({"TopicConfigurations": [OURS]}, {}, id="alone"),
        pytest.param({**FOREIGN, "TopicConfigurations": [OTHER, OURS]}, {**FOREIGN, "TopicConfigurations": [OTHER]},
                     id="beside others"),
    ],
)
def test_absent(current, configuration):
    changes = planning.plan_absent("b", current, [RULE])
    assert written(changes) == configuration
    assert changes[0].action == "delete"


@pytest.mark.parametrize("current", [{}, FOREIGN, {"TopicConfigurations": [OTHER]}])
def test_absent_without_our_rule_changes_nothing(current):
    assert planning.plan_absent("b", current, [RULE]) == []


ALL = {"Id": "tf-s3-topic-2024", "TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"]}
SINGLE = [{**ALL, "Id": f"part {event}", "Events": [event]} for event in EVENTS]


@pytest.mark.parametrize("theirs", [
    pytest.param([ALL], id="all events, all keys"),
    pytest.param([{**ALL, "Filter": filters(("Prefix", "up/"))}], id="all events, the same prefix"),
    pytest.param([{**ALL, "Events": ["s3:*"]}], id="events beside"),
    pytest.param(SINGLE, id="a rule for each event"),
])
def test_rules_of_others_that_send_all_of_it_to_our_topic_will_do(theirs):
    current = {"TopicConfigurations": theirs}
    assert planning.plan_present("b", current, [NARROW]) == []
    assert [f"by the rule {rule['Id']}" in note for rule, note in zip(theirs, planning.notes("b", current, [NARROW]), strict=True)] == [
        True] * len(theirs)
    assert planning.plan_absent("b", current, [NARROW]) == []


def test_the_note_tells_an_id_of_terraform():
    (note,) = planning.notes("b", {"TopicConfigurations": [ALL]}, [RULE])
    assert "tf-s3-topic-2024 (an Id as Terraform makes it), which is not of this collection" in note


def test_removals_that_a_rule_of_others_sends_beside_are_warned_about():
    current = {"TopicConfigurations": [{**ALL, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]}
    (warning,) = planning.warnings("b", current, [RULE])
    assert "sends s3:ObjectRemoved:* too" in warning
    assert planning.warnings("b", {"TopicConfigurations": [ALL]}, [RULE]) == []


@pytest.mark.parametrize("theirs", [
    pytest.param({**ALL, "Events": ["s3:ObjectCreated:Put"]}, id="fewer events"),
    pytest.param({**ALL, "Filter": filters(("prefix", "up/raw/"))}, id="narrower prefix"),
    pytest.param({**ALL, "Filter": filters(("prefix", "up/"), ("suffix", "x.dat"))}, id="narrower suffix"),
])
def test_a_rule_of_others_that_sends_a_part_of_it_is_named_and_taken_over_when_told(theirs):
    current = {**FOREIGN, "TopicConfigurations": [OTHER, theirs]}
    with pytest.raises(PlanError, match="rule tf-s3-topic-2024 .* is our topic, but not all of the uploads .* set take_over"):
        planning.plan_present("b", current, [NARROW])
    told = Rule("gen3-uploads", TOPIC, EVENTS, "up/", ".dat", take_over=True)
    assert written(planning.plan_present("b", current, [told])) == {**FOREIGN, "TopicConfigurations": [OTHER, OURS_NARROW]}


def test_our_id_is_not_redirected_from_another_topic_without_leave():
    current = {"TopicConfigurations": [{**OURS, "TopicArn": OTHER_TOPIC}, OTHER]}
    with pytest.raises(PlanError, match=f"rule gen3-uploads that sends to {OTHER_TOPIC}, and with {TOPIC} in its place"):
        planning.plan_present("b", current, [RULE])
    told = Rule("gen3-uploads", TOPIC, EVENTS, take_over=True)
    assert written(planning.plan_present("b", current, [told])) == {"TopicConfigurations": [OURS, OTHER]}


@pytest.mark.parametrize(("found", "rule"), [(OURS, NARROW), (OURS_NARROW, Rule("gen3-uploads", TOPIC, EVENTS, prefix="down/")),
                                             (OURS_NARROW, Rule("gen3-uploads", TOPIC, EVENTS, prefix="up/", suffix=".txt"))])
@pytest.mark.parametrize("plan", [planning.plan_present, planning.plan_absent])
def test_our_id_on_keys_that_ours_leaves_out_may_be_another_commons(plan, found, rule):
    with pytest.raises(PlanError, match="Bucket b already has a rule gen3-uploads that sends .* take_over"):
        plan("b", {"TopicConfigurations": [found]}, [rule])
    assert len(plan("b", {"TopicConfigurations": [found]}, [replace(rule, take_over=True)])) == 1


def test_our_rule_is_widened_without_leave():
    assert written(planning.plan_present("b", {"TopicConfigurations": [OURS_NARROW]}, [RULE])) == {"TopicConfigurations": [OURS]}


def test_absent_leaves_our_id_where_it_sends_to_another_topic():
    current = {"TopicConfigurations": [{**OURS, "TopicArn": OTHER_TOPIC}]}
    assert planning.plan_absent("b", current, [RULE]) == []
    assert written(planning.plan_absent("b", current, [Rule("gen3-uploads", None, EVENTS)])) == {}


def test_a_conflict_with_another_topic_tells_of_the_fan_out():
    with pytest.raises(PlanError, match="or name that topic as the pipeline's"):
        planning.plan_present("b", {"TopicConfigurations": [{**ALL, "TopicArn": OTHER_TOPIC}]}, [RULE])
