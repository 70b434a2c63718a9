"""The Role in docs/operator-role.yaml is enough for all three playbooks; test_minio_routes.py has that for MinIO."""

from __future__ import annotations

from operator_rights import kubeconfig
from plays import CONFIRM, SITE, TEARDOWN, VERIFY, succeed


def test_the_documented_role_is_enough(clean_lab, tmp_path):
    operator = kubeconfig(clean_lab, tmp_path, "operator-role")
    succeed(clean_lab, SITE, "--check", environment=operator)
    succeed(clean_lab, SITE, environment=operator)
    succeed(clean_lab, VERIFY, environment=operator)
    succeed(clean_lab, TEARDOWN, environment=operator, variables=CONFIRM)
