# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Bento's image: the real program, with the addresses and paths of a container made those of the lab.

``python -m lab.bridge PROGRAM -c CONFIGURATION ...``; the configuration may be anything that Bento reads.
"""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def main() -> None:
    program, *arguments = sys.argv[1:]
    root, ports = Path(os.environ["LAB_ROOT"]), json.loads(os.environ["LAB_PORTS"])
    position = arguments.index("-c") + 1
    file = root / arguments[position].lstrip("/")
    local = file.with_suffix(".local.yml")
    local.write_text(json.dumps(localize(yaml.safe_load(file.read_text()), root, ports)))
    arguments[position] = str(local)
    os.execv(program, [program, *arguments])


def localize(configuration: Any, root: Path, ports: Mapping[str, int]) -> Any:
    """Return a configuration that listens on the pod's local ports, and whose files are below ``root``."""
    if isinstance(configuration, list):
        return [localize(item, root, ports) for item in configuration]
    if not isinstance(configuration, dict):
        return configuration
    return {name: _value(name, value, root, ports) for name, value in configuration.items()}


def _value(name: str, value: Any, root: Path, ports: Mapping[str, int]) -> Any:
    if name == "address":
        port = value.rpartition(":")[2]
        return f"127.0.0.1:{ports.get(port, port)}"
    if name == "file" and isinstance(value, dict):
        return {**value, "path": _below(root, value["path"])}
    if name.endswith("_file"):
        return _below(root, value)
    return localize(value, root, ports)


def _below(root: Path, path: str) -> str:
    return f"{root}{path}" if path.startswith("/") else path


if __name__ == "__main__":
    main()
