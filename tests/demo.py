"""``make demo``: site.yml and verify.yml against the lab, from nothing to a file that is READY.

``KEEP=1`` leaves the lab running and prints how to look around in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from lab.lab import Lab

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / "build" / "demo"
PICTURE = STATE / "pipeline.html"


def play(playbook: str, environment: dict[str, str]) -> None:
    """Run a playbook for the lab's operator; its output goes to the terminal."""
    command = ["ansible-playbook", "-i", "inventories/lab", playbook, "-e", f"uploads_report={PICTURE}"]
    print(f"\n$ {' '.join(command)}", flush=True)
    process = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, **environment})
    if process.returncode:
        raise SystemExit(f"{playbook} failed; the logs of the lab are in {STATE / 'log'}")


def main() -> None:
    start = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {line}", flush=True)

    lab = Lab(STATE, report)
    lab.down()
    try:
        lab.up()
        report("the lab is up")
        play("site.yml", lab.environment())
        play("playbooks/verify.yml", lab.environment())
        report(f"done; the picture of the pipeline is {PICTURE.relative_to(ROOT)}")
        if os.environ.get("KEEP"):
            print("\nThe lab runs on. Look around with\n\n"
                  f'  eval "$(PYTHONPATH=tests {sys.executable} -m lab env --state {STATE.relative_to(ROOT)})"\n\n'
                  f"and stop it with\n\n  PYTHONPATH=tests {sys.executable} -m lab down --state {STATE.relative_to(ROOT)}")
    finally:
        if not os.environ.get("KEEP"):
            lab.down()


if __name__ == "__main__":
    main()
