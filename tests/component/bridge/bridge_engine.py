"""The real Bento with the role's own configuration, on free ports of 127.0.0.1."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import time
from pathlib import Path

import requests
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from lab import processes

ROLE = Path(__file__).resolve().parents[3] / "roles" / "event_bridge"
TOKEN = "a-token-of-the-tests-0123456789abcdef"
ROUTES = ("sns", "sqs", "dispatcher")
DESTINATIONS = {
    "event_bridge_topic_arn": "arn:aws:sns:us-east-1:123456789012:ssj-topic",
    "event_bridge_queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/Gen3Queue",
}


def templar(**variables):
    """Return a templar that knows the role's variables, with these on top."""
    values = {"ansible_managed": "Managed by a test", "role_path": str(ROLE)}
    loader = DataLoader()
    loader.set_basedir(str(ROLE / "templates"))
    for file in ("defaults/main.yml", "vars/main.yml"):
        values |= loader.load_from_file(str(ROLE / file), trusted_as_template=True)
    return Templar(loader=loader, variables={**values, **DESTINATIONS, **variables})


def becomes_ready(process, status_port, patience):
    """Wait until the engine listens; False when it ends, or has not come to that in ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"http://127.0.0.1:{status_port}/ready", timeout=2).ok:
                return True
        except requests.RequestException:
            time.sleep(0.05)
    return False


def render(template="bento.yml.j2", **variables):
    """Return what the role would write with these variables."""
    return templar(**variables).template(trust_as_template((ROLE / "templates" / template).read_text()))


def token_hash(token):
    """Return the token as the bridge is given it."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def authorization(token):
    """Return the header with which MinIO shows it."""
    return "Basic " + base64.b64encode(f"minio:{token}".encode()).decode()


def environment(**variables):
    """Return the environment of the service, as its file would make it."""
    aws = {"AWS_ACCESS_KEY_ID": "AKIATESTBRIDGE000001", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}
    return {"PATH": os.environ["PATH"], "EVENT_BRIDGE_TOKEN_HASH": token_hash(TOKEN), **aws, **variables}


class Bridge:
    """One running engine in front of a sink."""

    def __init__(self, program, directory, **variables):
        self.program = program
        self.directory = directory
        self.ports = processes.free_ports(2)
        self._reads_queue = variables.get("event_bridge_source") == "queue"
        self.log_file = directory / "bento.log"
        self.configuration = directory / "bento.yml"
        self.configuration.write_text(render(
            event_bridge_address=f"127.0.0.1:{self.ports[0]}", event_bridge_metrics_address=f"127.0.0.1:{self.ports[1]}",
            event_bridge_dead_letter_directory=str(directory / "dead-letters"), **variables))
        self.process = None

    def start(self):
        """Start the engine and wait until it listens."""
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([self.program, "-c", str(self.configuration)], env=environment(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        if not becomes_ready(self.process, self.ports[1], 20):
            raise AssertionError(f"Bento did not start:\n{self.log}")
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def post(self, body, token=TOKEN, headers=None, path="/events"):
        """Post what MinIO would; a dict as JSON. Returns the response."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(f"http://127.0.0.1:{self.ports[0]}{path}", data=data, timeout=60,
                             auth=("minio", token) if token is not None else None,
                             headers={"Content-Type": "application/json", **(headers or {})})

    @property
    def peak_memory(self):
        """The most bytes that it has held."""
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    @property
    def log(self):
        return self.log_file.read_text()

    @property
    def dead_letters(self):
        """The dead letters of all days, parsed."""
        files = sorted((self.directory / "dead-letters").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    @property
    def counted(self):
        """(outcome, reason) -> number of records of others: the bridge itself sends one an hour."""
        port = self.ports[1] if self._reads_queue else self.ports[0]
        text = requests.get(f"http://127.0.0.1:{port}/metrics", auth=("minio", TOKEN), timeout=5).text
        return {(outcome, reason): float(number) for outcome, reason, number in
                re.findall(r'^event_bridge_records{[^}]*outcome="(\w+)",[^}]*reason="([^"]*)"[^}]*} (\S+)$', text, re.M)
                if outcome != "expired"}
