# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line. ``python -m lab up|down|status|env [--state DIR] [--minio]``"""
from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

from lab.lab import Lab

DEFAULT_STATE = Path(__file__).resolve().parents[2] / "build" / "lab"


def main() -> int:
    parser = argparse.ArgumentParser(prog="lab", description="The pipeline of gen3.uploads on this machine alone.")
    parser.add_argument("command", choices=("up", "down", "status", "env", "reset"))
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="state directory (default: build/lab)")
    parser.add_argument("--minio", action="store_true", help="with MinIO (for up)")
    arguments = parser.parse_args()
    started = time.monotonic()
    lab = Lab(arguments.state, lambda line: print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True),
              ["GEN3"] if arguments.minio else [])
    try:
        return globals()[f"_{arguments.command}"](lab)
    except (OSError, RuntimeError) as error:
        print(f"lab {arguments.command}: {error}", file=sys.stderr)
        return 1


def _up(lab: Lab) -> int:
    lab.up()
    return _status(lab)


def _down(lab: Lab) -> int:
    lab.down()
    return 0


def _reset(lab: Lab) -> int:
    lab.reset()
    return 0


def _status(lab: Lab) -> int:
    """Print one line a part; 0 if all are healthy."""
    parts = lab.status()
    for part in parts:
        state = "healthy" if part["healthy"] else "not healthy" if part["pid"] else "stopped"
        print(f"{part['part']:<24} {state:<12} pid {part['pid'] or '-':<8} port {part['port'] or '-'}")
    return 0 if all(part["healthy"] for part in parts) else 1


def _env(lab: Lab) -> int:
    """Print the variables in a form for ``eval``."""
    if not lab.state.prepared:
        print("lab env: there is no lab; start it with `lab up`", file=sys.stderr)
        return 1
    for name, value in lab.environment().items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
