# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file credentials.json and the checks that the program makes of it at its start."""
from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from lab.dispatcher.messages import Crash

QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
JOB_FIELDS = ("name", "pattern", "image", "imageConfig", "RequestCPU", "RequestMem", "DeadLine", "ServiceAccount")


class Fatal(Exception):
    """The program logs this and exits with 1."""


def read() -> dict[str, Any]:
    """Return the configuration file's content."""
    file = Path(os.environ.get("CRED_FILE", "/credentials.json"))
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Fatal(f"Can not read SQS url: {file}: {error}") from error
    if not isinstance(content, dict):
        raise Fatal(f"Can not read SQS url: {file} holds no object")
    return content


def queue_url(content: dict[str, Any]) -> str:
    """Return SQS.url, which must be there."""
    sqs = content.get("SQS")
    if not isinstance(sqs, dict) or "url" not in sqs:
        raise Fatal("Can not read SQS url")
    if not isinstance(sqs["url"], str):
        raise Crash("interface conversion: SQS.url is no string")
    return sqs["url"]


def jobs(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return JOBS, each with the names of its keys as in JOB_FIELDS whatever their case in the file."""
    entries = content.get("JOBS")
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Fatal("JOBS is no list of objects")
    spelling = {name.lower(): name for name in JOB_FIELDS}
    configs = [{spelling.get(name.lower(), name): value for name, value in entry.items()} for entry in entries]
    for config in configs:
        _check_types(config)
        if config.get("name") == "indexing":
            _check_indexing(config)
    return configs


def as_go(config: dict[str, Any]) -> dict[str, Any]:
    """Return one of JOBS as the program writes it: all fields, with Go's names and empty values."""
    empty = {"imageConfig": None, "DeadLine": 0}
    return {name[0].upper() + name[1:]: config.get(name, empty.get(name, "")) for name in JOB_FIELDS}


def aws(content: dict[str, Any]) -> dict[str, str]:
    """Return region, aws_access_key_id and aws_secret_access_key, "" for what is missing."""
    block = content.get("AWS") or {}
    values = {name: block.get(name, "") for name in ("region", "aws_access_key_id", "aws_secret_access_key")}
    if not all(isinstance(value, str) for value in values.values()):
        raise Crash("interface conversion: a value in AWS is no string")
    return values


def check_quantity(text: str) -> str:
    """Return a Kubernetes quantity; a wrong one ends the program."""
    if not QUANTITY.fullmatch(text):
        raise Crash(f"cannot parse {text!r} as a quantity")
    return text


def _check_types(config: dict[str, Any]) -> None:
    for name in JOB_FIELDS:
        kind = int if name == "DeadLine" else str
        if name != "imageConfig" and config.get(name) is not None and not isinstance(config[name], kind):
            raise Fatal(f"JOBS[].{name} is no {kind.__name__}")


def _check_indexing(config: dict[str, Any]) -> None:
    """The job ``indexing`` must have both logins: an empty value is an error, a missing one a panic."""
    image_config = config.get("imageConfig")
    if not isinstance(image_config, dict):
        raise Crash("interface conversion: imageConfig is no object")
    if "metadataService" not in image_config:
        raise Fatal("indexing: imageConfig has no metadataService")
    for part in (image_config, image_config["metadataService"]):
        for name in ("url", "username", "password"):
            if not isinstance(part, dict) or not isinstance(part.get(name), str):
                raise Crash(f"interface conversion: {name} of the job indexing is no string")
            if not part[name]:
                raise Fatal(f"indexing: {name} is empty")
