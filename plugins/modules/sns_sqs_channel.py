#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: sns_sqs_channel
short_description: Converge SNS topic, SQS queue, dead-letter queue and subscription
description:
  - Makes the channel through which the events of S3 buckets reach ssjdispatcher. An SNS topic, an SQS queue, its
    dead-letter queue, the policies between them and the subscription.
  - Any number of channels is converged in one process. All of them are planned before the first is changed.
  - Statements in policies are merged by their Sid. Ours begin with C(Gen3Uploads), and those of others stay.
  - Topics and queues that the module creates carry the tag C(gen3.uploads/created-by). Only these are ever deleted.
  - What the module changes on topics, queues and subscriptions of others is kept in tags that begin with C(gen3.uploads/former),
    and O(state=absent) brings it back where nobody has changed it since.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  state:
    description:
      - With V(present) the channels exist.
      - With V(absent) the subscriptions are removed, and so are the topics and queues that carry the tag
        C(gen3.uploads/created-by) and that nobody else uses. From the others only our statements are withdrawn. A subscription
        that others made stays.
    type: str
    choices: [present, absent]
    default: present
  channels:
    description: The channels.
    type: list
    elements: dict
    required: true
    suboptions:
      topic:
        description: Name of the topic. FIFO topics are refused, as S3 cannot send events to them.
        type: str
        required: true
      queue:
        description: Name of the queue.
        type: str
        required: true
      dead_letter_queue:
        description: Name of the dead-letter queue. The default is the name of the queue with C(-dlq) appended.
        type: str
      buckets:
        description:
          - The buckets whose events the topic accepts.
          - A bucket of another run that shares the topic keeps its right as long as it has a rule to the topic, or does not let its
            rules be read.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the bucket.
            type: str
            required: true
          account_id:
            description: The account that the bucket belongs to. The default is the account of the credentials.
            type: str
          prefix:
            description: Handed on in RV(channels[].notification_rules).
            type: str
          suffix:
            description: Handed on in RV(channels[].notification_rules).
            type: str
          id:
            description:
              - Handed on in RV(channels[].notification_rules).
              - With O(state=absent), another rule of the bucket that sends to the topic keeps the topic from removal.
            type: str
            default: gen3-uploads
          take_over:
            description: Handed on in RV(channels[].notification_rules).
            type: bool
            default: false
      senders:
        description:
          - Names of what sends through the channel beside these buckets, such as the bridge in front of a MinIO server.
          - Each is kept in a tag of the queue, so that a run with O(state=absent) which does not name it leaves it the channel.
        type: list
        elements: str
        default: []
      drop_buckets:
        description: Buckets of other runs that lose their right to send to the topic even if they have a rule to it.
        type: list
        elements: str
        default: []
      max_receive_count:
        description:
          - How often a message may be received before it moves to the dead-letter queue.
          - ssjdispatcher receives with a visibility time-out of 30 seconds whatever the queue says, so that repeated
            receives are normal while it waits for a free Job slot.
        type: int
        default: 20
      retention:
        description: How many seconds both queues keep a message.
        type: int
        default: 1209600
      visibility_timeout:
        description: For how many seconds a received message stays hidden.
        type: int
        default: 300
      wait_time:
        description: For how many seconds a receive waits for a message (long polling).
        type: int
        default: 20
      topic_kms_key:
        description:
          - Customer managed KMS key (id, alias or ARN) that encrypts the topic. Its policy needs the statements of
            RV(channels[].key_policy_statements).
          - Without this option the encryption stays as it is found. An empty string removes the key.
          - V(alias/aws/sns) is refused, as its policy cannot admit S3.
        type: str
      queue_kms_key:
        description:
          - Customer managed KMS key (id, alias or ARN) that encrypts both queues. Its policy needs the statements of
            RV(channels[].key_policy_statements).
          - Without this option a key that is found stays, and a queue without a key is encrypted with keys of SQS
            (C(SqsManagedSseEnabled)). An empty string removes the key.
          - V(alias/aws/sqs) is refused, as its policy cannot admit SNS.
        type: str
      bucket_kms_keys:
        description: Customer managed KMS keys that encrypt the objects, for RV(channels[].job_policy).
        type: list
        elements: str
        default: []
      topic_actions:
        description: What S3 may do with the topic.
        type: list
        elements: str
        default: ["sns:Publish"]
      remove_sids:
        description: Sids of statements of others to remove from the policies of topic and queues.
        type: list
        elements: str
        default: []
      tags:
        description: Tags for topic and queues. Tags that exist beside them stay.
        type: dict
        default: {}
      discard_messages:
        description: With O(state=absent), delete queues even if they still hold messages.
        type: bool
        default: false
      keep_shared:
        description:
          - With O(state=absent), leave topic, queues and subscription to the buckets of other runs that still have a rule to the topic,
            and to other O(channels[].senders), and take away only the right of O(channels[].buckets). Without it that is refused.
        type: bool
        default: false
  bucket_notifications:
    description:
      - Also converge the rules by which the buckets send to their channels, as M(gen3.uploads.s3_bucket_notifications) does.
      - They are planned before the first change. They are set last, and with O(state=absent) removed first.
    type: bool
    default: false
  propagation_timeout:
    description:
      - For how many seconds to retry while S3 does not accept a rule, as it does until the policy of a new topic has spread.
    type: int
    default: 60
notes:
  - A re-run makes eight read calls for a channel, the account's included, one more for each bucket of another run that the topic's
    policy names, and no write call.
  - SNS and SQS offer no lock. Each topic and queue is read again right before its write, and its policy a second after, to bring
    back what a concurrent writer has overwritten.
seealso:
  - module: gen3.uploads.s3_bucket_notifications
  - module: gen3.uploads.upload_policy
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.attributes.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the channel for one bucket
  gen3.uploads.sns_sqs_channel:
    region: us-east-1
    channels:
      - topic: ssj-topic
        queue: Gen3Queue
        buckets:
          - name: gen3-bucket

- name: Accept events of a bucket in another account, and drop the open statement of the runbook
  gen3.uploads.sns_sqs_channel:
    region: us-east-1
    channels:
      - topic: ssj-topic
        queue: Gen3Queue
        buckets:
          - name: partner-bucket
            account_id: "210987654321"
        remove_sids: [__owner_statement]

- name: Take the channel away
  gen3.uploads.sns_sqs_channel:
    region: us-east-1
    state: absent
    channels:
      - topic: ssj-topic
        queue: Gen3Queue
"""

RETURN = r"""
notes:
  description: Which rules of others do what is wanted, in sentences.
  returned: with O(bucket_notifications=true)
  type: list
  elements: str
  sample: []
channel_changes:
  description: Those of RV(changes) that are about topics, queues and subscriptions.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      resource: SQS queue Gen3Queue-dlq
      attribute: null
notification_changes:
  description: Those of RV(changes) that are about the rules of buckets.
  returned: with O(bucket_notifications=true)
  type: list
  elements: dict
  sample: []
channels:
  description: The channels, in the order of O(channels). Check mode returns the same names, URLs and documents.
  returned: success
  type: list
  elements: dict
  contains:
    topic_arn:
      description: ARN of the topic.
      returned: success
      type: str
      sample: arn:aws:sns:us-east-1:123456789012:ssj-topic
    queue_arn:
      description: ARN of the queue.
      returned: success
      type: str
      sample: arn:aws:sqs:us-east-1:123456789012:Gen3Queue
    queue_url:
      description: URL of the queue.
      returned: success
      type: str
      sample: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue
    dead_letter_queue_arn:
      description: ARN of the dead-letter queue.
      returned: success
      type: str
      sample: arn:aws:sqs:us-east-1:123456789012:Gen3Queue-dlq
    dead_letter_queue_url:
      description: URL of the dead-letter queue.
      returned: success
      type: str
      sample: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue-dlq
    subscription_arn:
      description: ARN of the subscription. SNS invents it, so that it is null while there is none.
      returned: success
      type: str
      sample: arn:aws:sns:us-east-1:123456789012:ssj-topic:0b5a2f1c-4a0e-4b7e-9f39-1d5a3c5f9a11
    topic_policy:
      description: Policy of the topic, statements of others included. Null if it has none of its own, and with
        O(state=absent).
      returned: success
      type: dict
    queue_policy:
      description: Policy of the queue, statements of others included. Null with O(state=absent).
      returned: success
      type: dict
    dead_letter_queue_policy:
      description: Policy of the dead-letter queue, statements of others included. Null with O(state=absent).
      returned: success
      type: dict
    dispatcher_policy:
      description: What the identity of ssjdispatcher needs.
      returned: success
      type: dict
    job_policy:
      description: What the identity of the indexing Jobs needs.
      returned: success
      type: dict
    key_policy_statements:
      description: Statements that the policies of O(channels[].topic_kms_key) and O(channels[].queue_kms_key) need.
      returned: success
      type: dict
      contains:
        topic:
          description: For the key of the topic.
          returned: success
          type: list
          elements: dict
        queue:
          description: For the key of the queues.
          returned: success
          type: list
          elements: dict
    notification_rules:
      description: The option C(buckets) for M(gen3.uploads.s3_bucket_notifications).
      returned: success
      type: list
      elements: dict
changes:
  description: The writes made, or in check mode to be made, in their order.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      resource: SQS queue Gen3Queue-dlq
      attribute: null
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.gen3.uploads.plugins.module_utils._aws import client as aws
from ansible_collections.gen3.uploads.plugins.module_utils._bucket_notifications import converge as notifications
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import UPLOAD_EVENTS
from ansible_collections.gen3.uploads.plugins.module_utils._channel import converge as messaging
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module

BUCKET_OPTIONS = dict(
    name=dict(type="str", required=True),
    account_id=dict(type="str"),
    prefix=dict(type="str"),
    suffix=dict(type="str"),
    id=dict(type="str", default="gen3-uploads"),
    take_over=dict(type="bool", default=False),
)

CHANNEL_OPTIONS = dict(
    topic=dict(type="str", required=True),
    queue=dict(type="str", required=True),
    dead_letter_queue=dict(type="str"),
    buckets=dict(type="list", elements="dict", default=[], options=BUCKET_OPTIONS),
    senders=dict(type="list", elements="str", default=[]),
    drop_buckets=dict(type="list", elements="str", default=[]),
    max_receive_count=dict(type="int", default=20),
    retention=dict(type="int", default=1209600),
    visibility_timeout=dict(type="int", default=300),
    wait_time=dict(type="int", default=20),
    topic_kms_key=dict(type="str", no_log=False),
    queue_kms_key=dict(type="str", no_log=False),
    bucket_kms_keys=dict(type="list", elements="str", default=[], no_log=False),
    topic_actions=dict(type="list", elements="str", default=["sns:Publish"]),
    remove_sids=dict(type="list", elements="str", default=[]),
    tags=dict(type="dict", default={}),
    discard_messages=dict(type="bool", default=False),
    keep_shared=dict(type="bool", default=False),
)


def converge(module):
    """Converge the channels, and the buckets' rules where they are asked for, and return the module's result, or raise AwsError.

    All of it is planned before the first change. Rules come last, and go first: nothing is sent to a channel that is not there.
    """
    channels = messaging.Convergence(module)
    parts = [channels]
    result = {}
    if module.params["bucket_notifications"]:
        try:
            rules = notifications.Convergence(module, [{"events": list(UPLOAD_EVENTS), **rule} for rule in channels.rules()])
        except UploadsError as error:
            # Who only looks goes on with what is known of the channels.
            error.details.update(channels=channels.described(), changes=outcome(channels.changes)["changes"])
            raise
        parts = [rules, channels] if module.params["state"] == "absent" else [channels, rules]
        result = {"notification_changes": outcome(rules.changes)["changes"], "notes": rules.notes}
    if not module.check_mode:
        for part in parts:
            part.apply()
    return {**outcome([change for part in parts for change in part.changes]), "channel_changes": outcome(channels.changes)["changes"],
            **result, "channels": channels.described()}


def main():
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec=dict(
            **aws.HIDDEN_ACCESS_KEY,
            state=dict(type="str", choices=["present", "absent"], default="present"),
            channels=dict(type="list", elements="dict", required=True, options=CHANNEL_OPTIONS),
            bucket_notifications=dict(type="bool", default=False),
            propagation_timeout=dict(type="int", default=60),
        ),
        supports_check_mode=True,
    )
    run_module(module, lambda: converge(module))


if __name__ == "__main__":
    main()
