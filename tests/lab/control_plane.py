# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Kubernetes control plane: how etcd, kube-apiserver and kube-controller-manager are configured."""
from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from lab.certificates import Authority

USERS = {
    "lab-admin": "the operator: who runs the playbooks",
    "lab-test": "tests and the lab's own seeding",
    "lab-node": "the node agent",
    "lab-controller-manager": "kube-controller-manager",
}
"""Cluster administrators, one a purpose, so that the audit log tells whose call each one was."""

TOKENS = "service-accounts"
"""Whose key signs the tokens of service accounts."""

CONTROLLERS = (
    "deployment-controller", "replicaset-controller", "job-controller", "cronjob-controller", "namespace-controller",
    "garbage-collector-controller", "ttl-after-finished-controller", "serviceaccount-controller",
    "root-ca-certificate-publisher-controller", "clusterrole-aggregation-controller",
    "persistentvolumeclaim-protection-controller")
"""What a Deployment, a Job, their pods, accounts and claims and the ClusterRole ``admin`` need."""

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": ["lab-node", "lab-controller-manager", "system:apiserver", "system:anonymous"]},
        {"level": "Metadata"}]}


def prepare(directory: Path, api_port: int, gateway_port: int, authority: Authority) -> None:
    """Write the keys, tokens, kubeconfigs and the audit policy into an empty directory."""
    directory.mkdir(parents=True)
    authority.server_certificate(TOKENS)
    tokens = {user: secrets.token_urlsafe(32) for user in USERS}
    lines = [f'{token},{user},{user},"system:masters"' for user, token in tokens.items()]
    write_private(directory / "tokens.csv", "\n".join(lines) + "\n")
    for user, token in tokens.items():
        write_private(directory / f"{user}.kubeconfig", _kubeconfig(user, token, api_port, authority))
    faulty = _kubeconfig("lab-admin", tokens["lab-admin"], gateway_port, authority)
    write_private(directory / "faulty.kubeconfig", faulty)
    (directory / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY))


def commands(directory: Path, programs: Mapping[str, Path], ports: Mapping[str, int],
             authority: Authority) -> dict[str, list[str]]:
    """Return name -> command line of the three programs, in the order of their start."""
    certificate, key = authority.server_certificate("127.0.0.1", "localhost", "kubernetes.default.svc")
    _, tokens_key = authority.server_certificate(TOKENS)
    etcd_url, peer_url = (f"http://127.0.0.1:{ports[name]}" for name in ("etcd", "etcd-peer"))
    return {
        "etcd": [
            str(programs["etcd"]), f"--data-dir={directory / 'etcd'}", "--name=lab", "--unsafe-no-fsync",
            f"--listen-client-urls={etcd_url}", f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls={peer_url}", f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=lab={peer_url}", "--log-level=warn"],
        "kube-apiserver": [
            str(programs["kube-apiserver"]), f"--etcd-servers={etcd_url}", "--bind-address=127.0.0.1",
            f"--secure-port={ports['kube-apiserver']}", f"--cert-dir={directory}",
            # Both because loopback is no address a Service may point to: a documentation address, never used.
            "--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none",
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--token-auth-file={directory / 'tokens.csv'}", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={tokens_key}", f"--service-account-signing-key-file={tokens_key}",
            f"--audit-policy-file={directory / 'audit-policy.json'}", f"--audit-log-path={directory / 'audit.log'}"],
        "kube-controller-manager": [
            str(programs["kube-controller-manager"]), "--bind-address=127.0.0.1", "--leader-elect=false",
            f"--secure-port={ports['kube-controller-manager']}",
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--kubeconfig={directory / 'lab-controller-manager.kubeconfig'}",
            f"--root-ca-file={authority.certificate_file}",
            f"--controllers={','.join(CONTROLLERS)}", "--kube-api-qps=200", "--kube-api-burst=400"],
    }


def _kubeconfig(user: str, token: str, port: int, authority: Authority) -> str:
    """Return a kubeconfig as JSON, which is YAML too."""
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {
            "server": f"https://127.0.0.1:{port}", "certificate-authority": str(authority.certificate_file)}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user, "namespace": "default"}}]}, indent=1)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    file.touch(mode=0o600)
    file.write_text(text)
