# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real MinIO server: how the lab runs it. Its one notification target posts to the port ``minio-events``."""
from __future__ import annotations

import shutil
from pathlib import Path

from lab.state import State

ROOT_USER = "lab-root"
TARGET = "webhook/GEN3"


def command(state: State, program: Path) -> list[str]:
    """Return the command line."""
    ports = state.settings["ports"]
    return [str(program), "server", "--quiet", f"--address=127.0.0.1:{ports['minio']}",
            f"--console-address=127.0.0.1:{ports['minio-console']}", f"--certs-dir={_directory(state) / 'certs'}",
            str(_directory(state) / "data")]


def environment(state: State) -> dict[str, str]:
    """Return the environment: root credentials, region, and the target, whose events wait on disk while nobody listens."""
    settings = state.settings
    return {
        "MINIO_ROOT_USER": ROOT_USER, "MINIO_ROOT_PASSWORD": settings["secret_key"], "MINIO_SITE_REGION": "us-east-1",
        "MINIO_API_SYNC_EVENTS": "on", "MINIO_NOTIFY_WEBHOOK_ENABLE_GEN3": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_GEN3": f"{state.url('minio-events')}/",
        "MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_GEN3": "1000000",
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_GEN3": str(_directory(state) / "events")}


def waiting_events(state: State) -> list[Path]:
    """Return the files of the events that wait for the receiver."""
    return list((_directory(state) / "events").rglob("*.event"))


def clear(state: State) -> None:
    """Remove what the server has kept."""
    shutil.rmtree(_directory(state), ignore_errors=True)


def _directory(state: State) -> Path:
    return state.directory / "minio"
