#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: minio_resources
short_description: Converge buckets, policies, users and notification rules of a MinIO server
description:
  - Converges everything that a MinIO server holds beside objects, in one process. All is read and planned before the
    first change.
  - Policies and rules are compared by meaning. Neither order nor spelling makes a change.
  - A secret cannot be read back. A call that is signed with it tells whether it is in force.
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
options:
  buckets:
    description:
      - Buckets, each with C(name), C(state) (V(present) or V(absent), which refuses a bucket that is not empty),
        C(versioning) (V(enabled) or V(suspended)), C(object_lock) (at creation only) and C(quota) (like V(10GiB), V(0)
        for none). What is not given stays.
      - C(notifications) are rules with C(id), C(target) (type and id, like V(webhook/GEN3)), C(events), C(prefix) and
        C(suffix). The default of C(events) is the four ways in which an upload completes.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the bucket.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      versioning:
        description: Its versioning.
        type: str
        choices: [enabled, suspended]
      object_lock:
        description: Whether to create it with object lock.
        type: bool
        default: false
      quota:
        description: Its size limit.
        type: str
      notifications:
        description: Its rules. Rules of other ids stay, unless O(purge_notifications=true).
        type: list
        elements: dict
        suboptions:
          id:
            description: Id of the rule.
            type: str
            default: gen3-uploads
          target:
            description: Type and id of the notification target.
            type: str
            required: true
          events:
            description: The events to send.
            type: list
            elements: str
            default:
              - s3:ObjectCreated:Put
              - s3:ObjectCreated:Post
              - s3:ObjectCreated:Copy
              - s3:ObjectCreated:CompleteMultipartUpload
          prefix:
            description: Only keys that begin with this.
            type: str
            default: ""
          suffix:
            description: Only keys that end with this.
            type: str
            default: ""
          take_over:
            description:
              - Whether it takes the place of a rule with its id that sends other keys, or to another target. Otherwise the module refuses
                that, since the rule may be another pipeline's.
            type: bool
            default: false
  bucket_notifications:
    description: Whether the C(notifications) of O(buckets) are looked at. With V(false) all rules stay as they are.
    type: bool
    default: true
  purge_notifications:
    description: Whether buckets with C(notifications) lose the rules that are not listed.
    type: bool
    default: false
  purge_access:
    description:
      - Whether users and groups lose the policies, groups the members, and policies and service accounts with a C(grant) the buckets and
        statements that are not listed. Otherwise these stay, as another run or somebody else may need them.
    type: bool
    default: false
  remove_target_arns:
    description: ARNs of notification targets. All rules of all buckets that send there are removed.
    type: list
    elements: str
    default: []
  remove_target_from:
    description:
      - The buckets that lose their rules to O(remove_target_arns); all if this is not given.
      - The module refuses while other buckets have such rules, unless O(keep_shared=true).
    type: list
    elements: str
  keep_shared:
    description: Whether the rules that buckets beside O(remove_target_from) have to O(remove_target_arns) stay.
    type: bool
    default: false
  discard_dead_rules:
    description:
      - Whether a write of a bucket's rules may remove rules whose targets are not live at this moment. MinIO takes no list of rules
        with such a target in it, so the module refuses the write otherwise. Rules of a target in O(remove_target_arns), and what
        O(purge_notifications) removes, need no consent.
      - A user other than root needs the right C(admin:ExportBucketMetadata) for the module to see such rules. The module warns
        without it.
      - MinIO forgets such a rule in its memory where anybody reads the bucket's notifications by GetBucketNotification, for instance with
        C(mc event list). Until the server's next start, or for up to 15 minutes, nobody can see the rule then.
    type: bool
    default: false
  policies:
    description: Policies.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the policy.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      policy:
        description: The document.
        type: dict
      grant:
        description: Generates the document with the least privileges of this part on O(policies[].buckets).
        type: str
        choices: [uploader, indexer, fence]
      buckets:
        description: The buckets of O(policies[].grant).
        type: list
        elements: str
        default: []
  users:
    description: Users.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Access key of the user.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      secret:
        description:
          - Secret of the user, of 8 characters or more. It stays if this is not given.
          - A call signed with it tells whether it is in force, and it is set where it is not. Of a disabled user that cannot be told.
        type: str
      enabled:
        description: Whether it may log in.
        type: bool
        default: true
      policies:
        description: The policies attached to it. Others that are attached stay, unless O(purge_access=true).
        type: list
        elements: str
  groups:
    description: Groups.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      enabled:
        description: Whether its policies count.
        type: bool
        default: true
      members:
        description: Its members. Others stay, unless O(purge_access=true).
        type: list
        elements: str
      policies:
        description: The policies attached to it. Others that are attached stay, unless O(purge_access=true).
        type: list
        elements: str
  service_accounts:
    description: Service accounts of the administrator in use.
    type: list
    elements: dict
    default: []
    suboptions:
      access_key:
        description: Access key of the account.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      secret:
        description: Secret of the account, as O(users[].secret).
        type: str
      policy:
        description: The document that limits the account.
        type: dict
      grant:
        description: Generates the document with the least privileges of this part on O(service_accounts[].buckets).
        type: str
        choices: [uploader, indexer, fence]
      buckets:
        description: The buckets of O(service_accounts[].grant).
        type: list
        elements: str
        default: []
extends_documentation_fragment:
  - gen3.uploads.attributes
  - gen3.uploads.minio
"""

EXAMPLES = r"""
- name: Make a bucket whose uploads go to a webhook, and its uploader
  gen3.uploads.minio_resources:
    url: https://minio.example:9000
    access_key: "{{ minio_root_user }}"
    secret_key: "{{ minio_root_password }}"
    policies:
      - name: uploader
        grant: uploader
        buckets: [gen3-bucket]
    users:
      - name: uploader
        secret: "{{ uploader_secret }}"
        policies: [uploader]
    buckets:
      - name: gen3-bucket
        versioning: enabled
        notifications:
          - target: webhook/GEN3
"""

RETURN = r"""
senders:
  description: The buckets that still send to O(remove_target_arns) after this run, because of O(keep_shared).
  returned: success
  type: list
  elements: str
  sample: []
changes:
  description: The writes made, or in check mode to be made, in their order.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      resource: bucket gen3-bucket
      attribute: null
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gen3.uploads.plugins.module_utils._minio import client as minio
from ansible_collections.gen3.uploads.plugins.module_utils._minio import converge as resources
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import UPLOAD_EVENTS
from ansible_collections.gen3.uploads.plugins.module_utils._minio.model import GRANTS

STATE = dict(type="str", choices=["present", "absent"], default="present")
NAMES = dict(type="list", elements="str")
DOCUMENT = dict(
    policy=dict(type="dict"),
    grant=dict(type="str", choices=list(GRANTS)),
    buckets=dict(type="list", elements="str", default=[]),
)
SECRET = dict(secret=dict(type="str", no_log=True))
RULE = dict(
    id=dict(type="str", default="gen3-uploads"),
    target=dict(type="str", required=True),
    events=dict(type="list", elements="str", default=list(UPLOAD_EVENTS)),
    prefix=dict(type="str", default=""),
    suffix=dict(type="str", default=""),
    take_over=dict(type="bool", default=False),
)
NAMED = dict(name=dict(type="str", required=True), state=STATE)


def items(**options):
    """Return the specification of a list of mappings with these options."""
    return dict(type="list", elements="dict", default=[], options=options)


def main():
    """Run the module."""
    documents = dict(mutually_exclusive=[("policy", "grant")])
    module = AnsibleModule(
        argument_spec=dict(
            minio.CONNECTION,
            buckets=items(
                **NAMED, versioning=dict(type="str", choices=["enabled", "suspended"]),
                object_lock=dict(type="bool", default=False), quota=dict(type="str"),
                notifications=dict(type="list", elements="dict", options=RULE)),
            bucket_notifications=dict(type="bool", default=True),
            purge_notifications=dict(type="bool", default=False),
            purge_access=dict(type="bool", default=False),
            remove_target_arns=dict(type="list", elements="str", default=[]),
            remove_target_from=dict(type="list", elements="str"),
            keep_shared=dict(type="bool", default=False),
            discard_dead_rules=dict(type="bool", default=False),
            policies=dict(items(**NAMED, **DOCUMENT), **documents,
                          required_if=[("state", "present", ("policy", "grant"), True)]),
            users=items(**NAMED, **SECRET, enabled=dict(type="bool", default=True), policies=NAMES),
            groups=items(**NAMED, enabled=dict(type="bool", default=True), members=NAMES, policies=NAMES),
            service_accounts=dict(items(
                access_key=dict(type="str", required=True, no_log=False), state=STATE, **SECRET, **DOCUMENT),
                **documents),
        ),
        supports_check_mode=True,
    )
    options = dict(module.params)
    if not options["bucket_notifications"]:
        options["buckets"] = [{**bucket, "notifications": None} for bucket in options["buckets"]]
    minio.run_module(module, lambda connection: resources.converge(connection, options, module.check_mode))


if __name__ == "__main__":
    main()
