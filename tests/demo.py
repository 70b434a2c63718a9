"""``make demo``: site.yml and verify.yml against the lab, from nothing to a file that is READY.

``STORAGE=minio`` puts the file into a real MinIO, whose events go by ``ROUTE`` (sns, sqs or dispatcher).
``KEEP=1`` leaves the lab running and prints how to look around in it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from lab import programs
from lab.lab import Lab

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / "build" / "demo"
PICTURE = STATE / "pipeline.html"
STORAGES = ("s3", "minio")
ROUTES = ("sns", "sqs", "dispatcher")


def variables(environment: Mapping[str, str]) -> list[str]:
    """Return the options of ansible-playbook for what the environment asks for; ValueError says what it cannot be."""
    storage, route = environment.get("STORAGE") or "s3", environment.get("ROUTE")
    if storage not in STORAGES:
        raise ValueError(f"STORAGE={storage} is none of {', '.join(STORAGES)}.")
    if storage == "s3":
        if route:
            raise ValueError(f"ROUTE={route} needs STORAGE=minio: events of S3 always go through the topic.")
        return []
    if route and route not in ROUTES:
        raise ValueError(f"ROUTE={route} is none of {', '.join(ROUTES)}.")
    return ["-e", "@inventories/lab/minio.yml", "-e", f"uploads_minio_route={route or ROUTES[0]}"]


def play(playbook: str, options: list[str], environment: dict[str, str]) -> None:
    """Run a playbook for the lab's operator; its output goes to the terminal."""
    command = ["ansible-playbook", "-i", "inventories/lab/hosts.yml", playbook, "-e", f"uploads_verify_report={PICTURE}", *options]
    print(f"\n$ {' '.join(command)}", flush=True)
    process = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, **environment, "PYTHONPATH": str(ROOT / "tests" / "python")})
    if process.returncode:
        raise SystemExit(f"{playbook} failed; the logs of the lab are in {STATE / 'log'}")


def main() -> None:
    start = time.monotonic()
    # As Ctrl-C does: the lab's programs end too.
    signal.signal(signal.SIGTERM, lambda *_arguments: sys.exit("stopped"))

    def report(line: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {line}", flush=True)

    try:
        options = variables(os.environ)
    except ValueError as error:
        raise SystemExit(f"make demo: {error}") from error
    lab = Lab(STATE, report, minio_targets=["GEN3"] if options else [])
    lab.down()
    try:
        lab.up()
        report("the lab is up")
        play("site.yml", options, lab.environment())
        play("playbooks/verify.yml", options, lab.environment())
        report(f"done; the picture of the pipeline is {PICTURE.relative_to(ROOT)}")
        programs.tell_size(report)
        if os.environ.get("KEEP"):
            print("\nThe lab runs on. Look around with\n\n"
                  f'  eval "$(PYTHONPATH=tests {sys.executable} -m lab env --state {STATE.relative_to(ROOT)})"\n\n'
                  f"and stop it with\n\n  PYTHONPATH=tests {sys.executable} -m lab down --state {STATE.relative_to(ROOT)}")
    finally:
        if not os.environ.get("KEEP"):
            lab.down()


if __name__ == "__main__":
    main()
