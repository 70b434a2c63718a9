#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let ssjdispatcher index uploads to buckets on Amazon S3 and MinIO."""
from __future__ import annotations

DOCUMENTATION = r"""
module: ssjdispatcher
short_description: Let ssjdispatcher index uploads to buckets on Amazon S3 and MinIO
description:
  - Merges one JOBS entry for each storage, its image, and the queue into the configuration of a live ssjdispatcher, gives it
    the rights that it needs, restarts it if it does not run with this configuration, and waits until it does.
  - Refuses, before anything is changed, what would crash ssjdispatcher or let it throw messages away. What works but deserves
    attention becomes a warning.
  - Whatever others keep in the same Secret, ConfigMap and ServiceAccounts stays as it is. Before each write, and at the end, all is read
    and reviewed again.
  - The documents as they were before the first change are kept in a Secret C(ssjdispatcher-former); O(state=absent) puts them back.
  - Nothing that it returns holds a value from a Secret.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - gen3.uploads.attributes
  - gen3.uploads.attributes.k8s
options:
  state:
    description:
      - V(absent) withdraws the JOBS entries of the storages of O(buckets) (without buckets, both), the queue's
        URL and the images, as far as they still are those of these variables, and deletes what this collection created.
    type: str
    choices: [present, absent]
    default: present
  keep_queue:
    description:
      - For O(state=absent), where the queue stays since others send to it. The queue's URL and the AWS keys then stay too, as long as
        our JOBS entry of the other storage is left.
    type: bool
    default: false
  namespace:
    description: Namespace of the Deployment.
    type: str
    default: default
  deployment:
    description: Name of the Deployment. By default that of gen3-helm or else of cloud-automation.
    type: str
  wait_timeout:
    description: How many seconds the restart may take, and how many the check from within the cluster.
    type: int
    default: 300
  queue_url:
    description:
      - URL of the SQS queue. It must be in the region of the Deployment (its environment variable AWS_REGION).
      - Required unless all buckets are on MinIO. Without it, a URL that stands for no queue is written where there is none,
        since ssjdispatcher does not start without; uploads then come by its HTTP interface. AWS credentials in the document
        are then left as they are.
    type: str
  reads_queue:
    description:
      - Whether ssjdispatcher reads the queue itself. One message that it cannot digest ends it, and again at each start.
      - With V(false) it is given a URL that stands for no queue, since the role event_bridge reads O(queue_url) in its place
        (C(event_bridge_source=queue)) and posts to it.
      - Without it, it reads the queue unless O(queue_reader) does.
    type: bool
  queue_reader:
    description: Name of the Deployment that may read the queue in place of ssjdispatcher, in the same namespace.
    type: str
  region:
    description:
      - Region of the buckets, which the Jobs use.
      - Required with O(aws_credentials=secret_ref) and V(variables); without it, Jobs use V(us-east-1).
    type: str
  buckets:
    description:
      - The buckets whose uploads are indexed, all of them. A bucket that a JOBS entry of ours takes today and that is not listed
        is refused, unless O(replace_pattern). A storage without buckets keeps the entry that it may have.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the bucket.
        type: str
        required: true
      storage:
        description: What stores the bucket.
        type: str
        choices: [s3, minio]
        default: s3
      prefix:
        description: With what the keys of uploads begin. Of a bucket with a prefix nothing else is indexed.
        type: str
      suffix:
        description: With what the keys of uploads end. Of a bucket with a suffix nothing else is indexed.
        type: str
  job_name:
    description: Name of the JOBS entry for buckets on Amazon S3. It is ours, whoever made it.
    type: str
    default: indexing
  image:
    description:
      - Image of the Jobs for buckets on Amazon S3. By default the one that the ConfigMap already has, or else
        C(quay.io/cdis/indexs3client:2025.12).
    type: str
  request_cpu:
    description: CPU that a Job requests. By default what the JOBS entry already has, or else V(500m).
    type: str
  request_memory:
    description: Memory that a Job requests. By default what the JOBS entry already has, or else V(0.5Gi).
    type: str
  deadline:
    description: Seconds after which a Job is stopped. By default what the JOBS entry already has, or else 20 hours.
    type: int
  replace_pattern:
    description:
      - Whether other JOBS entries than today may take uploads, or none. Without this it is refused that an entry of ours loses
        a bucket or a part of one, has a pattern of which cannot be told which buckets it takes, or would take uploads that
        another entry takes today or that may be another commons'; and that a later entry takes a part of our uploads.
    type: bool
    default: false
  replace_queue:
    description: Whether ssjdispatcher may turn from the queue that it reads to another while entries of others are left, which may live on it.
    type: bool
    default: false
  minio_job_name:
    description: Name of the JOBS entry for buckets on MinIO. It is ours, whoever made it.
    type: str
    default: indexing-minio
  minio_image:
    description:
      - Image of the Jobs for buckets on MinIO, that of the role C(indexer_image). By default the one that the
        ConfigMap already has.
    type: str
  minio_endpoint_url:
    description: URL of MinIO, as the Jobs reach it. Required with buckets on MinIO.
    type: str
  minio_region:
    description: Region of MinIO.
    type: str
    default: us-east-1
  minio_ca_certificate:
    description: The certificate, in PEM, of the authority that MinIO's is from. By default the public ones count.
    type: str
  minio_credentials:
    description:
      - Where the Jobs have their key to MinIO from. Its user needs to read objects and nothing else.
      - V(variables) are those of O(minio_access_key_id) and O(minio_secret_access_key), which
        then are in C(credentials.json) and in each Job.
      - V(secret_ref) is a Secret that the Jobs read themselves.
    type: str
    choices: [variables, secret_ref]
    default: variables
  minio_access_key_id:
    description: Access key id, the name of MinIO's user. It is no secret.
    type: str
  minio_secret_access_key:
    description: Secret access key; keep it in a vault.
    type: str
  minio_secret_ref:
    description: The Secret with the key, in the Jobs' namespace.
    type: dict
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      access_key_id_key:
        description: Which key of the Secret holds the access key id.
        type: str
        default: access_key_id
      secret_access_key_key:
        description: Which key of the Secret holds the secret access key.
        type: str
        default: secret_access_key
  minio_check:
    description:
      - Whether a short Job tells, before the JOBS entry for MinIO changes, that its Jobs will reach MinIO, trust it, have its
        time and may read from the buckets.
    type: bool
    default: true
  indexd_url:
    description: URL of indexd's index, as the Jobs reach it.
    type: str
    default: http://indexd-service/index
  indexd_user:
    description:
      - User of indexd. Any of its users will do; gen3-helm's own tooling uses V(ssj).
      - By default the one that the JOBS entry already has, or else V(fence).
    type: str
  indexd_password:
    description: That user's password, where no Secret has it; keep it in a vault.
    type: str
  indexd_password_from:
    description:
      - Where the user's password is, as C(value_from) of M(gen3.uploads.k8s_merge_document). Of a list of sources, the first
        that has a value is taken, and C({user}) stands for the user's name.
      - By default Secret C(indexd-service-creds) (gen3-helm), or else C(indexd-creds) (cloud-automation). Where neither has the
        user that the JOBS entry already has, its password stays as it is.
    type: raw
    default:
      - {secret: indexd-service-creds, key: "{user}", for_env: true}
      - {secret: indexd-creds, key: creds.json, format: json, path: [user_db, "{user}"], for_env: true}
  metadata_url:
    description: URL of the metadata service, as the Jobs reach it.
    type: str
    default: http://revproxy-service/mds
  metadata_user:
    description:
      - Admin user of the metadata service. By default the one that the JOBS entry already has, or else V(gateway).
    type: str
  metadata_password:
    description: That user's password, where no Secret has it; keep it in a vault.
    type: str
  metadata_password_from:
    description:
      - Where that user's password is, as O(indexd_password_from). By default in C(ADMIN_LOGINS) of Secret
        C(metadata-g3auto).
    type: raw
    default:
      - {secret: metadata-g3auto, key: metadata.env, format: dotenv, path: [ADMIN_LOGINS, "{user}"], for_env: true}
  aws_credentials:
    description:
      - Whose AWS credentials ssjdispatcher and its Jobs use.
      - V(as_found) leaves the keys in C(credentials.json) and the annotations of the ServiceAccounts as they are.
      - V(irsa) are the IAM roles of their ServiceAccounts, by the variables below or by annotations that are there already.
      - V(ambient) are those of the nodes, or of EKS Pod Identity.
      - V(secret_ref) are keys from a Secret, V(variables) those of O(aws_access_key_id) and
        O(aws_secret_access_key). They must be keys of an IAM user.
      - Keys in C(credentials.json) are used before any role, so V(irsa) and V(ambient) are refused while there are some; see
        O(remove_aws_keys).
    type: str
    choices: [as_found, irsa, ambient, secret_ref, variables]
    default: as_found
  remove_aws_keys:
    description:
      - Whether the AWS keys in C(credentials.json) are removed. A secret key cannot be read again from AWS, so keep a copy.
    type: bool
    default: false
  irsa_role_arn:
    description: IAM role of ssjdispatcher's ServiceAccount. By default its annotation stays as it is.
    type: str
  irsa_job_role_arn:
    description: IAM role of the Jobs' ServiceAccount. By default its annotation stays as it is.
    type: str
  aws_secret_ref:
    description: The Secret with the keys.
    type: dict
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      namespace:
        description: Its namespace. By default O(namespace).
        type: str
      access_key_id_key:
        description: Which key of the Secret holds the access key id.
        type: str
        default: aws_access_key_id
      secret_access_key_key:
        description: Which key of the Secret holds the secret access key.
        type: str
        default: aws_secret_access_key
  aws_access_key_id:
    description: Access key id; keep it in a vault.
    type: str
  aws_secret_access_key:
    description: Secret access key; keep it in a vault.
    type: str
  image_pull_secrets:
    description: Names of Secrets with which the Jobs' images are pulled.
    type: list
    elements: str
    default: []
  bind_cluster_admin:
    description:
      - Whether ssjdispatcher is also bound to the ClusterRole C(admin), by the RoleBinding C(ssjdispatcher-binding), as in
        Gen3's runbook. It needs no more than the Role C(ssjdispatcher-jobs), which it always gets.
    type: bool
    default: false
  overwrite_externally_managed:
    description: Whether to change a Secret that a controller, such as External Secrets, would overwrite within minutes.
    type: bool
    default: false
  variable_names:
    description:
      - For messages, the variables that the user sets, by the options that get their values, such as C(region) from
        V(uploads_region). An option that is not among them is called as the role's variable, C(ssjdispatcher_region).
    type: dict
    default: {}
requirements:
  - kubernetes >= 24.2.0
notes:
  - Messages name an option as the variable of the role C(gen3.uploads.ssjdispatcher), which has C(ssjdispatcher_) before it, unless
    O(variable_names) says otherwise.
  - Patterns are judged by the Python package C(google-re2), as Go understands them. Without it (it has no wheel for every Python),
    plain patterns are judged all the same, and others are warned about.
seealso:
  - module: gen3.uploads.ssjdispatcher_info
  - module: gen3.uploads.k8s_merge_document
  - module: gen3.uploads.k8s_rollout_restart
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
"""

EXAMPLES = r"""
- name: Index the uploads to a bucket on Amazon S3
  gen3.uploads.ssjdispatcher:
    queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue
    region: us-east-1
    buckets:
      - name: gen3-bucket

- name: See what would change, and be refused what cannot work
  gen3.uploads.ssjdispatcher:
    queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue
    buckets:
      - name: gen3-bucket
  check_mode: true
  register: ssjdispatcher

- name: Take our entries back
  gen3.uploads.ssjdispatcher:
    state: absent
    queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue
"""

RETURN = r"""
installation:
  description:
    - How ssjdispatcher is set up. Without a Deployment, C(deployment), C(flavour), C(replicas) and C(service_account) are
      null, and the rest are the names that both known installers use.
  returned: success
  type: dict
  contains:
    deployment:
      description: Name of the Deployment.
      type: str
      sample: ssjdispatcher
    flavour:
      description: What installs it under that name, V(gen3-helm) or V(cloud-automation), else V(other).
      type: str
      sample: gen3-helm
    namespace:
      description: Namespace of the Deployment, its Secret and its ConfigMap.
      type: str
      sample: default
    replicas:
      description: Number of pods desired.
      type: int
      sample: 1
    service_account:
      description: ServiceAccount of the pods.
      type: str
      sample: ssjdispatcher-sa
    job_namespace:
      description: Namespace of the Jobs (GEN3_NAMESPACE), or null if it is not set.
      type: str
      sample: default
    job_num_max:
      description: More than this number of Jobs running makes ssjdispatcher wait.
      type: int
      sample: 10
    job_service_account_exists:
      description: Whether the Jobs' namespace has a ServiceAccount C(ssjdispatcher-job-sa).
      type: bool
      sample: true
    region:
      description: The region whose SQS is asked today, or null if none is in force.
      type: str
      sample: us-east-1
    secret:
      description: Name and key of the Secret that is mounted as C(credentials.json), or null.
      type: dict
      sample: {name: ssjdispatcher-creds, key: credentials.json}
    config_map:
      description: Name and key of the ConfigMap that JOB_IMAGES comes from, or null.
      type: dict
      sample: {name: manifest-ssjdispatcher, key: job_images}
    role_bindings:
      description: RoleBindings in the Jobs' namespace that give rights to the ServiceAccount of the pods.
      type: list
      elements: dict
      sample: [{name: ssjdispatcher-binding, role: ClusterRole admin, created_by_us: false}]
    owners:
      description:
        - Who else writes to an object. C(manager) is V(helm), V(flux-helm) (a HelmRelease of Flux), V(argocd), or one that
          takes a change back by itself, V(controller) (such as External Secrets), V(vault), V(csi), V(sealed-secrets),
          V(flux), V(config-sync) or V(replicator).
      type: list
      elements: dict
      sample:
        - kind: Secret
          name: ssjdispatcher-creds
          namespace: default
          manager: helm
          manager_name: gen3
jobs:
  description: The JOBS entries of O(buckets) as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the entry.
      type: str
      sample: indexing
    image:
      description: Image of its Jobs.
      type: str
      sample: quay.io/cdis/indexs3client:2025.12
    service_account:
      description: ServiceAccount of its Jobs.
      type: str
      sample: ssjdispatcher-job-sa
    buckets:
      description: Those of O(buckets) whose uploads it takes.
      type: list
      elements: str
      sample: [gen3-bucket]
    changes:
      description: Whether the entry or its image would change.
      type: bool
      sample: false
images:
  description: The image of the Jobs of each bucket, by RV(jobs).
  returned: success
  type: dict
  sample:
    gen3-bucket: quay.io/cdis/indexs3client:2025.12
converged:
  description: Whether there was nothing to change and no rollout to wait for.
  returned: success
  type: bool
  sample: true
read_by_another:
  description: Whether O(queue_reader) reads the queue, so that ssjdispatcher is given no queue.
  returned: success
  type: bool
  sample: false
starts_reading:
  description: Whether ssjdispatcher turns from the URL with which it reads no queue to O(queue_url), which another has read till then.
  returned: success
  type: bool
  sample: false
shared_entry:
  description: Whether one JOBS entry, C(indexing), takes the buckets of both storages, as in a Secret C(ssjdispatcher-uploads).
  returned: success
  type: bool
  sample: false
helm_values:
  description:
    - Values of the chart of gen3-helm with which its next upgrade leaves the configuration alone, where it would write anew what
      was changed here; otherwise null.
  returned: success
  type: dict
  sample:
    ssjdispatcher:
      indexing: quay.io/cdis/indexs3client:2025.12
      volumes:
        - {name: ssjdispatcher-creds-volume, secret: {secretName: ssjdispatcher-uploads}}
problems:
  description: What keeps the changes from being made, or would crash or silence ssjdispatcher; one sentence each.
  returned: always
  type: list
  elements: str
  sample:
    - "In credentials.json of Secret default/ssjdispatcher-creds: SQS.url is empty: ssjdispatcher receives nothing; set it to the
      URL of the queue."
changes:
  description: What was changed, or in check mode would be, without any content.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: What is done, V(create), V(update) or V(delete).
      type: str
      sample: update
    resource:
      description: The object.
      type: str
      sample: Secret default/ssjdispatcher-creds
    attribute:
      description: The part of it, or null for the whole.
      type: str
      sample: credentials.json
diff:
  description: The same with what was there and what is there now, where that is no secret.
  returned: success
  type: dict
  sample:
    before: {"Secret default/ssjdispatcher-creds: credentials.json": {}}
    after: {"Secret default/ssjdispatcher-creds: credentials.json": {"SQS.url": "<redacted>"}}
"""

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC, connect
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import helm_values, settings
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.aws_credentials import CHOICES
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.converge import SsjdispatcherError, configure
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

BUCKET = {
    "name": {"type": "str", "required": True},
    "storage": {"type": "str", "choices": ["s3", "minio"], "default": "s3"},
    "prefix": {"type": "str"},
    "suffix": {"type": "str"},
}
MINIO_SECRET = {
    "name": {"type": "str", "required": True},
    "access_key_id_key": {"type": "str", "default": "access_key_id", "no_log": False},
    "secret_access_key_key": {"type": "str", "default": "secret_access_key", "no_log": False},
}
AWS_SECRET = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "access_key_id_key": {"type": "str", "default": "aws_access_key_id", "no_log": False},
    "secret_access_key_key": {"type": "str", "default": "aws_secret_access_key", "no_log": False},
}
OPTIONS = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "keep_queue": {"type": "bool", "default": False},
    "namespace": {"type": "str", "default": "default"},
    "deployment": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 300},
    "queue_url": {"type": "str"},
    "reads_queue": {"type": "bool"},
    "queue_reader": {"type": "str"},
    "region": {"type": "str"},
    "buckets": {"type": "list", "elements": "dict", "default": [], "options": BUCKET},
    "job_name": {"type": "str", "default": "indexing"},
    "image": {"type": "str"},
    "request_cpu": {"type": "str"},
    "request_memory": {"type": "str"},
    "deadline": {"type": "int"},
    "replace_pattern": {"type": "bool", "default": False},
    "replace_queue": {"type": "bool", "default": False},
    "minio_job_name": {"type": "str", "default": "indexing-minio"},
    "minio_image": {"type": "str"},
    "minio_endpoint_url": {"type": "str"},
    "minio_region": {"type": "str", "default": "us-east-1"},
    "minio_ca_certificate": {"type": "str"},
    "minio_credentials": {"type": "str", "choices": ["variables", "secret_ref"], "default": "variables"},
    "minio_access_key_id": {"type": "str", "no_log": False},
    "minio_secret_access_key": {"type": "str", "no_log": True},
    "minio_secret_ref": {"type": "dict", "options": MINIO_SECRET, "no_log": False},
    "minio_check": {"type": "bool", "default": True},
    "indexd_url": {"type": "str", "default": "http://indexd-service/index"},
    "indexd_user": {"type": "str"},
    "indexd_password": {"type": "str", "no_log": True},
    "indexd_password_from": {"type": "raw", "default": list(settings.INDEXD_PASSWORD_FROM), "no_log": False},
    "metadata_url": {"type": "str", "default": "http://revproxy-service/mds"},
    "metadata_user": {"type": "str"},
    "metadata_password": {"type": "str", "no_log": True},
    "metadata_password_from": {"type": "raw", "default": list(settings.METADATA_PASSWORD_FROM), "no_log": False},
    "aws_credentials": {"type": "str", "choices": list(CHOICES), "default": "as_found"},
    "remove_aws_keys": {"type": "bool", "default": False},
    "irsa_role_arn": {"type": "str"},
    "irsa_job_role_arn": {"type": "str"},
    "aws_secret_ref": {"type": "dict", "options": AWS_SECRET, "no_log": False},
    "aws_access_key_id": {"type": "str", "no_log": True},
    "aws_secret_access_key": {"type": "str", "no_log": True},
    "image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "bind_cluster_admin": {"type": "bool", "default": False},
    "overwrite_externally_managed": {"type": "bool", "default": False},
    "variable_names": {"type": "dict", "default": {}},
}


def run(module):
    """Return the result of the module."""
    desired = settings.Settings.from_params(module.params)
    plan, changes = configure(connect(module), desired, module.check_mode)
    for sentence in plan.warnings:
        module.warn(settings.in_the_users_words(sentence, desired.variable_names))
    written = any(document.changes for document in plan.documents)
    values = helm_values.advice(plan.description["owners"], desired.image or desired.minio_image)
    return {
        "installation": plan.description,
        "jobs": plan.jobs,
        "images": {bucket: job["image"] for job in reversed(plan.jobs) for bucket in job["buckets"]},
        "shared_entry": plan.shared_entry,
        "read_by_another": plan.read_by_another,
        "starts_reading": plan.starts_reading,
        "converged": plan.converged,
        "problems": plan.problems,
        "helm_values": values if written and plan.present else None,
        **outcome(changes),
    }


def main():
    module = AnsibleK8SModule(argument_spec={**AUTH_ARG_SPEC, **OPTIONS}, supports_check_mode=True)

    def work():
        try:
            return run(module)
        except UploadsError as error:
            found = error.details.get("problems", [str(error)])
            raise SsjdispatcherError([settings.in_the_users_words(each, module.params["variable_names"]) for each in found]) from error

    run_module(module, work)


if __name__ == "__main__":
    main()
