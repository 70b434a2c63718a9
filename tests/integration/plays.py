"""Runs of the playbooks against the lab, with their results task by task."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SITE, VERIFY, REINDEX, TEARDOWN = "site.yml", "playbooks/verify.yml", "playbooks/reindex.yml", "playbooks/teardown.yml"
RUN_ID = "UPLOADS_TEST_RUN"
"""Environment variable that tells which run of ansible-playbook a process belongs to."""
OPERATOR = {"ANSIBLE_LOCALHOST_WARNING": "false", "AWS_PROFILE": None, "AWS_SESSION_TOKEN": None,
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent"}
"""What keeps the developer's own settings out of the tests."""
CONFIRM = {"uploads_teardown_confirm": "ssj-topic"}


@dataclass
class Play:
    """A finished run: exit code, everything it printed, and (task name, result) in order."""

    code: int
    output: str
    results: list[tuple[str, dict[str, Any]]]

    @property
    def changed(self) -> list[str]:
        """Names of the tasks that changed something, or in check mode would."""
        return [name for name, result in self.results if result.get("changed")]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The changes that our modules made, or in check mode would make, in order; plans are not counted again."""
        return [change for _, result in self.results if result.get("changed") for change in result.get("changes") or []]

    @property
    def message(self) -> str:
        """The message of the task that failed; empty when none did."""
        failed = [result for _, result in self.results if result.get("failed")]
        return " ".join(str(failed[0]["msg"]).split()) if failed else ""


def start(lab, playbook: str, *arguments: str, variables: Mapping[str, Any] | None = None,
          environment: Mapping[str, str | None] | None = None, inventory: str = "inventories/lab/hosts.yml") -> subprocess.Popen:
    """Start ansible-playbook; an environment variable that is None is unset."""
    merged = {**os.environ, **lab.environment(), **OPERATOR, RUN_ID: uuid.uuid4().hex, **(environment or {})}
    extra = ["-e", json.dumps(variables)] if variables else []
    return subprocess.Popen(
        ["ansible-playbook", "-i", inventory, playbook, *arguments, *extra], cwd=ROOT, text=True,
        env={name: value for name, value in merged.items() if value is not None},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def run(lab, playbook: str, *arguments: str, **options: Any) -> Play:
    """Run a playbook to its end, however it ends."""
    environment = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", **(options.pop("environment", None) or {})}
    process = start(lab, playbook, *arguments, environment=environment, **options)
    output, _ = process.communicate(timeout=300)
    return Play(process.returncode, output, list(results(output)))


def succeed(lab, playbook: str, *arguments: str, **options: Any) -> Play:
    """Run a playbook that must succeed."""
    play = run(lab, playbook, *arguments, **options)
    assert play.code == 0, play.output
    return play


def kill(process: subprocess.Popen) -> int:
    """End ansible-playbook and all that it has started, at once; return how many processes that were.

    Ansible puts each worker, and so each module, into a process group of its own: only the environment tells whose they are.
    """
    run_id = next((entry for entry in environ(process.pid) if entry.startswith(f"{RUN_ID}=".encode())), b"it has ended")
    killed: set[int] = set()
    while members := {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if run_id in environ(pid)}:
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= members
        process.poll()
    process.communicate()
    return len(killed)


def environ(pid: int) -> list[bytes]:
    """Return the environment that a process was started with; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def results(output: str):
    """Yield (task name, result) from the JSON that the callback prints at the end."""
    begin = output.find('{\n    "custom_stats"')
    if begin < 0:
        return
    document, _ = json.JSONDecoder().raw_decode(output[begin:])
    for play in document["plays"]:
        for task in play["tasks"]:
            for result in task["hosts"].values():
                yield task["task"]["name"], result


def steps(play: Play) -> dict[str, dict[str, Any]]:
    """The steps of a run of verify.yml in order, as name -> step."""
    return {step["name"]: step for _, result in play.results for step in (result.get("probe") or {}).get("steps", [])}


def counts_of_reindex(play: Play) -> tuple[int, dict[str, int]]:
    """How many batches a run of reindex.yml had, and their counts added up."""
    result = next(result for name, result in play.results if name.startswith("Send what is stuck"))
    counts = [batch["counts"] for batch in result["results"]]
    return len(counts), {key: sum(each[key] for each in counts) for key in counts[0]}
