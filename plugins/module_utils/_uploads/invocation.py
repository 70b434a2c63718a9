# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a playbook was called: the version of ansible-core, the tags, and the hosts that --limit leaves. Pure.

Ansible ends with status 0 where tags or a limit select nothing, so a run that did nothing would look like one that had nothing
to do.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

OLDEST_CORE = (2, 19)
"""The same as ``requires_ansible`` in meta/runtime.yml, about which ansible-playbook only warns."""

SPECIAL_TAGS = frozenset({"all", "always", "never", "tagged", "untagged"})
"""The tags that Ansible itself knows."""


def problems(core: str, tags: Sequence[str], skip_tags: Sequence[str], parts: Sequence[str], hosts: Collection[str],
             needed: Sequence[str]) -> list[str]:
    """Return why a playbook called like this could not do its work, in sentences; empty where it can.

    ``core`` is ansible-core's version, ``tags`` and ``skip_tags`` are Ansible's own lists, ``parts`` the playbook's tags in
    their order, ``hosts`` those that a limit leaves, and ``needed`` those that the playbook cannot do without.
    """
    found = []
    if tuple(int(number) for number in re.findall(r"\d+", core)[:2]) < OLDEST_CORE:
        oldest = ".".join(map(str, OLDEST_CORE))
        found.append(f"gen3.uploads needs ansible-core {oldest} or newer, and this is {core}: install a newer one with pip.")
    known = SPECIAL_TAGS.union(parts)
    for option, given in (("--tags", tags), ("--skip-tags", skip_tags)):
        unknown = [tag for tag in given if tag not in known]
        if unknown:
            choices = f"its parts are {', '.join(parts)}" if parts else "it has no parts, so run it without tags"
            found.append(f"{option} {','.join(unknown)} names no part of this playbook: {choices}.")
    # The work is in tasks with a part's tag, or, where there are no parts, in tasks without a tag.
    whole = {"all", "tagged" if parts else "untagged"}
    if known.issuperset(tags) and not whole.union(parts).intersection(tags):
        found.append(f"--tags {','.join(tags)} selects no work of this playbook: "
                     f"{'name some of its parts, ' + ', '.join(parts) if parts else 'run it without tags'}.")
    if wholesale := [tag for tag in skip_tags if tag in whole]:
        found.append(f"--skip-tags {','.join(wholesale)} leaves nothing of this playbook to do: name the parts to leave out.")
    left_out = [host for host in needed if host not in hosts]
    if left_out:
        found.append(f"--limit leaves out {' and '.join(left_out)}, where a part of the work is done: run it without --limit, or "
                     f"with --limit {','.join(needed)}.")
    return found


def left_out(pending: Mapping[str, bool], tags: Sequence[str], skip_tags: Sequence[str]) -> list[str]:
    """Return the parts that still have changes to make and that the tags leave out, in the order of ``pending``.

    ``pending`` is part -> whether its plan has changes.
    """
    return [part for part, has_changes in pending.items() if has_changes and not _selected(part, tags, skip_tags)]


def _selected(part: str, tags: Sequence[str], skip_tags: Sequence[str]) -> bool:
    chosen = any(tag in tags for tag in (part, "all", "tagged"))
    return chosen and not any(tag in skip_tags for tag in (part, "all", "tagged"))
