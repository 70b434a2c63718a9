# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests do with a running lab: upload, follow, count calls, let calls fail."""
from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import requests

from lab.faults import OPERATOR_KEY, THROTTLED, UNAVAILABLE
from lab.kube import Kube
from lab.minio import ROOT_USER
from lab.state import State

BUCKET = "gen3-bucket"
REGION = "us-east-1"
TESTER_KEY = "AKIALABTESTER0000001"
KUBERNETES_WRITES = ("create", "update", "patch", "delete", "deletecollection")
Result = TypeVar("Result")


@dataclass
class Calls:
    """API calls made while a test looked: entries of the AWS log (see lab.aws.identify) and audit events."""

    aws: list[dict[str, Any]] = field(default_factory=list)
    kubernetes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """The calls that were to change something; reviews of one's own rights and dry runs are none."""
        aws = [f"{call['service']} {call['action']}" for call in self.aws if call["write"]]
        kubernetes = [f"{event['verb']} {event['requestURI']}" for event in self.kubernetes
                      if event["verb"] in KUBERNETES_WRITES and "dryRun=" not in event["requestURI"]
                      and "/authorization.k8s.io/" not in event["requestURI"]]
        return aws + kubernetes


class Testing:
    """The side of a lab that tests see."""

    def __init__(self, state: State):
        self.state = state

    @property
    def kube(self) -> Kube:
        """A client of the API server; in the audit log its user is ``lab-test``."""
        return self.state.kube("lab-test")

    def boto3(self, service: str, region: str = REGION) -> Any:
        """Return a client of the account; its access key is not the operator's, so the log tells them apart."""
        return boto3.client(service, region_name=region, endpoint_url=self.state.url("aws"),
                            aws_access_key_id=TESTER_KEY, aws_secret_access_key=self.state.settings["secret_key"])

    @property
    def minio_login(self) -> dict[str, str]:
        """Where MinIO is and its root user, as options of the modules."""
        return {"url": self.state.url("minio"), "access_key": ROOT_USER, "secret_key": self.state.settings["secret_key"]}

    def minio_s3(self, **options: Any) -> Any:
        """Return a client of MinIO's root user for objects."""
        login = self.minio_login
        return boto3.client("s3", endpoint_url=login["url"], region_name=REGION, aws_access_key_id=login["access_key"],
                            aws_secret_access_key=login["secret_key"], **options)

    def upload(self, name: str = "sample.txt", body: bytes = b"sample", bucket: str = BUCKET, s3: Any = None) -> str:
        """Do what fence and its client do: make a blank record and put the object under its GUID; returns that."""
        guid = self.new_record(name)
        (s3 or self.boto3("s3")).put_object(Bucket=bucket, Key=f"{guid}/{name}", Body=body)
        return guid

    def new_record(self, name: str = "sample.txt") -> str:
        """Make a blank record in indexd and an object in the metadata service; returns the GUID."""
        settings, passwords = self.state.settings, self.state.passwords()
        answer = requests.post(f"{settings['indexd_url']}/index/blank/", json={"uploader": "lab", "file_name": name},
                               auth=("fence", passwords["indexd"]["fence"]), timeout=10)
        answer.raise_for_status()
        guid = answer.json()["did"]
        requests.post(f"{settings['mds_url']}/metadata/{guid}", json={"_uploader_id": "lab"}, timeout=10,
                      auth=("gateway", passwords["metadata"]["gateway"])).raise_for_status()
        return guid

    def record(self, guid: str) -> dict[str, Any]:
        """Return indexd's record, and as its ``upload_status`` what the metadata service says."""
        settings = self.state.settings
        record = requests.get(f"{settings['indexd_url']}/index/{guid}", timeout=10)
        record.raise_for_status()
        metadata = requests.get(f"{settings['mds_url']}/metadata/{guid}", timeout=10)
        return {**record.json(), "upload_status": metadata.json().get("_upload_status")}

    def wait_until_ready(self, guid: str, timeout: float = 60) -> dict[str, Any]:
        """Wait until an upload has its size and hashes and counts as uploaded; returns its record."""
        def ready() -> dict[str, Any] | None:
            record = self.record(guid)
            return record if record["size"] is not None and record["upload_status"] == "uploaded" else None
        return self.wait_for(ready, timeout, f"the indexing of {guid}")

    @staticmethod
    def wait_for(condition: Callable[[], Result], timeout: float = 30, what: str = "the condition") -> Result:
        """Call ``condition`` until it returns something true, and return that; TimeoutError after ``timeout`` s."""
        deadline = time.monotonic() + timeout
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not happen within {timeout} s")
            time.sleep(0.05)
        return result

    @contextlib.contextmanager
    def calls(self, user: str = "lab-admin", access_key: str = OPERATOR_KEY) -> Iterator[Calls]:
        """Collect the API calls that the operator (or another user) makes inside the block; filled at its end."""
        calls = Calls()
        files = (self.state.aws_log, self.state.audit_log)
        starts = [file.stat().st_size for file in files]
        yield calls
        self._flush_audit_log()
        aws, kubernetes = (_json_lines(file, start) for file, start in zip(files, starts))
        calls.aws += [call for call in aws if call["access_key"] == access_key]
        calls.kubernetes += [event for event in kubernetes if event["user"]["username"] == user]

    @contextlib.contextmanager
    def faults(self, aws: float = 0, kubernetes: float = 0, kinds: tuple[str, ...] = (THROTTLED, UNAVAILABLE),
               seed: int = 0) -> Iterator[str]:
        """Let these shares of the operator's calls fail inside the block, by a sequence that ``seed`` determines.

        Yields the kubeconfig to use: Kubernetes calls fail only at the gateway, which that one leads to.
        """
        rates = {"aws": aws, "kubernetes": kubernetes}
        self.state.faults_file.write_text(json.dumps(
            {api: {"rate": rate, "kinds": kinds, "seed": seed} for api, rate in rates.items() if rate}))
        try:
            yield str(self.state.kubeconfig("faulty"))
        finally:
            self.state.faults_file.unlink()

    @contextlib.contextmanager
    def back_off(self, first: float, longest: float) -> Iterator[None]:
        """Let containers that end wait so many seconds at first and at most inside the block, in place of a kubelet's."""
        self.state.back_off_file.write_text(json.dumps([first, longest]))
        try:
            yield
        finally:
            self.state.back_off_file.unlink(missing_ok=True)

    def _flush_audit_log(self) -> None:
        """Wait until the audit log holds all calls made so far: until it holds one that is made now."""
        marker = f"marker-{uuid.uuid4()}"
        start = self.state.audit_log.stat().st_size
        self.kube.get("ConfigMap", marker)
        self.wait_for(lambda: any(marker in event["requestURI"] for event in _json_lines(self.state.audit_log, start)),
                      what="the audit log's next entry")


def _json_lines(file: Path, start: int) -> Iterator[dict[str, Any]]:
    """Yield the entries of a log from byte ``start`` on; an unfinished last line is left for the next time."""
    with open(file, "rb") as log:
        log.seek(start)
        for line in log:
            if line.endswith(b"\n"):
                yield json.loads(line)
