# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: started, stopped, brought back to its first state."""
from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import ClientError

from lab import control_plane, minio, processes, seed
from lab.faults import OPERATOR_KEY
from lab.parts import NODE_PORTS, PARTS, PORTS, Parts
from lab.state import State
from lab.testing import BUCKET, REGION, Testing


class Lab(Testing):
    """A lab in a state directory; ``report`` is called with lines of progress.

    With MinIO if ``minio_targets`` names webhook targets for it, and with the Secret that gen3-helm makes from its default values, unless
    ``chart_secret`` is false: where External Secrets are on there is none.
    """

    def __init__(self, directory: Path | str, report: Callable[[str], None] = lambda line: None, minio_targets: Sequence[str] = (),
                 chart_secret: bool = True):
        super().__init__(State(Path(directory).resolve()))
        self._minio_targets, self._chart_secret = list(minio_targets), chart_secret
        self._parts = Parts(self.state)
        self._report = report

    def up(self) -> None:
        """Start what does not run; a lab of which nothing runs starts from its first state."""
        self.state.directory.mkdir(parents=True, exist_ok=True)
        with open(self.state.directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            complete = self.state.passwords_file.exists()  # the last thing that a first start writes
            fresh = not complete or not any(self._parts.running(part) for part in PARTS)
            if fresh:
                self._parts.stop()  # what an interrupted start, or a killed agent, has left
                self._prepare()
            self._parts.start(self._report)
            self._fill(cluster=fresh)

    def down(self) -> None:
        """Stop everything; logs and data stay until the next start."""
        self._parts.stop()

    def status(self) -> list[dict[str, Any]]:
        """Return name, process id, port and health of each part."""
        ports = self.state.settings["ports"] if self.state.prepared else {}
        return [{"part": part, "pid": self._parts.running(part), "port": ports.get(part),
                 "healthy": self._parts.healthy(part)} for part in (self._parts.names if self.state.prepared else PARTS)]

    def environment(self) -> dict[str, str]:
        """Return the variables with which an operator's tools reach the lab."""
        settings = self.state.settings
        kubeconfig = str(self.state.kubeconfig("lab-admin"))
        with_minio = {
            "LAB_MINIO_URL": self.state.url("minio"), "LAB_MINIO_ROOT_USER": minio.ROOT_USER,
            "LAB_MINIO_ROOT_PASSWORD": settings["secret_key"], "LAB_BRIDGE_TOKEN": settings["bridge_token"],
            "LAB_BRIDGE_NODE_PORT": str(settings["ports"]["minio-events"]), "LAB_INDEXER_SECRET": settings["indexer_secret"]}
        return {
            **(with_minio if settings["minio_targets"] else {}),
            "AWS_ENDPOINT_URL": self.state.url("aws"), "AWS_ACCESS_KEY_ID": OPERATOR_KEY,
            "AWS_SECRET_ACCESS_KEY": settings["secret_key"], "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true", "KUBECONFIG": kubeconfig, "K8S_AUTH_KUBECONFIG": kubeconfig,
            "LAB_STATE": str(self.state.directory), "LAB_CA": str(self.state.authority.certificate_file),
            "LAB_PROXY": self.state.url("network"),
            "UPLOADS_INDEXD_URL": settings["indexd_url"], "UPLOADS_METADATA_URL": settings["mds_url"]}

    def reset(self) -> None:
        """Bring cluster, account, records and MinIO back to their first state; at most MinIO is started anew."""
        for file in (self.state.faults_file, self.state.back_off_file):
            file.unlink(missing_ok=True)
        seed.empty(self.kube)
        self.wait_for(lambda: not any(self.state.pods.iterdir()), what="the end of all pods")
        requests.post(f"{self.state.url('aws')}/moto-api/reset", timeout=10).raise_for_status()
        if self.state.settings["indexd_url"] == self.state.url("gen3"):
            requests.post(f"{self.state.url('gen3')}/lab-reset", timeout=10).raise_for_status()
        if self.state.settings["minio_targets"]:
            self.reset_minio()
        for volume in self.state.volumes.iterdir():
            shutil.rmtree(volume)
        self._fill(cluster=True)

    def reset_minio(self) -> None:
        """Let MinIO start anew with nothing in it, unless there is nothing in it."""
        if minio.is_used(self.state):
            self._parts.restart_minio(self._report, keep=False)

    def restart_minio(self, targets: Sequence[str]) -> None:
        """Let MinIO start anew with what it holds and with these webhook targets."""
        self.state.settings = {**self.state.settings, "minio_targets": list(targets)}
        self._parts.restart_minio(self._report, keep=True)

    def part_process(self, part: str) -> int | None:
        """Return the process id of a part, None when it does not run."""
        return self._parts.running(part)

    def _prepare(self) -> None:
        """Make the state directory that of a lab that has never run."""
        ports = self._choose_ports()
        self.state.clear()
        minio.clear(self.state)
        own = f"http://127.0.0.1:{ports['gen3']}"
        self.state.settings = {
            "ports": ports, "minio_targets": self._minio_targets, "chart_secret": self._chart_secret,
            "secret_key": base64.b64encode(secrets.token_bytes(30)).decode(),
            "bridge_token": secrets.token_hex(32), "indexer_secret": secrets.token_hex(20),
            "indexd_url": os.environ.get("LAB_INDEXD_URL", own).rstrip("/"),
            "mds_url": os.environ.get("LAB_MDS_URL", own).rstrip("/"),
            "dispatcher_command": os.environ.get("LAB_DISPATCHER_CMD"),
            "dispatcher_port": int(os.environ.get("LAB_DISPATCHER_PORT", 0)),
            "dispatcher_poll": float(os.environ.get("LAB_DISPATCHER_POLL", 0.1)),
            "indexer_command": os.environ.get("LAB_INDEXER_CMD"),
            "guid_prefix": os.environ.get("LAB_GUID_PREFIX", "PREFIX/"),
            "record_cost": float(os.environ.get("LAB_RECORD_COST", 0.0045))}
        control_plane.prepare(self.state.kubernetes, ports["kube-apiserver"], ports["gateway"], self.state.authority)

    def _choose_ports(self) -> dict[str, int]:
        """Return free ports; those of the last time if all are, so that a shell's `lab env` stays right."""
        if self.state.prepared:
            ports = self.state.settings["ports"]
            if set(ports) == set(PORTS) and ports["minio-events"] in NODE_PORTS and all(map(processes.port_is_free, ports.values())):
                return ports
        return {**dict(zip(PORTS, processes.free_ports(len(PORTS)))), "minio-events": processes.free_ports(1, NODE_PORTS)[0]}

    def _fill(self, cluster: bool) -> None:
        """Make what the operator finds: always the bucket, which a restarted moto has forgotten, maybe the cluster."""
        with contextlib.suppress(ClientError):  # it is there
            self.boto3("s3").create_bucket(Bucket=BUCKET)
        if cluster:
            passwords = seed.passwords(os.environ.get("LAB_PASSWORDS"))
            seed.fill(self.kube, passwords, bool(self.state.settings["dispatcher_port"]), self.state.settings["chart_secret"])
            if self.state.settings["minio_targets"]:
                self.kube.apply(seed.tls_secret("event-bridge-tls", *self.state.authority.server_certificate("event-bridge", "127.0.0.1")))
            control_plane.write_private(self.state.passwords_file, json.dumps(passwords))
