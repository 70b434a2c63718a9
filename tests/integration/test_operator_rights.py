"""The Role in docs/operator-role.yaml is enough for all three playbooks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
OPERATOR = {"kind": "ServiceAccount", "name": "operator", "namespace": "default"}


def test_the_documented_role_is_enough(clean_lab, uploads_variables, tmp_path):
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
    environment = clean_lab.environment()
    kubeconfig = json.loads(Path(environment["K8S_AUTH_KUBECONFIG"]).read_text())
    kubeconfig["users"][0]["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(kubeconfig))

    for playbook, *arguments in (
        ("site.yml", "--check"), ("site.yml",), ("playbooks/verify.yml",),
        ("playbooks/teardown.yml", "-e", "uploads_teardown_confirm=ssj-topic"),
    ):
        process = subprocess.run(
            ["ansible-playbook", playbook, "-e", f"@{uploads_variables}", *arguments], cwd=ROOT, text=True, check=False,
            env={**os.environ, **environment, "KUBECONFIG": str(file), "K8S_AUTH_KUBECONFIG": str(file)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.returncode == 0, f"{playbook}: {process.stdout}"
