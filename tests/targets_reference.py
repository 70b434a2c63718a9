"""docs/reference/notification-targets.md, made from the schema of MinIO's targets: ``python tests/targets_reference.py`` writes it."""

from __future__ import annotations

from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "notification-targets.md"
HEAD = """# Notification targets of MinIO

A target of `minio_notification_targets` has `id`, `type`, `state` and `options`. The options are MinIO's own keys in lower case. The role
refuses an unknown option and a wrong value before it touches anything. Its message names the option and never the value.

Every type takes `queue_dir` too, an absolute path where events wait while the receiver is away (`''`: they are lost then), and
`queue_limit`, the number of events that wait at most. [The role's README](../../roles/minio/README.md#targets) has an example of each type.

This page is made from the schema of the role `minio` by `python tests/targets_reference.py`.
"""
VALUES = {
    "text": "a text", "token": "one word, or two: the header is sent as it is then", "switch": "`true` or `false`",
    "path": "an absolute path on the host of MinIO", "count": "a number", "port": "a port", "duration": "a duration with its unit, such as `10s`",
    "version": "a version, such as `3.6.0`", "address": "`host:port`", "addresses": "a list of `host:port`", "host": "a host name or an address",
    "dsn": "a DSN of Go's MySQL driver", "postgresql": "a URL `postgres://…`, or words `key=value`", "table": "the name of a table",
}


def value_of(key):
    """Return what the value of an option is, in words."""
    if key.kind == "choice":
        return ", ".join(f"`{choice}`" for choice in key.choices)
    return f"a URL ({', '.join(f'`{scheme}://`' for scheme in key.schemes)})" if key.kind == "url" else VALUES[key.kind]


def section(name, kind):
    """Yield the lines of one type."""
    yield f"\n## {name}\n\n"
    if kind.whole:
        yield f"It has either `{kind.whole}` or the parts that make it up: {', '.join(f'`{part}`' for part in kind.parts)}.\n\n"
    yield "| Option | Value | |\n|---|---|---|\n"
    partner = dict(pair for one, other in kind.pairs for pair in ((one, other), (other, one)))
    parts = {name: key for name, key in (kind.parts or {}).items() if name not in kind.keys}
    for option, key in {**kind.keys, **parts}.items():
        more = ["mandatory" if option not in parts and option != kind.whole else f"mandatory without `{kind.whole}`"] if key.required else []
        more += [f"only with `{partner[option]}`"] if option in partner else []
        more += [f"a part of `{kind.whole}`"] if option in parts and not key.required else []
        if option == kind.whole:
            more = ["mandatory without its parts"]
        yield f"| `{option}` | {value_of(key)} | {', '.join(more)} |\n"


def page():
    """Return the page."""
    from ansible_collections.gen3.uploads.plugins.module_utils._minio.targets import KINDS

    return HEAD + "".join(line for name, kind in KINDS.items() for line in section(name, kind))


if __name__ == "__main__":
    _AnsibleCollectionFinder(paths=[str(ROOT / ".collections")])._install()
    PAGE.write_text(page())
