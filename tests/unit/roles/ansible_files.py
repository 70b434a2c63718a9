"""Reading the YAML of playbooks and roles as data."""

from __future__ import annotations

import yaml


class Loader(yaml.SafeLoader):
    """YAML with Ansible's own tags, whose values don't matter here."""


Loader.add_multi_constructor("!", lambda *_: None)


def load(path):
    """Return the document of a file."""
    return yaml.load(path.read_text(), Loader)
