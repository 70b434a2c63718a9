"""Measurements of two variants as a table with their ratios; only those count, as the machine drifts."""

from __future__ import annotations

import itertools
import os
import platform
import statistics


def report(seconds: dict[tuple[str, str], list[float]], ours: str, theirs: str) -> str:
    """Return min, median and max of each measurement (variant, what), and of the rounds' ratios of ``ours`` to ``theirs``."""
    lines = [f"Python {platform.python_version()}, {os.cpu_count()} cores", ""]
    lines.append(f"{'':42}{'min':>8}{'median':>8}{'max':>8}")
    for what, group in itertools.groupby(sorted(seconds, key=lambda key: key[1]), key=lambda key: key[1]):
        variants = [variant for variant, _ in group]
        for variant in variants:
            values = seconds[variant, what]
            lines.append(f"{what}: {variant}"[:42].ljust(42) + f"{min(values):8.2f}{statistics.median(values):8.2f}{max(values):8.2f}")
        if {ours, theirs} <= set(variants):
            ratios = [one / other for one, other in zip(seconds[ours, what], seconds[theirs, what])]
            lines.append(f"  ratio to the {theirs}".ljust(42) + f"{min(ratios):8.2f}{statistics.median(ratios):8.2f}{max(ratios):8.2f}")
    return "\n".join(lines)
