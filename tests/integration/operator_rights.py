"""An operator who has the documented Roles and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from plays import ROOT

USER = "system:serviceaccount:default:operator"
"""Who that is in the API server's audit log."""


def kubeconfig(lab, directory: Path, *roles: str) -> dict[str, str]:
    """Make the operator's account with these Roles of docs/; return the environment with its kubeconfig."""
    kube = lab.kube
    kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}})
    for name in roles:
        role = yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text())
        kube.create(role)
        kube.create({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": "default"}],
        })
    token = kube.request("POST", "api/v1/namespaces/default/serviceaccounts/operator/token", {"spec": {}})["status"]["token"]
    document = json.loads(lab.state.kubeconfig("lab-admin").read_text())
    document["users"][0]["user"] = {"token": token}
    file = directory / "kubeconfig"
    file.write_text(json.dumps(document))
    return {"KUBECONFIG": str(file), "K8S_AUTH_KUBECONFIG": str(file)}
