"""The Role in docs/operator-role.yaml is enough for all three playbooks."""

from __future__ import annotations

import json

import yaml
from plays import CONFIRM, ROOT, SITE, TEARDOWN, VERIFY, succeed

OPERATOR = {"kind": "ServiceAccount", "name": "operator", "namespace": "default"}


def test_the_documented_role_is_enough(clean_lab, tmp_path):
    kube = clean_lab.kube
    role = yaml.safe_load((ROOT / "docs" / "operator-role.yaml").read_text())
    kube.create(role)
    kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}})
    kube.create({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "operator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"]},
        "subjects": [OPERATOR],
    })
    token = kube.request("POST", "api/v1/namespaces/default/serviceaccounts/operator/token", {"spec": {}})["status"]["token"]
    kubeconfig = json.loads(clean_lab.state.kubeconfig("lab-admin").read_text())
    kubeconfig["users"][0]["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(kubeconfig))

    operator = {"KUBECONFIG": str(file), "K8S_AUTH_KUBECONFIG": str(file)}
    succeed(clean_lab, SITE, "--check", environment=operator)
    succeed(clean_lab, SITE, environment=operator)
    succeed(clean_lab, VERIFY, environment=operator)
    succeed(clean_lab, TEARDOWN, environment=operator, variables=CONFIRM)
