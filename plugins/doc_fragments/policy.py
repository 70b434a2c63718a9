# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the module upload_policy and of the lookup policy."""
from __future__ import annotations


class ModuleDocFragment:
    """``gen3.uploads.policy``: what a policy is for and whom it is about."""

    DOCUMENTATION = r"""
options:
  kind:
    description:
      - What the policy is for.
      - V(topic) and V(queue) are resource policies, V(topic_key) and V(queue_key) parts of the policies of KMS keys. The
        policy of the dead-letter queue is that of kind V(queue) with its name as O(queue).
      - V(dispatcher), V(job), V(bridge_to_topic) and V(bridge_to_queue) are for the identities that ssjdispatcher, the
        indexing Jobs and the event bridge in front of MinIO run with, V(queue_reader) for that of an event bridge that reads the queue
        in place of ssjdispatcher.
      - V(irsa_trust) and V(pod_identity_trust) let the O(service_accounts) of a cluster of EKS take a role of these identities,
        by its OIDC provider or by EKS Pod Identity.
      - V(operator) is for the identity that runs this collection. With O(topic_kms_key) and O(queue_kms_key) it may use these keys,
        as reindexing has to.
    type: str
    required: true
    choices: [topic, queue, topic_key, queue_key, dispatcher, job, bridge_to_topic, bridge_to_queue, queue_reader, operator, irsa_trust,
              pod_identity_trust]
  region:
    description: Region of topic and queue. It also tells the partition.
    type: str
    required: true
  account_id:
    description: Account of topic and queue.
    type: str
    required: true
  topic:
    description: Name of the topic.
    type: str
  queue:
    description: Name of the queue.
    type: str
  dead_letter_queue:
    description: Name of the dead-letter queue. The default is the name of the queue with C(-dlq) appended.
    type: str
  buckets:
    description: The buckets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the bucket.
        type: str
        required: true
      account_id:
        description: The account that the bucket belongs to. The default is O(account_id).
        type: str
  topic_actions:
    description: What S3 may do with the topic.
    type: list
    elements: str
    default: ["sns:Publish"]
  topic_kms_key:
    description: Customer managed KMS key (id, alias or ARN) of the topic.
    type: str
  queue_kms_key:
    description: Customer managed KMS key (id, alias or ARN) of the queues.
    type: str
  bucket_kms_keys:
    description: Customer managed KMS keys (id, alias or ARN) of the objects.
    type: list
    elements: str
    default: []
  service_accounts:
    description: Who may take the role, as V(NAMESPACE/NAME).
    type: list
    elements: str
    default: []
  oidc_provider:
    description: The cluster's OIDC provider, as C(aws eks describe-cluster) shows it in C(identity.oidc.issuer).
    type: str
"""
