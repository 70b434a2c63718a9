# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's state directory: where everything is, and the settings that all parts share."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from lab.certificates import Authority
from lab.kube import Kube


KUBELET_BACK_OFF = 10, 300


class State:
    """A state directory; its settings are written once by ``up`` and read by every part.

    Settings: ``ports`` (part -> number; ``minio-events`` is the bridge's node port), ``minio_targets`` (ids; MinIO is a
    part if there are any), ``secret_key`` (of every user of AWS and of MinIO's root), ``bridge_token`` (MinIO shows it to
    the bridge), ``indexer_secret`` (for the MinIO user with which Jobs read), ``indexd_url``, ``mds_url`` (base addresses),
    ``dispatcher_command`` and ``dispatcher_port`` (of a program that replaces the stand-in, or null and 0),
    ``dispatcher_poll`` (seconds), ``indexer_command`` (of a program that replaces the stand-in for indexs3client, or null),
    ``guid_prefix`` (indexd's DEFAULT_PREFIX), ``record_cost`` (seconds that indexd takes for a record in a bulk read).
    """

    def __init__(self, directory: Path):
        self.directory = directory
        self._settings_file = directory / "settings.json"
        self.kubernetes = directory / "kubernetes"
        self.logs = directory / "log"
        self.pods = directory / "pods"
        self.volumes = directory / "volumes"
        self.pids = directory / "pid"
        self.tls = directory / "tls"
        self.faults_file = directory / "faults.json"
        self.aws_log = self.logs / "aws-calls.jsonl"
        self.audit_log = self.kubernetes / "audit.log"
        self.back_off_file = directory / "back-off.json"
        self.passwords_file = directory / "passwords.json"
        self.heartbeat_file = directory / "node-heartbeat"
        self.bento_file = directory / "bento"

    def clear(self) -> None:
        """Remove what an earlier lab has left, except its settings."""
        for file in (self.passwords_file, self.bento_file, self.back_off_file):
            file.unlink(missing_ok=True)
        for directory in (self.logs, self.pods, self.volumes, self.pids, self.kubernetes, self.tls):
            shutil.rmtree(directory, ignore_errors=True)
        for directory in (self.logs, self.pods, self.volumes, self.pids):
            directory.mkdir(parents=True)
        self.aws_log.touch()

    @property
    def prepared(self) -> bool:
        """Whether ``up`` has ever got as far as the settings."""
        return self._settings_file.exists()

    @property
    def settings(self) -> dict[str, Any]:
        return json.loads(self._settings_file.read_text())

    @settings.setter
    def settings(self, value: dict[str, Any]) -> None:
        self._settings_file.write_text(json.dumps(value, indent=1))

    @property
    def authority(self) -> Authority:
        return Authority(self.tls)

    def url(self, part: str) -> str:
        """Return the address of a part of the lab, without a slash at its end."""
        scheme = "https" if part.startswith("kube-") else "http"
        return f"{scheme}://127.0.0.1:{self.settings['ports'][part]}"

    def kubeconfig(self, user: str) -> Path:
        """Return the kubeconfig of one of control_plane.USERS, or of ``faulty`` (lab-admin, by way of the gateway)."""
        return self.kubernetes / f"{user}.kubeconfig"

    def kube(self, user: str) -> Kube:
        """Return a client that acts as one of control_plane.USERS."""
        config = json.loads(self.kubeconfig(user).read_text())
        cluster = config["clusters"][0]["cluster"]
        return Kube(cluster["server"], config["users"][0]["user"]["token"], cluster["certificate-authority"])

    @property
    def back_off(self) -> tuple[float, float]:
        """Seconds for which a container that ended waits at first and at most; those of a kubelet, unless a test set others."""
        try:
            first, longest = json.loads(self.back_off_file.read_text())
        except FileNotFoundError:
            return KUBELET_BACK_OFF
        return first, longest

    def passwords(self) -> dict[str, dict[str, str]]:
        """Return service -> user -> password, as the cluster's Secrets and the stand-ins have them."""
        return json.loads(self.passwords_file.read_text())
