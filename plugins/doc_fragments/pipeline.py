# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that look at the pipeline, or at a file on its way."""
from __future__ import annotations


class ModuleDocFragment:
    """``gen3.uploads.pipeline``: where the stations are between a bucket and READY; ``.file``: the file's bucket and the services."""

    DOCUMENTATION = r"""
options:
  drift:
    description:
      - What M(gen3.uploads.sns_sqs_channel), M(gen3.uploads.s3_bucket_notifications) and M(gen3.uploads.minio_resources) would
        change in check mode, and RV(gen3.uploads.ssjdispatcher#module:changes).
    type: list
    elements: dict
    default: []
  minio_url:
    description: Scheme, host and port of the MinIO server that has the bucket. Without it the bucket is one of Amazon S3.
    type: str
  minio_access_key:
    description: Access key of an administrator of the MinIO server.
    type: str
  minio_secret_key:
    description: The secret that belongs to O(minio_access_key).
    type: str
  minio_ca_path:
    description: File with the certificates of the authorities to trust at O(minio_url), on the host that the module runs on.
    type: path
  minio_target:
    description: Type and id of the notification target that MinIO's events go to.
    type: str
    default: webhook/GEN3
  bridge:
    description: Where the event bridge between MinIO and ssjdispatcher runs, for messages.
    type: str
    choices: [node, cluster]
    default: node
  bridge_name:
    description: Name of the bridge's Deployment, for messages.
    type: str
    default: event-bridge
  bridge_address:
    description: Address and port of the bridge, for messages.
    type: str
    default: 127.0.0.1:4199
  bridge_dead_letters:
    description: Directory of the bridge's dead letters, for messages.
    type: str
    default: /var/lib/event-bridge/dead-letters
  topic:
    description: Name of the topic, for the stations that are shown. Nothing on a route without one.
    type: str
  queue:
    description: Name of the queue, for messages. Nothing on a route without one.
    type: str
  queue_reader:
    description: Name of the Deployment that reads the queue in place of ssjdispatcher, where there is one.
    type: str
  queue_url:
    description: URL of the queue whose metrics are shown. Nothing on a route without one.
    type: str
  dead_letter_queue_url:
    description: URL of the dead-letter queue whose metrics are shown.
    type: str
  namespace:
    description: Namespace of ssjdispatcher.
    type: str
    default: default
  deployment:
    description: Name of ssjdispatcher's Deployment.
    type: str
    default: ssjdispatcher
  jobs_namespace:
    description: Namespace of the Jobs. The default is O(namespace).
    type: str
  validate_certs:
    description:
      - Whether to verify the certificates of AWS, of MinIO, of the API server, of indexd and of the metadata service.
    type: bool
    default: true
    aliases: [verify_ssl]
requirements:
  - minio >= 7.2.17, < 8 for O(minio_url)
"""

    FILE = r"""
options:
  bucket:
    description: The bucket that the file is in.
    type: str
    required: true
  configuration_secret:
    description: The Secret with ssjdispatcher's configuration.
    type: str
    default: ssjdispatcher-creds
  configuration_key:
    description: The key of O(configuration_secret) that holds it.
    type: str
    default: credentials.json
  job_name:
    description:
      - Name of the entry of C(JOBS) that indexes the bucket.
      - The default is V(indexing), and V(indexing-minio) with O(minio_url).
    type: str
  indexd_url:
    description: URL of indexd's index as the controller reaches it, with C(/index) at its end.
    type: str
    required: true
  metadata_url:
    description: URL of the metadata service as the controller reaches it.
    type: str
    required: true
"""
