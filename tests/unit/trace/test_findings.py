"""The guide explains every verdict and every finding that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_guide_has_every_verdict():
    source = "".join((ROOT / "plugins/module_utils/_trace" / name).read_text() for name in ("judge.py", "pipeline.py"))
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", (ROOT / "docs/guides/troubleshooting.md").read_text(), re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    assert explained == set(re.findall(r'Verdict\("([a-z-]+)"', source))
