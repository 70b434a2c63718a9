"""Speed of site.yml beside the same work done with the stock modules: interleaved in one run, reported as ratios.

``PYTHONPATH=tests python -m bench [ROUNDS]``
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bench.plays import ROOT, seconds_of
from bench.ratios import report
from lab.lab import Lab

BENCH = Path(__file__).resolve().parent
IMAGE = "quay.io/cdis/indexs3client:2025.12"
BUCKETS = [f"gen3-bench-{number}" for number in range(11)]
OTHERS = [f"gen3-other-{number}" for number in range(4)]
PLAYBOOKS = {"stock modules": BENCH / "stock.yml", "gen3.uploads": ROOT / "site.yml"}
EMPTY = BENCH / "empty.yml"


def shared(number: int) -> list[dict[str, Any]]:
    """Return one topic and queue for so many buckets, as a commons has them."""
    return [{"topic": "topic-bench", "queue": "queue-bench", "buckets": [{"name": bucket} for bucket in BUCKETS[:number]]}]


def separate() -> list[dict[str, Any]]:
    """Return other buckets, each with its own topic and queue."""
    return [{"topic": f"topic-{bucket}", "queue": f"queue-{bucket}", "buckets": [{"name": bucket}]} for bucket in OTHERS]


def play(lab: Lab, playbook: Path, channels: list[dict[str, Any]]) -> float:
    """Run a playbook for these channels; return the seconds it took."""
    names = [bucket["name"] for channel in channels for bucket in channel["buckets"]]
    stock = {"image": IMAGE, "channels": channels}
    ours = {
        "uploads_s3_job_image": IMAGE, "aws_messaging_channels": channels, "ssjdispatcher_replace_pattern": True,
        "ssjdispatcher_replace_queue": True,
        "uploads_buckets": [{"name": name, "storage": "s3"} for name in names],
    }
    return seconds_of(playbook, {**stock, **ours}, lab.environment())


def prepare(lab: Lab) -> None:
    """Bring the lab back to its first state, with the buckets of the benchmark."""
    lab.reset()
    for bucket in BUCKETS + OTHERS:
        lab.boto3("s3").create_bucket(Bucket=bucket)


def measure(lab: Lab, rounds: int) -> dict[tuple[str, str], list[float]]:
    """Return (variant, what) -> seconds of each round; the variants take turns, and who goes first changes."""
    seconds: dict[tuple[str, str], list[float]] = {}

    def note(variant: str, what: str, value: float) -> None:
        seconds.setdefault((variant, what), []).append(value)
        print(f"  {variant:13} {what:40} {value:6.2f} s", flush=True)

    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        note("empty play", "start and end", play(lab, EMPTY, shared(1)))
        for variant in list(PLAYBOOKS)[:: 1 if number % 2 else -1]:
            playbook = PLAYBOOKS[variant]
            prepare(lab)
            note(variant, "first run, one bucket", play(lab, playbook, shared(1)))
            with lab.calls() as calls:
                note(variant, "re-run, one bucket", play(lab, playbook, shared(1)))
            note(variant, "AWS calls of the re-run", len(calls.aws))
            # Right after a first run a re-run takes longer than later ones.
            one = play(lab, playbook, shared(1))
            for what, several in (("bucket", shared(len(BUCKETS))), ("channel", separate())):
                play(lab, playbook, several)
                more = max(len(several), len(several[0]["buckets"])) - 1
                note(variant, f"re-run, each further {what}", (play(lab, playbook, several) - one) / more)
    return seconds


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    lab = Lab(ROOT / "build" / "bench")
    lab.up()
    try:
        print(report(measure(lab, rounds), "gen3.uploads", "stock modules"))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
