# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real MinIO server: how the lab runs it. Its notification targets post to the node port ``minio-events``."""
from __future__ import annotations

import base64
import shutil
from pathlib import Path

from lab.state import State

ROOT_USER = "lab-root"
TARGET = "webhook/GEN3"
SYSTEM = ".minio.sys"


def prepare(state: State) -> None:
    """Let the server trust the lab's authority, which has signed the certificate of whoever takes its events."""
    authorities = _directory(state) / "certs" / "CAs"
    authorities.mkdir(parents=True, exist_ok=True)
    shutil.copy(state.authority.certificate_file, authorities)


def command(state: State, program: Path) -> list[str]:
    """Return the command line."""
    ports = state.settings["ports"]
    return [str(program), "server", "--quiet", f"--address=127.0.0.1:{ports['minio']}",
            f"--console-address=127.0.0.1:{ports['minio-console']}", f"--certs-dir={_directory(state) / 'certs'}",
            str(_directory(state) / "data")]


def environment(state: State) -> dict[str, str]:
    """Return the environment: root credentials, region, and the targets, whose events wait on disk while nobody listens."""
    settings = state.settings
    return {
        "MINIO_ROOT_USER": ROOT_USER, "MINIO_ROOT_PASSWORD": settings["secret_key"], "MINIO_SITE_REGION": "us-east-1",
        "MINIO_API_SYNC_EVENTS": "on",
        **{f"MINIO_NOTIFY_WEBHOOK_{key}_{target}": value for target in settings["minio_targets"] for key, value in (
            ("ENABLE", "on"), ("ENDPOINT", events_url(state)), ("AUTH_TOKEN", authorization(state)), ("QUEUE_LIMIT", "1000000"),
            ("QUEUE_DIR", str(_directory(state) / "events")))}}


def authorization(state: State) -> str:
    """Return the header with which the targets show the bridge's token."""
    return "Basic " + base64.b64encode(f"minio:{state.settings['bridge_token']}".encode()).decode()


def events_url(state: State) -> str:
    """Return the address to which the targets post."""
    return f"https://127.0.0.1:{state.settings['ports']['minio-events']}/events"


def waiting_events(state: State) -> list[Path]:
    """Return the files of the events that wait for the receiver."""
    return list((_directory(state) / "events").rglob("*.event"))


def is_used(state: State) -> bool:
    """Return whether the server holds what a new one does not: a bucket, a user, a policy, an event."""
    data = _directory(state) / "data"
    buckets = {entry.name for entry in data.iterdir()} - {SYSTEM}
    access = {entry.name for entry in (data / SYSTEM / "config" / "iam").iterdir()} - {"format.json"}
    return bool(buckets or access or waiting_events(state))


def clear(state: State) -> None:
    """Remove what the server has kept."""
    shutil.rmtree(_directory(state), ignore_errors=True)


def _directory(state: State) -> Path:
    return state.directory / "minio"
