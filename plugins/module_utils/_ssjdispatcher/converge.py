# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the changes that are due, one part after the other, each as it is due at the moment of its write.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import UploadsError
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._k8s import rollout
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube, apply_to, converge
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import check_job, jobs
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.preflight import Plan, make_plan, options
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.settings import MINIO, Settings, problems
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.validate import INDEXING

ROUNDS = 5
"""How often the whole is looked at again, since others may change it meanwhile."""

PREFIX = "ssjdispatcher_"
"""With what the names of the role's variables begin, which messages name."""


class SsjdispatcherError(UploadsError):
    """What keeps ssjdispatcher from being configured; ``problems`` has a sentence for each finding."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), problems=list(problems))
        self.problems = list(problems)


def configure(kube: Kube, settings: Settings, check_mode: bool) -> tuple[Plan, list[Change]]:
    """Bring ssjdispatcher into the state that the settings ask for, and wait until it runs with it.

    Returns the plan at the beginning, and the changes that were made or, in check mode, would be. Before each write, after each conflict
    with somebody else's, and at the end all is read, planned and reviewed again: so a default is one at the moment of the write, and an
    entry that somebody adds meanwhile is judged too. Raises SsjdispatcherError, KubeError and RolloutError.
    """
    def look() -> Plan:
        plan = make_plan(kube, settings.namespace, settings.deployment, options(settings))
        if plan.objections:
            raise SsjdispatcherError(plan.objections)
        return plan

    if missing := list(problems(settings, PREFIX)):
        raise SsjdispatcherError(missing)
    first = plan = look()
    if check_mode:
        return first, first.changes
    made: list[Change] = []
    for _round in range(ROUNDS):
        if plan.converged:
            return first, made
        for step in (_keep_accounts, _write_rights, _check_minio, _keep, _write_documents, _roll_out) if plan.present else (
                _write_documents, _roll_out, _write_rights, _keep):
            made += step(kube, settings, plan, look)
        plan = look()
    if plan.converged:
        return first, made
    left = ", ".join(change.resource for change in plan.changes) or "the rollout of the Deployment"
    raise SsjdispatcherError([f"Others keep changing what this run writes ({left} after {ROUNDS} rounds); find out who, and run again."])


Look = Callable[[], Plan]


def _write_rights(kube: Kube, settings: Settings, plan: Plan, look: Look) -> list[Change]:
    return _write(kube, plan, look, lambda plan: plan.rights)


def _keep_accounts(kube: Kube, settings: Settings, plan: Plan, look: Look) -> list[Change]:
    return _write(kube, plan, look, lambda plan: plan.kept if plan.changes_accounts else [])


def _keep(kube: Kube, settings: Settings, plan: Plan, look: Look) -> list[Change]:
    return _write(kube, plan, look, lambda plan: [] if plan.changes_accounts else plan.kept)


def _write_documents(kube: Kube, settings: Settings, plan: Plan, look: Look) -> list[Change]:
    return _write(kube, plan, look, lambda plan: plan.written)


def _write(kube: Kube, plan: Plan, look: Look, select: Callable[[Plan], Sequence[Change]]) -> list[Change]:
    """Make a part of the changes; where one meets somebody else's, look again and make those that are due then."""
    made: list[Change] = []

    def apply(change: Change) -> None:
        apply_to(kube, change, dry_run=False)
        made.append(change)

    planned = converge(plan, look, select, apply)
    return made or planned


def _check_minio(kube: Kube, settings: Settings, plan: Plan, look: Look) -> list[Change]:
    """Refuse an entry for MinIO whose Jobs could not read from it; it changes nothing that stays."""
    name = INDEXING if plan.shared_entry else settings.minio_job_name
    entry = next((job for job in plan.jobs if job["name"] == name and job["changes"]), None)
    buckets = [bucket["name"] for bucket in settings.buckets_of(MINIO)]
    if entry is None or not buckets or not settings.minio_check:
        return []
    part = jobs.minio_part(settings, by_value=True) | ({"buckets": buckets} if plan.shared_entry else {})
    namespace = plan.installation.job_namespace or settings.namespace
    found = check_job.run(kube, namespace, entry["image"], entry["service_account"], part, buckets, settings.wait_timeout)
    if found is not None:
        raise SsjdispatcherError([f"A Job could not read from MinIO, so ssjdispatcher keeps its configuration: {found}"])
    return []


def _roll_out(kube: Kube, settings: Settings, plan: Plan, look: Look) -> list[Change]:
    """Restart ssjdispatcher if it does not run with its configuration, and wait."""
    if not plan.restart and not plan.unfinished:
        return []
    name, namespace = plan.installation.deployment, settings.namespace
    deployment = rollout.observe_deployment(kube, name, namespace)
    if plan.released:
        made = rollout.release(kube, deployment, plan.released)
    else:
        made = rollout.restart(kube, deployment, plan.configuration)
    rollout.wait(kube, name, namespace, settings.wait_timeout)
    return made
