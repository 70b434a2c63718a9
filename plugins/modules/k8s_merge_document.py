#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge JSON documents that live inside Secrets and ConfigMaps."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_merge_document
short_description: Merge into JSON documents inside Kubernetes Secrets and ConfigMaps
description:
  - Many programs read one JSON document from one key of a Secret or ConfigMap, to which several owners contribute.
    This module changes only what it is told within such documents; other values, their order and the literals of
    numbers stay, as do other keys, labels and annotations of the object.
  - Nothing is written where nothing changes. A write names the version of the object that it was planned for; where
    someone else was faster, the module reads and plans again, so that no concurrent writer loses anything.
  - All objects are read and all changes planned before the first write, so that a change that cannot be made leaves
    all of them alone.
  - An object that does not exist is created with the annotation C(gen3.uploads/created-by). Such an object is deleted
    when only O(documents[].remove) is given, its documents hold nothing but empty objects and lists afterwards, and it
    has no other key. Any other object stays.
  - Whoever else writes to the object (Helm, Flux, Argo CD, anybody who applies server-side) is told by its labels,
    annotations, owner references and C(managedFields); a warning says what they will do to the change. The module
    leaves no claim in C(managedFields), so that their next server-side apply meets no conflict with it.
  - In check mode the writes are sent as server-side dry runs, so that admission and permissions are checked too.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - gen3.uploads.attributes
  - gen3.uploads.attributes.k8s
options:
  documents:
    description:
      - The documents to change.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        choices: [ConfigMap, Secret]
        required: true
      name:
        description: Name of the object.
        type: str
        required: true
      namespace:
        description: Namespace of the object.
        type: str
        required: true
      key:
        description: Key of the object's C(data) whose value is the document; an empty value is an empty document.
        type: str
        required: true
      merge:
        description:
          - What the document shall contain. Objects are merged key by key, other values replaced; V(null) is a value.
          - In a Secret, any value may be a mapping with the only key C(value_from), so that the module itself takes it
            from another Secret (C(secret), C(key), and where needed C(namespace), C(format) and C(path)) or from
            O(sensitive) (C(sensitive)).
          - C(format) is V(raw) (the default, the whole value), V(json) with the C(path) of the value in the document,
            or V(dotenv) with the C(path) V([VARIABLE]), or V([VARIABLE, user]) where the variable is a comma-separated
            list of user:password.
          - With C(for_env) (V(true)) the value is written so that Kubernetes hands it on unchanged in C(env[].value) of a container,
            where it expands C($$) and C($(NAME\)). A line feed at the end of a value is left out.
        type: dict
        default: {}
      remove:
        description:
          - Paths of values that the document shall not contain, such as V(SQS.url) or V(JOBS[name=indexing]), or as
            lists where a key contains a dot, such as V([annotations, example.org/x]).
          - They are removed before O(documents[].merge) is merged. What does not exist need not be removed.
        type: list
        elements: raw
        default: []
      list_keys:
        description:
          - Paths of lists of objects, and the key that identifies their elements, such as C(JOBS) with V(name).
          - Elements of these lists are merged into the existing element of the same name, or appended. Any other list
            is replaced.
        type: dict
        default: {}
      create:
        description: Whether an object that does not exist is created; otherwise it is an error.
        type: bool
        default: true
      labels:
        description: Labels of the object, if it is created.
        type: dict
        default: {}
      annotations:
        description: Annotations of the object, if it is created.
        type: dict
        default: {}
  sensitive:
    description:
      - Secret values that O(documents[].merge) takes by C(value_from) with C(sensitive), the name of an entry.
    type: dict
    default: {}
  overwrite_externally_managed:
    description:
      - Whether to change a key that somebody takes back by themselves, such as External Secrets, the Vault Secrets
        Operator, Sealed Secrets, the Secrets Store CSI driver or a Kustomization of Flux.
    type: bool
    default: false
requirements:
  - kubernetes >= 24.2.0
seealso:
  - module: gen3.uploads.k8s_rollout_restart
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
"""

EXAMPLES = r"""
- name: Add a job to the configuration of ssjdispatcher
  gen3.uploads.k8s_merge_document:
    documents:
      - kind: Secret
        name: ssjdispatcher-creds
        namespace: default
        key: credentials.json
        list_keys: {JOBS: name}
        merge:
          SQS: {url: https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue}
          JOBS:
            - name: indexing
              pattern: ^s3://gen3-bucket/.+
              imageConfig:
                username: fence
                password: {value_from: {secret: indexd-service-creds, key: fence}}
                metadataService:
                  password:
                    value_from:
                      secret: metadata-g3auto
                      key: metadata.env
                      format: dotenv
                      path: [ADMIN_LOGINS, gateway]
      - kind: ConfigMap
        name: manifest-ssjdispatcher
        namespace: default
        key: job_images
        merge: {indexing: "quay.io/cdis/indexs3client:master"}

- name: Take the job away again
  gen3.uploads.k8s_merge_document:
    documents:
      - kind: Secret
        name: ssjdispatcher-creds
        namespace: default
        key: credentials.json
        list_keys: {JOBS: name}
        remove: ["JOBS[name=indexing]", SQS.url]
"""

RETURN = r"""
changes:
  description: The writes that were made, or in check mode would be made.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, resource: Secret default/ssjdispatcher-creds, attribute: credentials.json}]
diff:
  description: What differs, path by path; values of Secrets are replaced by V(<redacted>) and V(<redacted, changed>).
  returned: success
  type: dict
  sample:
    before:
      "Secret default/ssjdispatcher-creds: credentials.json":
        JOBS[name=indexing].pattern: <redacted>
    after:
      "Secret default/ssjdispatcher-creds: credentials.json":
        JOBS[name=indexing].pattern: <redacted, changed>
"""

from functools import partial

from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import (
    AUTH_ARG_SPEC,
    apply_to,
    connect,
    converge,
    list_if_allowed,
)
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.plan import (
    MergeError,
    Desired,
    after_changes,
    plan,
    warnings,
)
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import owners, targets
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.value_from import resolve
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

DOCUMENT = {
    "kind": {"type": "str", "choices": ["ConfigMap", "Secret"], "required": True},
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "key": {"type": "str", "required": True, "no_log": False},
    "merge": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "raw", "default": []},
    "list_keys": {"type": "dict", "default": {}, "no_log": False},
    "create": {"type": "bool", "default": True},
    "labels": {"type": "dict", "default": {}},
    "annotations": {"type": "dict", "default": {}},
}


def observe(kube, desired):
    """Return an object and its owners as the API server knows them."""
    current = kube.get(desired.kind, desired.name, desired.namespace)
    # Where one may not see ExternalSecrets, the owner references tell who manages the Secret.
    external = list_if_allowed(kube, "ExternalSecret", desired.namespace) if desired.kind == "Secret" else []
    return current, owners(current, [each for each in external if targets(each, desired.name, desired.key)], desired.key)


def all_desired(kube, documents, sensitive):
    """Return what the options desire, with the values that they take from elsewhere."""

    def read_secret(name, namespace):
        return kube.get("Secret", name, namespace or document["namespace"])

    found = []
    for document in documents:
        patch = resolve(document["merge"], read_secret, sensitive)
        if document["kind"] == "ConfigMap" and patch != document["merge"]:
            raise MergeError(
                f"Refusing to write a secret value into ConfigMap {document['namespace']}/{document['name']},"
                " which anyone may read; use value_from in Secrets only."
            )
        found.append(Desired(**{**document, "merge": patch}))
    return found


def plan_all(kube, desired, overwrite):
    """Observe and plan everything, each document of an object on what those before it leave of it; return (desired, state, changes)."""
    planned, objects = [], {}
    for each in desired:
        target = (each.kind, each.namespace, each.name)
        current, owned_by = observe(kube, each)
        current = objects.get(target, current)
        changes = plan(each, current, owned_by, overwrite)
        planned.append((each, (current, owned_by), changes))
        objects[target] = after_changes(current, changes)
    return planned


def converge_all(module):
    """Observe everything, plan everything, and only then write."""
    kube = connect(module)
    overwrite = module.params["overwrite_externally_managed"]
    planned = plan_all(kube, all_desired(kube, module.params["documents"], module.params["sensitive"]), overwrite)
    for each, (_current, owned_by), changes in planned:
        if changes:
            for text in warnings(each, owned_by):
                module.warn(text)
    made, touched = [], set()
    for each, state, changes in planned:
        target = (each.kind, each.namespace, each.name)
        if target in touched and module.check_mode:
            made += changes  # a dry run would meet the object as it was before the first of its documents
            continue
        made += converge(
            observe(kube, each) if target in touched else state,
            partial(observe, kube, each),
            lambda state, each=each: plan(each, *state, overwrite),
            partial(apply_to, kube, dry_run=module.check_mode),
        )
        touched.add(target)
    return outcome(made)


def main():
    module = AnsibleK8SModule(
        argument_spec={
            **AUTH_ARG_SPEC,
            "documents": {"type": "list", "elements": "dict", "required": True, "options": DOCUMENT},
            "sensitive": {"type": "dict", "default": {}, "no_log": True},
            "overwrite_externally_managed": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run_module(module, lambda: converge_all(module))


if __name__ == "__main__":
    main()
