#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a live ssjdispatcher, and at what a change of its configuration would do to it."""
from __future__ import annotations

DOCUMENTATION = r"""
module: ssjdispatcher_info
short_description: Look at a live ssjdispatcher and check its configuration before it is changed
description:
  - Finds the ssjdispatcher of a Gen3 data commons in Kubernetes, and says how it is set up and who manages its objects.
  - Checks C(credentials.json) and C(job_images) for what would crash ssjdispatcher or let it throw messages away, since it
    hardly checks them itself. Given the changes that are intended, it checks the documents as they would become.
  - Prepares the options of M(gen3.uploads.k8s_merge_document), M(kubernetes.core.k8s) and
    M(gen3.uploads.k8s_rollout_restart), and says whether there is anything to do for them.
  - What works but deserves attention becomes a warning.
  - Reads each object once. Nothing that it returns holds a value from a Secret.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - gen3.uploads.attributes.info
  - gen3.uploads.attributes.k8s
options:
  namespace:
    description: Namespace of the Deployment.
    type: str
    default: default
  deployment:
    description:
      - Name of the Deployment. By default V(ssjdispatcher), the name in gen3-helm, or else V(ssjdispatcher-deployment), that
        in cloud-automation.
    type: str
  withdraw:
    description: Prepare for taking away what O(access) names, instead of putting it in place.
    type: bool
    default: false
  credentials:
    description: Changes that are intended for C(credentials.json), which is in a Secret.
    type: dict
    default: {}
    suboptions:
      defaults:
        description: What the document shall contain where it has no value yet; an empty string is none.
        type: dict
        default: {}
      merge:
        description:
          - What the document shall contain, as in M(gen3.uploads.k8s_merge_document).
          - C(value_from) may also be a list of sources, of which the first that has a value is taken.
        type: dict
        default: {}
      remove:
        description:
          - Paths of values that the document shall not contain, as in M(gen3.uploads.k8s_merge_document).
          - A mapping of C(path) and C(value) removes the path only where it has this value, which C(value_from) may name. With
            C(instead), that value takes its place as long as anything else is left. A mapping of C(path) and C(last)
            (V(true)) removes it only if nothing else is left then, from a Secret that this collection created.
        type: list
        elements: raw
        default: []
  job_images:
    description: Changes that are intended for C(job_images), which is in a ConfigMap.
    type: dict
    default: {}
    suboptions:
      defaults:
        description: What the document shall contain where it has no value yet.
        type: dict
        default: {}
      merge:
        description: What the document shall contain.
        type: dict
        default: {}
      remove:
        description: Paths of values that the document shall not contain, as in O(credentials.remove).
        type: list
        elements: raw
        default: []
  sensitive:
    description: Secret values that O(credentials.merge) takes by C(value_from) with C(sensitive), the name of an entry.
    type: dict
    default: {}
  buckets:
    description:
      - Buckets whose uploads shall get a Job. For sample uploads of each bucket it is a problem if none or another than the
        expected JOBS entry would take them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the bucket.
        type: str
        required: true
      storage:
        description:
          - What stores the bucket. Events of MinIO carry escaped slashes, and the part C(s3) of the entry's C(imageConfig) is
            checked, which tells the image of the role C(indexer_image) where MinIO is.
        type: str
        choices: [s3, minio]
        default: s3
      prefix:
        description: With what the keys of uploads begin, where others in the bucket are not meant.
        type: str
        default: ""
      suffix:
        description: With what the keys of uploads end, where others in the bucket are not meant.
        type: str
        default: ""
      job:
        description:
          - Name of the JOBS entry that shall take the uploads. Where the Deployment mounts a Secret C(ssjdispatcher-uploads), the
            entries of both storages become one, C(indexing), unless they are to have different images.
        type: str
        default: indexing
  replace_pattern:
    description:
      - Whether a pattern may change so that other entries than today take uploads, or none. An expected JOBS entry then may lose
        a bucket, or a part of one, or have a pattern of which cannot be told which buckets it takes; it may take uploads that
        another entry takes today, or those of another commons in the same bucket; and a later entry may take a part of the
        uploads to O(buckets). Otherwise that is a problem.
    type: bool
    default: false
  overwrite_externally_managed:
    description: Whether to change a Secret that a controller, such as External Secrets, would overwrite within minutes.
    type: bool
    default: false
  access:
    description: Rights that ssjdispatcher and its Jobs shall have.
    type: dict
    default: {}
    suboptions:
      role_arn:
        description: IAM role of ssjdispatcher's ServiceAccount (IRSA).
        type: str
      job_role_arn:
        description: IAM role of the ServiceAccount C(ssjdispatcher-job-sa) of the Jobs (IRSA).
        type: str
      image_pull_secrets:
        description: Names of Secrets with which the Jobs' images are pulled.
        type: list
        elements: str
        default: []
      bind_cluster_admin:
        description:
          - Whether ssjdispatcher shall also have the ClusterRole C(admin) in the Jobs' namespace, by the RoleBinding
            C(ssjdispatcher-binding). It needs no more than the Role C(ssjdispatcher-jobs).
        type: bool
        default: false
      job_secret:
        description:
          - Name of a Secret in the Jobs' namespace that the ServiceAccount C(ssjdispatcher-job-sa) may read, by the Role
            C(ssjdispatcher-job-minio), for the C(secret_ref) in the part C(s3) of C(imageConfig).
        type: str
  aws_credentials:
    description:
      - Whose AWS credentials ssjdispatcher and its Jobs shall use, for the problems that follow from it. Without it, nothing is said
        of them.
      - V(irsa) needs an IAM role for each ServiceAccount, and V(irsa) and V(ambient) are defeated by keys in the document.
    type: str
    choices: [as_found, irsa, ambient, secret_ref, variables]
requirements:
  - kubernetes >= 24.2.0
notes:
  - Patterns are judged by the Python package C(google-re2), as Go understands them. Without it (it has no wheel for every Python),
    plain patterns are judged all the same, and others are warned about.
seealso:
  - module: gen3.uploads.k8s_merge_document
  - module: gen3.uploads.k8s_rollout_restart
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
"""

EXAMPLES = r"""
- name: Look for faults in the live configuration
  gen3.uploads.ssjdispatcher_info:
    namespace: default
  register: ssjdispatcher

- name: See what is wrong
  ansible.builtin.debug:
    var: ssjdispatcher.problems

- name: Check another queue before it is written
  gen3.uploads.ssjdispatcher_info:
    credentials:
      merge:
        SQS: {url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue}
    buckets:
      - name: gen3-bucket
  register: ssjdispatcher

- name: Write it
  gen3.uploads.k8s_merge_document:
    documents: "{{ ssjdispatcher.documents }}"
  when: not ssjdispatcher.problems
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
      description: Number of pods wished for.
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
documents:
  description:
    - O(credentials) and O(job_images) as M(gen3.uploads.k8s_merge_document) takes them, with the sources of values
      and the removals that apply here.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: ConfigMap
      name: manifest-ssjdispatcher
      namespace: default
      key: job_images
      merge: {indexing: "quay.io/cdis/indexs3client:2025.12"}
      remove: []
      list_keys: {}
      create: true
      labels: {}
      annotations: {}
access:
  description: What M(kubernetes.core.k8s) has to do for the rights, as its options C(state), C(definition), with
    C(merge_type=merge).
  returned: success
  type: list
  elements: dict
  sample:
    - state: absent
      definition:
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: ssjdispatcher-jobs, namespace: default}
shared_entry:
  description: Whether one JOBS entry, C(indexing), takes the buckets of both storages, as in a Secret C(ssjdispatcher-uploads).
  returned: success
  type: bool
  sample: false
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
configuration:
  description: What the pods read only when they start, as M(gen3.uploads.k8s_rollout_restart) takes it.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Secret, name: ssjdispatcher-creds, pending: false}
    - {kind: ConfigMap, name: manifest-ssjdispatcher, pending: false}
drift:
  description: The changes that are due, without any content.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, resource: RoleBinding default/ssjdispatcher-jobs, attribute: null}
    - {action: update, resource: Secret default/ssjdispatcher-creds, attribute: credentials.json}
restart:
  description: Whether a restart is due, or a rollout to be waited for.
  returned: success
  type: bool
  sample: false
converged:
  description: Whether there is nothing to do for any of these modules.
  returned: success
  type: bool
  sample: true
problems:
  description: What would crash or silence ssjdispatcher, or keep the changes from being made; one sentence each.
  returned: success
  type: list
  elements: str
  sample:
    - "In credentials.json of Secret default/ssjdispatcher-creds: SQS.url is empty: ssjdispatcher receives nothing; set it to the
      URL of the queue."
refused:
  description: Those of RV(problems) that keep the changes from being made; with O(withdraw) the others need not stop anyone.
  returned: success
  type: list
  elements: str
  sample:
    - "Cannot merge into credentials.json of Secret default/ssjdispatcher-creds: it is not JSON (Expecting value: line 1 column 24)."
"""

from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import AUTH_ARG_SPEC, KubeError, connect
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.aws_credentials import CHOICES
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.rbac import Access
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.plan import Options, preflight
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import Bucket
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

CHANGES = {
    "defaults": {"type": "dict", "default": {}},
    "merge": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "raw", "default": []},
}
BUCKET = {
    "name": {"type": "str", "required": True},
    "storage": {"type": "str", "choices": ["s3", "minio"], "default": "s3"},
    "prefix": {"type": "str", "default": ""},
    "suffix": {"type": "str", "default": ""},
    "job": {"type": "str", "default": "indexing"},
}
ACCESS = {
    "role_arn": {"type": "str"},
    "job_role_arn": {"type": "str"},
    "image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "bind_cluster_admin": {"type": "bool", "default": False},
    "job_secret": {"type": "str", "no_log": False},
}


def options(params):
    """Return the options as the preflight takes them."""
    return Options(
        present=not params["withdraw"],
        credentials=params["credentials"],
        job_images=params["job_images"],
        sensitive=params["sensitive"],
        buckets=[Bucket(**bucket) for bucket in params["buckets"]],
        replace_pattern=params["replace_pattern"],
        overwrite_externally_managed=params["overwrite_externally_managed"],
        access=Access(**params["access"]),
        aws_credentials=params["aws_credentials"],
    )


def main():
    module = AnsibleK8SModule(
        argument_spec={
            **AUTH_ARG_SPEC,
            "namespace": {"type": "str", "default": "default"},
            "deployment": {"type": "str"},
            "withdraw": {"type": "bool", "default": False},
            "credentials": {"type": "dict", "default": {}, "options": CHANGES},
            "job_images": {"type": "dict", "default": {}, "options": CHANGES},
            "sensitive": {"type": "dict", "default": {}, "no_log": True},
            "buckets": {"type": "list", "elements": "dict", "default": [], "options": BUCKET},
            "replace_pattern": {"type": "bool", "default": False},
            "overwrite_externally_managed": {"type": "bool", "default": False},
            "access": {"type": "dict", "default": {}, "options": ACCESS},
            "aws_credentials": {"type": "str", "choices": list(CHOICES)},
        },
        supports_check_mode=True,
    )
    try:
        result = preflight(connect(module), module.params["namespace"], module.params["deployment"], options(module.params))
    except KubeError as error:
        module.fail_json(msg=str(error))
    for sentence in result.pop("warnings"):
        module.warn(sentence)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
