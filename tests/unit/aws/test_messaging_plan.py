"""The plan of a channel, as tables: what is found, what is wanted, which writes follow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._channel import plan as planning
from ansible_collections.gen3.uploads.plugins.module_utils._aws.arn import Scope
from ansible_collections.gen3.uploads.plugins.module_utils._channel.model import channel_from, refuse_shared_names
from ansible_collections.gen3.uploads.plugins.module_utils._channel.plan import Current, Queue, Topic

OPTIONS = {
    "topic": "t",
    "queue": "q",
    "dead_letter_queue": None,
    "buckets": [{"name": "b", "account_id": None}],
    "max_receive_count": 20,
    "retention": 1209600,
    "visibility_timeout": 300,
    "wait_time": 20,
    "topic_kms_key": None,
    "queue_kms_key": None,
    "bucket_kms_keys": [],
    "topic_actions": ["sns:Publish"],
    "remove_sids": [],
    "tags": {},
    "discard_messages": False,
}
SCOPE = Scope("us-east-1", "123456789012")
MARK = {"gen3.uploads/created-by": "gen3.uploads"}
FOREIGN = {"Sid": "theirs", "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "*", "Resource": "*"}
SUBSCRIPTION = "arn:aws:sns:us-east-1:123456789012:t:0b5a2f1c"
OTHER_QUEUE = "arn:aws:sqs:us-east-1:123456789012:other"


def wanted(**options):
    return channel_from({**OPTIONS, **options}, SCOPE)


def converged(tags=None):
    """The state that a run with the default options leaves."""
    desired = planning.desired_state(wanted(), Current())
    counters = {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}
    return Current(
        topic=Topic(planning.encoded(desired.topic), {wanted().queue_arn: SUBSCRIPTION}, tags),
        subscription=planning.encoded(desired.subscription),
        queue=Queue("url/q", {**planning.encoded(desired.queue), **counters}, tags),
        dead_letter_queue=Queue("url/q-dlq", {**planning.encoded(desired.dead_letter_queue), **counters}, tags),
    )


def altered(part, *, without=(), statement=None, **attributes):
    """Return the converged state with attributes of one part set, removed, or a statement added to its policy."""
    current = converged(MARK)
    found = getattr(current, part)
    old = found if part == "subscription" else found.attributes
    new = {name: value for name, value in {**old, **attributes}.items() if name not in without}
    if statement:
        policy = json.loads(new["Policy"])
        new["Policy"] = json.dumps({**policy, "Statement": [statement, *policy["Statement"]]})
    return replace(current, **{part: new if part == "subscription" else replace(found, attributes=new)})


def summary(changes):
    return [(change.action, change.resource, change.attribute) for change in changes]


CREATE_DLQ = ("create", "SQS queue q-dlq", None)
CREATE_QUEUE = ("create", "SQS queue q", None)
CREATE_TOPIC = ("create", "SNS topic t", None)
SUBSCRIBE = ("create", "SNS subscription t -> q", None)
UPDATE_QUEUE = ("update", "SQS queue q")
UPDATE_DLQ = ("update", "SQS queue q-dlq")
UPDATE_TOPIC = ("update", "SNS topic t")
UPDATE_SUBSCRIPTION = ("update", "SNS subscription t -> q")
DELETE_SUBSCRIPTION = ("delete", "SNS subscription t -> q", None)
DELETE_TOPIC = ("delete", "SNS topic t", None)
DELETE_QUEUE = ("delete", "SQS queue q", None)
DELETE_DLQ = ("delete", "SQS queue q-dlq", None)


@pytest.mark.parametrize(
    ("current", "changes"),
    [
        pytest.param(Current(), [CREATE_DLQ, CREATE_QUEUE, CREATE_TOPIC, SUBSCRIBE], id="nothing there"),
        pytest.param(converged(), [], id="all as wanted"),
        pytest.param(replace(converged(), subscription=None), [SUBSCRIBE], id="subscription removed"),
        pytest.param(replace(converged(), dead_letter_queue=None), [CREATE_DLQ], id="dead-letter queue removed"),
        pytest.param(altered("queue", without=["Policy"]), [(*UPDATE_QUEUE, "Policy")], id="policy removed"),
        pytest.param(altered("queue", without=["RedrivePolicy"]), [(*UPDATE_QUEUE, "RedrivePolicy")], id="no redrive"),
        pytest.param(
            altered("queue", RedrivePolicy=json.dumps({
                "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:q-dlq", "maxReceiveCount": "3"})),
            [(*UPDATE_QUEUE, "RedrivePolicy")], id="other receive count"),
        pytest.param(
            altered("queue", RedrivePolicy=json.dumps({
                "maxReceiveCount": "20", "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:q-dlq"})),
            [], id="receive count as text"),
        pytest.param(
            altered("queue", VisibilityTimeout="30", ReceiveMessageWaitTimeSeconds="0"),
            [(*UPDATE_QUEUE, "ReceiveMessageWaitTimeSeconds, VisibilityTimeout")], id="one write for all attributes"),
        pytest.param(altered("queue", SqsManagedSseEnabled="false"), [(*UPDATE_QUEUE, "SqsManagedSseEnabled")],
                     id="not encrypted"),
        pytest.param(altered("queue", without=["SqsManagedSseEnabled"], KmsMasterKeyId="key"), [], id="a key stays"),
        pytest.param(altered("queue", statement=FOREIGN), [], id="statement of others in queue"),
        pytest.param(altered("dead_letter_queue", MessageRetentionPeriod="345600"),
                     [(*UPDATE_DLQ, "MessageRetentionPeriod")], id="retention of dead letters"),
        pytest.param(altered("topic", Policy='{"Statement": []}'), [(*UPDATE_TOPIC, "Policy")], id="topic policy"),
        pytest.param(altered("topic", statement=FOREIGN), [], id="statement of others in topic"),
        pytest.param(altered("topic", KmsMasterKeyId="key"), [], id="the key of a topic stays"),
        pytest.param(altered("subscription", RawMessageDelivery="true"),
                     [(*UPDATE_SUBSCRIPTION, "RawMessageDelivery")], id="raw delivery"),
        pytest.param(altered("subscription", without=["RedrivePolicy"]),
                     [(*UPDATE_SUBSCRIPTION, "RedrivePolicy")], id="redrive of the subscription"),
        pytest.param(altered("subscription", FilterPolicy="{}"), [], id="an empty filter policy"),
    ],
)
def test_present(current, changes):
    assert summary(planning.plan_present(wanted(), current)) == changes


@pytest.mark.parametrize(
    ("options", "attributes"),
    [
        ({"queue_kms_key": "alias/uploads"}, {"KmsMasterKeyId": "alias/uploads"}),
        ({"queue_kms_key": ""}, {}),
        ({"wait_time": 5, "retention": 60}, {"ReceiveMessageWaitTimeSeconds": "5", "MessageRetentionPeriod": "60"}),
    ],
)
def test_options_of_the_queue(options, attributes):
    changes = planning.plan_present(wanted(**options), converged())
    assert next((change.after for change in changes if change.resource == "SQS queue q"), {}) == attributes


def test_removing_the_key_of_a_queue_brings_back_the_encryption_of_sqs():
    current = altered("queue", without=["SqsManagedSseEnabled"], KmsMasterKeyId="key")
    (change,) = planning.plan_present(wanted(queue_kms_key=""), current)
    assert change.after == {"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"}


def test_an_update_of_a_queue_sends_nothing_but_what_changes():
    (change,) = planning.plan_present(wanted(visibility_timeout=60), altered("queue", statement=FOREIGN))
    assert change.parameters["attributes"] == change.after == {"VisibilityTimeout": "60"}


def test_a_topic_without_buckets_falls_back_to_what_sns_gives():
    (change,) = planning.plan_present(wanted(buckets=[]), converged())
    assert [statement["Sid"] for statement in change.after["Statement"]] == ["__default_statement_ID"]


def test_a_bucket_that_is_no_longer_named_loses_its_permission():
    partner = wanted(buckets=[*OPTIONS["buckets"], {"name": "p", "account_id": "210987654321"}])
    (grant,) = planning.plan_present(partner, converged())
    current = replace(converged(), topic=Topic({"Policy": json.dumps(grant.after)}, converged().topic.subscriptions))
    (change,) = planning.plan_present(wanted(), current)
    assert [statement["Sid"][-12:] for statement in change.after["Statement"]] == ["123456789012"]


def test_tags_asked_for_are_added_and_the_mark_is_not():
    changes = planning.plan_present(wanted(tags={"team": "data"}), converged({"team": "old", "other": "x"}))
    assert summary(changes) == [(*UPDATE_DLQ, "tags"), (*UPDATE_QUEUE, "tags"), (*UPDATE_TOPIC, "tags")]
    assert {json.dumps(change.parameters["tags"]) for change in changes} == {'{"team": "data"}'}


@pytest.mark.parametrize(
    ("current", "message"),
    [
        (altered("queue", RedrivePolicy=json.dumps({"deadLetterTargetArn": OTHER_QUEUE, "maxReceiveCount": 5})),
         f"SQS queue q already sends its dead letters to {OTHER_QUEUE}"),
        (altered("subscription", RedrivePolicy=json.dumps({"deadLetterTargetArn": OTHER_QUEUE})),
         f"SNS subscription t -> q already sends its dead letters to {OTHER_QUEUE}"),
        (altered("subscription", FilterPolicy='{"kind": ["x"]}'), "has a filter policy that somebody else set"),
        (altered("queue", Policy="{"), "The policy of SQS queue q cannot be read"),
        (altered("topic", Policy="[]"), "The policy of SNS topic t cannot be read"),
        (altered("queue", KmsMasterKeyId="alias/aws/sqs"), "SQS queue q is encrypted with alias/aws/sqs"),
        (altered("topic", KmsMasterKeyId="arn:aws:kms:us-east-1:123456789012:alias/aws/sns"),
         "SNS topic t is encrypted with arn:aws:kms"),
    ],
)
def test_settings_of_others_that_make_the_channel_impossible(current, message):
    with pytest.raises(PlanError, match=message.replace("-", r"\-")):
        planning.plan_present(wanted(), current)


@pytest.mark.parametrize(
    ("current", "changes"),
    [
        pytest.param(Current(), [], id="nothing there"),
        pytest.param(converged(MARK), [DELETE_SUBSCRIPTION, DELETE_TOPIC, DELETE_QUEUE, DELETE_DLQ], id="all ours"),
        pytest.param(
            converged({}),
            [(*UPDATE_TOPIC, "Policy"), (*UPDATE_QUEUE, "Policy"), (*UPDATE_DLQ, "Policy")],
            id="all built by others, the subscription too"),
        pytest.param(
            altered("queue", statement=FOREIGN),
            [DELETE_SUBSCRIPTION, DELETE_TOPIC, (*UPDATE_QUEUE, "Policy, RedrivePolicy"), DELETE_DLQ],
            id="queue of ours that others use"),
        pytest.param(
            altered("topic", statement=FOREIGN),
            [DELETE_SUBSCRIPTION, (*UPDATE_TOPIC, "Policy"), DELETE_QUEUE, DELETE_DLQ],
            id="topic of ours with a statement of others"),
        pytest.param(
            replace(converged(MARK), topic=replace(converged(MARK).topic, subscriptions={
                wanted().queue_arn: SUBSCRIPTION, OTHER_QUEUE: "arn:other"})),
            [DELETE_SUBSCRIPTION, (*UPDATE_TOPIC, "Policy"), DELETE_QUEUE, DELETE_DLQ],
            id="topic of ours with a subscription of others"),
    ],
)
def test_absent(current, changes):
    assert summary(planning.plan_absent(wanted(), current)) == changes


def test_withdrawing_leaves_the_statements_of_others():
    current = altered("queue", statement=FOREIGN)
    change = planning.plan_absent(wanted(), current)[2]
    assert json.loads(change.parameters["attributes"]["Policy"])["Statement"] == [FOREIGN]


def test_a_second_removal_changes_nothing():
    policy = json.dumps({"Version": "2012-10-17", "Statement": [FOREIGN]})
    current = Current(
        topic=Topic({"Policy": policy}, {}, MARK),
        queue=Queue("url/q", {"Policy": policy}, {}),
        dead_letter_queue=Queue("url/q-dlq", {}, {}),
    )
    assert planning.plan_absent(wanted(), current) == []


@pytest.mark.parametrize("part", ["queue", "dead_letter_queue"])
@pytest.mark.parametrize("counter", ["", "NotVisible", "Delayed"])
def test_messages_are_not_lost_unless_told(part, counter):
    current = altered(part, **{f"ApproximateNumberOfMessages{counter}": "2"})
    with pytest.raises(PlanError, match=r"still holds messages \(2\)"):
        planning.plan_absent(wanted(), current)
    assert DELETE_QUEUE in summary(planning.plan_absent(wanted(discard_messages=True), current))


def test_a_queue_of_others_may_hold_messages():
    current = altered("queue", ApproximateNumberOfMessages="2")
    current = replace(current, queue=replace(current.queue, tags={}))
    assert DELETE_QUEUE not in summary(planning.plan_absent(wanted(), current))


OPEN = {"Sid": "__owner_statement", "Effect": "Allow", "Principal": "*", "Action": "SQS:*", "Resource": "*"}


def test_the_open_statement_of_the_runbook_is_warned_about_until_it_is_removed():
    current = altered("queue", statement=OPEN)
    (warning,) = planning.warnings(wanted(), current)
    assert "SQS queue q" in warning and "naming __owner_statement in remove_sids" in warning
    told = wanted(remove_sids=["__owner_statement"])
    assert planning.warnings(told, current) == []
    (change,) = planning.plan_present(told, current)
    assert OPEN not in change.after["Policy"]["Statement"]


def test_an_open_statement_without_sid_cannot_be_named():
    nameless = {name: value for name, value in OPEN.items() if name != "Sid"}
    (warning,) = planning.warnings(wanted(), altered("queue", statement=nameless))
    assert "by hand" in warning


def test_what_stays_after_a_removal_is_warned_about():
    (warning,) = planning.removal_warnings(wanted(), altered("queue", statement=FOREIGN))
    assert warning.startswith("SQS queue q stays")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"topic": "t.fifo"}, "S3 cannot send events to FIFO topics"),
        ({"queue": "q.fifo"}, "S3 cannot send events to FIFO topics"),
        ({"queue": "q" * 81, "dead_letter_queue": "d"}, "(81 characters) is not a valid name: use 1 to 80"),
        ({"queue": "q" * 77}, "The dead_letter_queue qqq"),
        ({"topic": "a b"}, "The topic a b (3 characters) is not a valid name"),
        ({"topic_kms_key": "alias/aws/sns"}, "cannot be changed to admit S3"),
        ({"queue_kms_key": "arn:aws:kms:us-east-1:123456789012:alias/aws/sqs"}, "cannot be changed to admit SNS"),
        ({"buckets": [{"name": "b", "account_id": "1234"}]}, "1234 of bucket b is not a 12-digit account number"),
        ({"topic_actions": []}, "The list topic_actions is empty"),
        ({"tags": MARK}, "leave it out of tags"),
        ({"retention": 59}, "The retention 59 is out of range: SQS allows 60 to 1209600."),
        ({"wait_time": 21}, "The wait_time 21 is out of range"),
        ({"max_receive_count": 0}, "The max_receive_count 0 is out of range"),
        ({"visibility_timeout": 43201}, "The visibility_timeout 43201 is out of range"),
    ],
)
def test_options_that_cannot_work_are_refused(options, message):
    with pytest.raises(PlanError) as error:
        wanted(**options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "others",
    [{"topic": "t2", "queue": "q"}, {"topic": "t", "queue": "q2"}, {"topic": "t2", "queue": "q-dlq"}],
)
def test_no_two_channels_share_a_name(others):
    with pytest.raises(PlanError, match="is named twice"):
        refuse_shared_names([wanted(), wanted(**others)])


def test_a_queue_cannot_be_its_own_dead_letter_queue():
    with pytest.raises(PlanError, match="is named twice"):
        refuse_shared_names([wanted(dead_letter_queue="q")])
