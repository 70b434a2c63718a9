"""The real bridge at the address to which the lab's MinIO posts, as a process of its own: killed, it is back at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from lab import processes, programs
from lab.lab import Lab
from component.bridge.bridge_engine import becomes_ready, environment, render, token_hash

TESTS = Path(__file__).resolve().parents[1]
STARTUP = 60


class BridgeProcess:
    """Bento with the configuration of the role's pod, its container's paths below ``directory``."""

    def __init__(self, lab: Lab, directory: Path, **variables):
        self._status_port, = processes.free_ports(1)
        ports = {"4199": lab.state.settings["ports"]["minio-events"], "4195": self._status_port}
        self._environment = environment(EVENT_BRIDGE_TOKEN_HASH=token_hash(lab.state.settings["bridge_token"]), PYTHONPATH=str(TESTS),
                                        LAB_ROOT=str(directory), LAB_PORTS=json.dumps(ports))
        self._program = programs.ensure(print, "go-bento")["bento"]
        self._log_file = directory / "bento.log"
        self._dead_letters = directory / "var" / "lib" / "event-bridge" / "dead-letters"
        configuration, tls = directory / "etc" / "event-bridge", directory / "etc" / "event-bridge-tls"
        for each in (configuration, tls):
            each.mkdir(parents=True)
        (configuration / "bento.yml").write_text(render(
            event_bridge_location="cluster", event_bridge_tls_secret="event-bridge-tls", **variables))
        for file, name in zip(lab.state.authority.server_certificate("event-bridge", "127.0.0.1"), ("tls.crt", "tls.key")):
            shutil.copy(file, tls / name)
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> BridgeProcess:
        self.start()
        return self

    def __exit__(self, *_exception) -> None:
        self.kill()

    @property
    def dead_letters(self) -> list[str]:
        """What it has put aside, as it has written it."""
        return [line for file in self._dead_letters.glob("*.jsonl") for line in file.read_text().splitlines()]

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with open(self._log_file, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lab.bridge", str(self._program), "-c", "/etc/event-bridge/bento.yml"],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        if not becomes_ready(self._process, self._status_port, STARTUP):
            self.kill()
            raise AssertionError(f"the bridge did not start:\n{self._log_file.read_text()[-2000:]}")

    def kill(self) -> None:
        """Kill it (-9)."""
        self._process.kill()
        self._process.wait()
