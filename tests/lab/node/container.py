# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One container: a local process with its files under a root of its own, restarted as the pod's policy says."""
from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab import processes
from lab.node.images import NoImage, image_of
from lab.node.references import MissingReference, References, expand
from lab.state import State

RETRY_PAUSE = 0.5
PACKAGES = Path(__file__).resolve().parents[2]
"""Where Python finds the lab."""


class Container:
    """A container of a pod: ``tick`` brings it forward, ``status`` is what the API is told of it."""

    def __init__(self, state: State, pod: Mapping[str, Any], spec: Mapping[str, Any], ports: Mapping[str, int],
                 event: Callable[[str, str], None]):
        self.name = spec["name"]
        self._state, self._pod, self._spec, self._ports, self._event = state, pod, spec, ports, event
        self._directory = state.pods / pod["metadata"]["uid"]
        self._pid_file = self._directory / f"{self.name}.pid"
        self._process: subprocess.Popen | None = None
        self._started_at = ""
        self._waiting = ("ContainerCreating", "")
        self._last_end: dict[str, Any] | None = None
        self._restarts = 0
        self._ends_in_a_row = 0
        self._running_since = 0.0
        self._next_start = 0.0
        self.ready = False
        self.end: dict[str, Any] | None = None
        """How the process ended, once it will not be started again."""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> dict[str, Any]:
        """The containerStatus of the pod's status."""
        reason, message = self._waiting
        if self.end:
            current = {"terminated": self.end}
        elif self._process is not None:
            current = {"running": {"startedAt": self._started_at}}
        else:
            current = {"waiting": {"reason": reason, "message": message}}
        return {
            "name": self.name, "image": self._spec["image"], "imageID": "", "ready": self.ready,
            "started": self._process is not None, "restartCount": self._restarts, "state": current,
            "lastState": {"terminated": self._last_end} if self._last_end else {}}

    def resume(self, restarts: int) -> None:
        """Take over from an agent that is gone, which had started the process that often before."""
        self._restarts = restarts

    def tick(self, references: References) -> None:
        """Notice the end of the process, probe its readiness, or start it when it is time to."""
        if self.end:
            return
        if self._process is None:
            if time.monotonic() >= self._next_start:
                self._start(references)
        elif self._process.poll() is not None:
            self._ended(self._process.returncode)
        elif "readinessProbe" in self._spec and time.monotonic() >= self._next_probe:
            self._probe(self._spec["readinessProbe"]["httpGet"])

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and all that it has started."""
        if self.running:
            processes.signal_group(self._process.pid, number)

    def _start(self, references: References) -> None:
        """Start the process, or note what it waits for."""
        self._next_start = time.monotonic() + RETRY_PAUSE
        try:
            root = self._mount(references)
        except MissingReference as error:
            self._event("FailedMount", f"MountVolume.SetUp failed: {error}")
            return
        try:
            image = image_of(self._spec["image"], self._state)
            environment = {**self._base_environment(root), **image.environment, **self._web_identity(references, root),
                           **references.environment(self._spec)}
            command = self._spec.get("command") or image.entrypoint
            command = [expand(word, environment) for word in (*command, *self._spec.get("args", ()))]
            log = self._state.logs / f"pod-{self._pod['metadata']['name']}.log"
            self._process = processes.start(command, self._pid_file, log, environment, root)
        except MissingReference as error:
            self._waiting = ("CreateContainerConfigError", str(error))
        except NoImage as error:
            self._waiting = ("ErrImagePull", str(error))
        except OSError as error:
            self._waiting = ("CreateContainerError", str(error))
        else:
            self._started_at = timestamp()
            self._running_since = time.monotonic()
            self._next_probe = 0.0
            self.ready = "readinessProbe" not in self._spec

    def _ended(self, code: int) -> None:
        """Note how the process ended; start it again if the pod's policy says so, later each time."""
        processes.signal_group(self._process.pid, signal.SIGKILL)  # what it has started and not ended itself
        self._process, self.ready = None, False
        end = {"exitCode": code if code >= 0 else 128 - code, "reason": "Error" if code else "Completed",
               "startedAt": self._started_at, "finishedAt": timestamp()}
        if message := self._termination_log.read_text(errors="replace")[:4096]:
            end["message"] = message
        policy = self._pod["spec"]["restartPolicy"]
        if policy == "Never" or policy == "OnFailure" and not code:
            self.end = end
            return
        first, longest = self._state.back_off
        if time.monotonic() - self._running_since > 2 * longest:  # it ran well, as a kubelet sees it
            self._ends_in_a_row = 0
        back_off = min(first * 2 ** min(self._ends_in_a_row, 30), longest)
        self._ends_in_a_row += 1
        self._restarts += 1
        self._last_end = end
        self._waiting = ("CrashLoopBackOff", f"back-off {back_off}s restarting failed container={self.name}")
        self._next_start = time.monotonic() + back_off

    def _probe(self, probe: Mapping[str, Any]) -> None:
        """Ask the process whether it is ready: often until it is, then as often as the pod says."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ports.get(str(probe["port"]), probe["port"]), timeout=1)
        try:
            connection.request("GET", probe["path"])
            self.ready = connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            self.ready = False
        finally:
            connection.close()
        period = self._spec["readinessProbe"].get("periodSeconds", 10) if self.ready else 0
        self._next_probe = time.monotonic() + period

    def _mount(self, references: References) -> Path:
        """Write the volumes' present content below a new root and return that."""
        root = self._directory / self.name
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(mode=0o700, parents=True)
        volumes = {volume["name"]: volume for volume in self._pod["spec"].get("volumes", ())}
        self._termination_log = root / "dev" / "termination-log"
        self._termination_log.parent.mkdir()
        self._termination_log.touch()
        for mount in self._spec.get("volumeMounts", ()):
            volume = volumes[mount["name"]]
            target = root / mount["mountPath"].lstrip("/")
            sub_path = mount.get("subPath")
            if "persistentVolumeClaim" in volume:
                kept = self._state.volumes / references.claim(volume["persistentVolumeClaim"]["claimName"]) / (sub_path or "")
                kept.mkdir(parents=True, exist_ok=True)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(kept)
                continue
            files = references.volume(volume)
            if sub_path in files:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files[sub_path])
                continue
            target.mkdir(parents=True, exist_ok=True)
            if sub_path is None:
                for name, content in files.items():
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    (target / name).write_bytes(content)
        return root

    @staticmethod
    def _web_identity(references: References, root: Path) -> dict[str, str]:
        """Give the container AWS access by its service account, as EKS does."""
        identity = references.web_identity()
        if identity is None:
            return {}
        role, token = identity
        file = root / "var/run/secrets/eks.amazonaws.com/serviceaccount/token"
        file.parent.mkdir(parents=True)
        file.write_text(token)
        return {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(file)}

    def _base_environment(self, root: Path) -> dict[str, str]:
        """Return what every container gets: the API's address, the network's proxy, and where its root is."""
        settings = self._state.settings
        # The namespace is the proxy's login: by it short names of services are those of the pod's own namespace.
        proxy = self._state.url("network").replace("://", f"://{self._pod['metadata']['namespace']}:pod@")
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(root), "LANG": "C.UTF-8",
            "PYTHONPATH": str(PACKAGES), "PYTHONDONTWRITEBYTECODE": "1",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(settings["ports"]["kube-apiserver"]),
            **{name: proxy for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")},
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
            "AWS_CA_BUNDLE": str(self._state.authority.certificate_file), "AWS_EC2_METADATA_DISABLED": "true",
            "LAB_ROOT": str(root), "LAB_PORTS": json.dumps(self._ports),
            **({"LAB_PORT": str(next(iter(self._ports.values())))} if self._ports else {}),
            "LAB_DISPATCHER_POLL": str(settings["dispatcher_poll"]),
            # Programs that look for a file of the container at a fixed place take another from these.
            "CRED_FILE": str(root / "credentials.json"), "TERMINATION_LOG": str(self._termination_log),
            "SERVICE_ACCOUNT_DIRECTORY": str(root / "var/run/secrets/kubernetes.io/serviceaccount")}


def timestamp() -> str:
    """Return the present time in the API's form."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
