"""docs/reference/variables.md, made from the role uploads: ``python tests/variables_reference.py`` writes it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
ROLE = ROOT / "roles" / "uploads"
PAGE = ROOT / "docs" / "reference" / "variables.md"
HEAD = """# Variables

All variables that the playbooks read, with their defaults. A name that is not here is refused. What is not in this list, encryption and tags
for example, is a variable of a role and can be set beside these.

This page is made from the role [uploads](../../roles/uploads/README.md) by `python tests/variables_reference.py`.

| Variable | Type | Default | |
|---|---|---|---|
"""


def plain(text):
    """Return a description without Ansible's markup."""
    return re.sub(r"\b[CVO]\(([^)]*)\)", r"`\1`", text).replace("|", "\\|")


def rows(options, defaults, prefix=""):
    """Yield a row for each option, those of its elements after it."""
    for name, option in options.items():
        default = defaults.get(name)
        shown = "" if default in (None, []) or "{{" in str(default) else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        choices = f" Choices: {', '.join(f'`{choice}`' for choice in option['choices'])}." if "choices" in option else ""
        description = option["description"] if isinstance(option["description"], list) else [option["description"]]
        kind = f"list of {option['elements']}" if option["type"] == "list" else option["type"]
        yield f"| `{prefix}{name}` | {kind} | {shown} | {' '.join(map(plain, description))}{choices} |\n"
        yield from rows(option.get("options", {}), {}, f"{prefix}{name}[].")


def page():
    """Return the page."""
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    return HEAD + "".join(rows(options, yaml.safe_load((ROLE / "defaults/main.yml").read_text())))


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
