"""Speed of the role minio on a second run, beside the same work done with one SDK call a task.

``PYTHONPATH=tests python -m bench.resources [ROUNDS]``
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.plays import ROOT, seconds_of
from bench.ratios import report
from lab.lab import Lab
from lab.minio import ROOT_USER

BENCH = Path(__file__).resolve().parent
TARGETS = [f"T{number}" for number in range(10)]
BUCKETS = [f"bench-{number}" for number in range(20)]
PLAYBOOKS = {"one SDK call a task": BENCH / "resources_sdk.yml", "role minio": BENCH / "resources_role.yml"}


def play(lab: Lab, playbook: Path) -> float:
    """Run a playbook; return the seconds it took."""
    variables = {
        "minio_api_url": lab.state.url("minio"), "minio_root_user": ROOT_USER, "targets": TARGETS, "buckets": BUCKETS,
        "minio_notification_targets": [{"id": each, "type": "webhook", "options": {"endpoint": "http://127.0.0.1:1"}} for each in TARGETS],
        "minio_buckets": [{"name": each, "versioning": "enabled", "notifications": [{"target": "webhook/T0"}]} for each in BUCKETS]}
    return seconds_of(playbook, variables, {"MINIO_SECRET_KEY": lab.state.settings["secret_key"]})


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    lab = Lab(ROOT / "build" / "bench-resources", minio_targets=TARGETS)
    lab.up()
    what = f"second run, {len(TARGETS)} targets, {len(BUCKETS)} buckets"
    seconds: dict[tuple[str, str], list[float]] = {}
    try:
        for playbook in PLAYBOOKS.values():
            play(lab, playbook)
        for number in range(rounds):
            for variant in list(PLAYBOOKS)[:: 1 if number % 2 else -1]:
                seconds.setdefault((variant, what), []).append(play(lab, PLAYBOOKS[variant]))
                print(f"round {number + 1} of {rounds}  {variant:20} {seconds[variant, what][-1]:6.2f} s", flush=True)
        print(report(seconds, "role minio", "one SDK call a task"))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
