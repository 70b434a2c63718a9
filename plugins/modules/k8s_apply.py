#!/usr/bin/python
# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the manifests of a program and wait until it runs with them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_apply
short_description: Apply the manifests of a program and wait until it runs with them
description:
  - Applies manifests by server-side apply, in their order, and waits for the rollout of each Deployment among them. What a former run
    has set and this one does not goes.
  - A Deployment gets the versions of the Secrets and ConfigMaps before it as an annotation of its pods, so that it starts anew whenever
    they have changed, no matter by whom.
  - An object that is there without the annotation C(gen3.uploads/created-by) is somebody else's. It is neither changed nor removed, and
    nothing is written where one of O(definitions) is such an object.
  - One process does all this. M(kubernetes.core.k8s), which has more possibilities, needs one for each step, and seconds for each.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - gen3.uploads.attributes
  - gen3.uploads.attributes.k8s
options:
  namespace:
    description: Namespace of all objects.
    type: str
    required: true
  definitions:
    description:
      - The manifests, each with C(apiVersion), C(kind), C(metadata.name) and the annotation C(gen3.uploads/created-by).
      - These kinds are known, ConfigMap, Deployment, NetworkPolicy, PersistentVolumeClaim, Secret, Service.
    type: list
    elements: dict
    default: []
  secret_data:
    description: The field C(data) of the Secret in O(definitions), which so appears nowhere. Its values are in Base64.
    type: dict
    default: {}
  absent:
    description: Objects that are removed where they are there, by C(kind) and C(name).
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        required: true
      name:
        description: Name of the object.
        type: str
        required: true
  tls_secret:
    description: A Secret with C(tls.crt) and C(tls.key), which are checked before anything is written.
    type: str
  field_manager:
    description: By what name the server remembers which fields are ours.
    type: str
    default: gen3.uploads
  wait_timeout:
    description: How many seconds to wait at most for the rollout of a Deployment. In check mode nothing is waited for.
    type: int
    default: 300
requirements:
  - kubernetes >= 24.2.0
seealso:
  - module: gen3.uploads.k8s_rollout_restart
  - module: kubernetes.core.k8s
author:
  - Gen3 Uploads Contributors (@gen3-uploads)
"""

EXAMPLES = r"""
- name: Write a program's token
  gen3.uploads.k8s_apply:
    namespace: default
    definitions:
      - apiVersion: v1
        kind: Secret
        metadata:
          name: event-bridge
          annotations: {gen3.uploads/created-by: gen3.uploads}
    secret_data:
      EVENT_BRIDGE_TOKEN_HASH: "{{ event_bridge_token | gen3.uploads.event_bridge_token_hash | b64encode }}"

- name: Remove a program
  gen3.uploads.k8s_apply:
    namespace: default
    absent:
      - {kind: Deployment, name: event-bridge}
      - {kind: Secret, name: event-bridge}
"""

RETURN = r"""
changes:
  description: What was created, changed and removed, in order, or in check mode would be.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, resource: Deployment default/event-bridge, attribute: spec}]
diff:
  description: The changed parts of each object before and after; of a Secret only that it has another value.
  returned: success
  type: dict
"""

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import outcome
from ansible_collections.gen3.uploads.plugins.module_utils._core.runner import run_module
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import apply, rollout
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import APIS, AUTH_ARG_SPEC, connect
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.core import AnsibleK8SModule

IDENTITY = {"kind": {"type": "str", "required": True}, "name": {"type": "str", "required": True}}
OPTIONS = {
    "namespace": {"type": "str", "required": True},
    "definitions": {"type": "list", "elements": "dict", "default": []},
    "secret_data": {"type": "dict", "default": {}, "no_log": True},
    "absent": {"type": "list", "elements": "dict", "default": [], "options": IDENTITY},
    "tls_secret": {"type": "str", "no_log": False},
    "field_manager": {"type": "str", "default": "gen3.uploads"},
    "wait_timeout": {"type": "int", "default": 300},
}


def complete(manifest, namespace, secret_data):
    """Return a manifest with its namespace, and a Secret with its data."""
    data = {"data": secret_data} if manifest["kind"] == "Secret" else {}
    return {**manifest, **data, "metadata": {**manifest["metadata"], "namespace": namespace}}


def converge(module):
    """Do what the options say and return the result."""
    options, check = module.params, module.check_mode
    namespace = options["namespace"]
    if found := apply.problems(options["definitions"]):
        raise apply.ApplyError(" ".join(found))
    manifests = [complete(each, namespace, options["secret_data"]) for each in options["definitions"]]
    unwanted = [{"kind": each["kind"], "metadata": {"name": each["name"], "namespace": namespace}} for each in options["absent"]]
    unknown = {each["kind"] for each in [*manifests, *unwanted]} - set(APIS)
    if unknown:
        raise apply.ApplyError(f"The kind {', '.join(sorted(unknown))} is unknown; use kubernetes.core.k8s for it.")
    kube = connect(module)
    warnings = apply.check_certificate(kube, options["tls_secret"], namespace) if options["tls_secret"] else []
    found, to_go = apply.observe(kube, manifests, namespace), apply.observe(kube, unwanted, namespace)
    apply.refuse_foreign(manifests, found)
    changes = apply.remove(kube, to_go, check)
    changes += apply.apply(kube, manifests, found, options["field_manager"], check)
    for each in manifests:
        if each["kind"] == "Deployment" and not check:
            rollout.wait(kube, each["metadata"]["name"], namespace, options["wait_timeout"])
    return {**outcome(changes), "warnings": [*warnings, *apply.staying(to_go)]}


def main():
    """Run the module."""
    module = AnsibleK8SModule(argument_spec={**AUTH_ARG_SPEC, **OPTIONS}, supports_check_mode=True)
    run_module(module, lambda: converge(module))


if __name__ == "__main__":
    main()
