# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there of ssjdispatcher and what is due, so that it is as an operator asks for.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import describe
from ansible_collections.gen3.uploads.plugins.module_utils._gen3 import stock_image
from ansible_collections.gen3.uploads.plugins.module_utils._json_document import plan as merge_plan
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import (
    PENDING,
    RolloutError,
    plan_release,
    plan_restart,
    recorded,
    version,
    waiting_for,
)
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import (
    aws_credentials,
    former,
    jobs,
    own_secret,
    pattern_review,
    rbac,
)
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import validate as rules
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.cluster import Cluster
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.deployment import (
    Installation,
    read_deployment,
    setup_problems,
)
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.documents import Document, Request, plan_document
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.settings import Settings

LIST_KEYS = {"JOBS": "name"}
"""How the elements of the list in credentials.json are told apart."""

NOTHING: Mapping[str, Any] = {"defaults": {}, "merge": {}, "remove": []}


@dataclass(frozen=True)
class Options:
    """What shall become of ssjdispatcher, in terms of its documents. See ``options``.

    ``queue_url`` is the pipeline's queue, whoever reads it; ``queue_reader`` the Deployment that may read it in place of ssjdispatcher, which
    goes on where it is there if ``reads_queue`` is None. ``job_names`` are the entries that may be ours.
    """

    present: bool = True
    credentials: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    job_images: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    sensitive: Mapping[str, Any] = field(default_factory=dict, repr=False)
    buckets: Sequence[rules.Bucket] = ()
    replace_pattern: bool = False
    replace_queue: bool = False
    overwrite_externally_managed: bool = False
    access: rbac.Access = rbac.Access()
    aws_credentials: str | None = None
    queue_url: str | None = None
    reads_queue: bool | None = None
    queue_reader: str | None = None
    job_names: Sequence[str] = ()

    @property
    def queue(self) -> bool:
        """Tell whether ssjdispatcher shall read a queue."""
        url = (self.credentials["merge"].get("SQS") or {}).get("url")
        return bool(url) and not rules.is_no_queue(url)


def options(settings: Settings) -> Options:
    """Return the settings in terms of the documents."""
    return Options(
        present=settings.present,
        credentials=jobs.credentials_changes(settings),
        job_images=jobs.images_changes(settings),
        sensitive=jobs.sensitive_values(settings),
        buckets=jobs.expected_buckets(settings),
        replace_pattern=settings.replace_pattern,
        replace_queue=settings.replace_queue,
        overwrite_externally_managed=settings.overwrite_externally_managed,
        access=jobs.access(settings),
        aws_credentials=settings.aws_credentials if settings.uses_aws else None,
        queue_url=settings.queue_url,
        reads_queue=settings.reads_queue,
        queue_reader=settings.queue_reader,
        job_names=(settings.job_name, settings.minio_job_name),
    )


@dataclass
class Plan:
    """What is there (``installation``), what is due, and what is to be said.

    ``blocking`` keeps the changes from being made. ``problems`` holds them too, and what would crash or silence ssjdispatcher.
    ``released`` are the objects of a removal that leaves nothing of ours (``kind/name``); ``unfinished`` tells that a rollout of the
    Deployment is going on. ``configuration`` lists what its pods read only when they start. ``read_by_another`` tells that a Deployment reads
    the queue in place of ssjdispatcher; with ``starts_reading`` ssjdispatcher takes it over.
    """

    installation: Installation
    description: dict[str, Any]
    present: bool
    rights: list[Change]
    documents: list[Document]
    kept: list[Change]
    jobs: list[dict[str, Any]]
    shared_entry: bool
    read_by_another: bool
    starts_reading: bool
    configuration: list[dict[str, Any]]
    restart: list[Change]
    released: list[str]
    unfinished: bool
    blocking: list[str]
    problems: list[str]
    warnings: list[str]

    @property
    def changes_accounts(self) -> bool:
        """Tell whether a ServiceAccount of others is to be changed, so that what it was has to be kept before."""
        return self.present and any(former.account_key("") in key for each in self.kept for key in each.after)

    @property
    def written(self) -> list[Change]:
        """The changes of the documents."""
        return [change for document in self.documents for change in document.changes]

    @property
    def changes(self) -> list[Change]:
        """All changes, in the order in which they are made."""
        if self.present:
            first = [*self.kept, *self.rights] if self.changes_accounts else [*self.rights, *self.kept]
            return [*first, *self.written, *self.restart]
        return [*self.written, *self.restart, *self.rights, *self.kept]

    @property
    def converged(self) -> bool:
        """Tell whether there is nothing to change and nothing to wait for."""
        return not self.changes and not self.unfinished

    @property
    def objections(self) -> list[str]:
        """What must not be: what is left after a removal may be as broken as it was before."""
        return self.problems if self.present else self.blocking


def make_plan(kube: Kube, namespace: str, deployment_name: str | None, options: Options) -> Plan:
    """Read what there is, and return what is due. Raises KubeError."""
    cluster = Cluster(kube, namespace)
    deployment = cluster.find_deployment(deployment_name)
    installation = read_deployment(deployment, cluster.config_map) if deployment else Installation()
    job_namespace = installation.job_namespace or namespace
    helm = rbac.helm_markers(deployment)

    asked = options
    if own_secret.is_own(installation.secret):
        options = _on_own_secret(options)
    credentials = images = None
    read_by_another = False
    if location := installation.secret:
        marks = {} if own_secret.is_own(location) else helm
        desired = merge_plan.Desired("Secret", location.name, namespace, location.key, list_keys=LIST_KEYS, **marks)
        credentials = plan_document(cluster, desired, _request(options, options.credentials, deployment))
        read_by_another = _read_by_another(cluster, credentials, options)
        if read_by_another and options.reads_queue is None:
            options = _keeping_reader(options)
            credentials = plan_document(cluster, desired, _request(options, options.credentials, deployment))
    if location := installation.config_map:
        desired = merge_plan.Desired("ConfigMap", location.name, namespace, location.key, **helm)
        images = plan_document(cluster, desired, _request(options, options.job_images, deployment))
    documents = [document for document in (credentials, images) if document]
    rights, problems_of_rights = _rights(cluster, installation, job_namespace, helm, credentials, options)

    blocking = [*problems_of_rights, *(each.problem for each in documents if each.problem)]
    if own_secret.is_own(installation.secret) and credentials and not options.present:
        if others := own_secret.buckets_left_out(credentials.before, asked.credentials, options.job_names):
            blocking.append(f"In {credentials.location}: JOBS[name=indexing] takes uploads to {', '.join(others)} too, which are on the other "
                            "storage; both storages share this entry, so list the buckets of both in ssjdispatcher_buckets.")
    found = _review(installation, credentials, images, options)
    if credentials and credentials.after is not None and options.aws_credentials and options.present:
        roles = _roles(cluster, installation, job_namespace, credentials, options)
        found.problems += aws_credentials.problems(options.aws_credentials, credentials.before, credentials.after, roles)
        found.warnings += aws_credentials.warnings(options.aws_credentials, credentials.after, roles)
    entries = _jobs(credentials, images, options)
    found.warnings += filter(None, (stock_image.warning(job["name"], job["image"]) for job in entries))
    found.warnings += [warning for document in documents for warning in document.warnings]
    # Without a Deployment all else that there may be follows from it.
    problems = [*setup_problems(installation, namespace), *([*blocking, *found.problems] if deployment else [])]
    configuration = _configuration(installation, documents, rights, options)
    restart: list[Change] = []
    unfinished = False
    leaves = not options.present and not (credentials and _entries_of_ours(cluster, [credentials], options))
    ours = [f"{each['kind']}/{each['name']}" for each in configuration] + [f"ServiceAccount/{installation.service_account}"]
    if deployment and (options.present or recorded(deployment) and not problems):
        try:
            restart, unfinished = _restart(cluster, deployment, configuration, ours if leaves else [])
        except RolloutError as error:
            problems.append(str(error))
    if deployment and not options.present and problems and any(document.changes for document in documents):
        found.warnings.append("ssjdispatcher runs on as it started, since it could not start with what is left: " + " ".join(problems))
    if deployment and restart and deployment["spec"].get("replicas") == 0:
        name = describe("Deployment", installation.deployment, namespace)
        found.warnings.append(f"{name} has zero replicas: nothing runs until it is scaled up.")
    return Plan(
        installation=installation,
        description=_describe(cluster, installation, job_namespace, credentials, documents),
        present=options.present,
        rights=rights,
        documents=documents,
        kept=_kept(cluster, documents, rights) if options.present else _forgotten(
            cluster, documents, leaves and (bool(restart) or not set(ours) & set(recorded(deployment) if deployment else ()))),
        released=ours if leaves else [],
        jobs=entries,
        shared_entry=own_secret.is_own(installation.secret)
        and any((bucket.storage, bucket.job) == ("minio", rules.INDEXING) for bucket in options.buckets),
        read_by_another=read_by_another,
        starts_reading=options.present and _starts_reading(credentials),
        configuration=configuration,
        restart=restart,
        unfinished=unfinished,
        blocking=blocking,
        problems=problems,
        warnings=found.warnings,
    )


def _request(options: Options, changes: Mapping[str, Any], deployment: Mapping[str, Any] | None) -> Request:
    deployed = recorded(deployment) if deployment else {}
    return Request(options.present, **changes, sensitive=options.sensitive, overwrite=options.overwrite_externally_managed,
                   deployed=deployed)


def _on_own_secret(options: Options) -> Options:
    """Return the options as they are for a Secret that is ours alone: one entry for both storages."""
    if not options.present:
        return replace(options, credentials=own_secret.withdraw_shared(options.credentials))
    credentials, images, buckets = own_secret.share_entry(options.credentials, options.job_images, options.buckets)
    return replace(options, credentials=credentials, job_images=images, buckets=buckets)


def _read_by_another(cluster: Cluster, credentials: Document, options: Options) -> bool:
    """Tell whether a Deployment reads the queue in place of ssjdispatcher, whose document then names none."""
    if not options.queue_reader or not options.queue_url or not rules.is_no_queue(rules.queue_url(credentials.before or {}) or ""):
        return False
    return cluster.get("Deployment", options.queue_reader, cluster.namespace) is not None


def _keeping_reader(options: Options) -> Options:
    """Return the options as they are while another reads the queue: another inventory may have chosen it."""
    merge = {name: value for name, value in options.credentials["merge"].items() if name != "SQS"}
    return replace(options, credentials={**options.credentials, "merge": merge})


def _describe(cluster: Cluster, installation: Installation, job_namespace: str, credentials: Document | None,
              documents: Sequence[Document]) -> dict[str, Any]:
    """Return the result ``installation`` of the modules."""
    bindings = cluster.list("RoleBinding", job_namespace)
    return {
        "deployment": installation.deployment,
        "flavour": installation.flavour,
        "namespace": cluster.namespace,
        "replicas": installation.replicas,
        "service_account": installation.service_account,
        "job_namespace": installation.job_namespace,
        "job_num_max": installation.job_num_max,
        "job_service_account_exists": cluster.get("ServiceAccount", rbac.JOB_SERVICE_ACCOUNT, job_namespace) is not None,
        "region": rules.region_in_force(credentials.before, installation.region) if credentials else None,
        "secret": asdict(installation.secret) if installation.secret else None,
        "config_map": asdict(installation.config_map) if installation.config_map else None,
        "role_bindings": rbac.bindings_of(installation.service_account, cluster.namespace, bindings),
        "owners": _owners(cluster, installation, documents),
    }


def _kept(cluster: Cluster, documents: Sequence[Document], rights: Sequence[Change]) -> list[Change]:
    """Return the write that keeps the documents and ServiceAccounts of others as they are before our first change."""
    live = {rbac.target_of(each): cluster.get(*rbac.target_of(each), each.parameters["namespace"])
            for each in rights if each.operation == "merge_patch"}
    texts = {former.account_key(name): json.dumps(state) for name, state in rbac.before_first_change(rights, live).items()}
    for document in documents:
        desired = document.desired
        current = cluster.get(desired.kind, desired.name, desired.namespace)
        if current and not rbac.is_ours(current) and document.after not in (None, document.before):
            texts[former.key_of(desired)] = document.text or "{}"
    return former.keep(cluster.secret(former.FORMER_SECRET, cluster.namespace), cluster.namespace, texts) if texts else []


def _forgotten(cluster: Cluster, documents: Sequence[Document], leaves: bool) -> list[Change]:
    """Return the removal of what is kept, once the documents are as they were and ssjdispatcher runs with them (``leaves``).

    Until then it tells a next run what is ours.
    """
    if not leaves or any(document.problem for document in documents):
        return []
    return former.forget(cluster.secret(former.FORMER_SECRET, cluster.namespace), cluster.namespace)


def _entries_of_ours(cluster: Cluster, documents: Sequence[Document], options: Options) -> set[str]:
    """Return the names of the entries of ours that a removal leaves, those of the other storage; one that was there before is not ours."""
    kept = cluster.secret(former.FORMER_SECRET, cluster.namespace)
    left = {job.name for document in documents for job in rules.read_jobs(document.after or document.before)}
    once = {job.name for document in documents for job in rules.read_jobs(former.read(kept, document.desired))}
    return left & set(options.job_names) - once


def _starts_reading(credentials: Document | None) -> bool:
    """Tell whether ssjdispatcher turns from the URL with which it reads no queue to one."""
    before, after = (rules.queue_url(each or {}) or "" for each in (credentials.before, credentials.after)) if credentials else ("", "")
    return rules.is_no_queue(before) and bool(after) and not rules.is_no_queue(after)


def _rights(cluster: Cluster, installation: Installation, job_namespace: str, helm: Mapping, credentials: Document | None,
            options: Options) -> tuple[list[Change], list[str]]:
    """Return the changes of ServiceAccounts, Roles and RoleBindings that are due, and what forbids them."""
    accounts, access = _job_accounts(credentials, options), _access(cluster, job_namespace, credentials, options)
    objects = rbac.definitions(installation.service_account, cluster.namespace, job_namespace, access, accounts)
    live = {}
    for each in objects:
        kind, name = each["kind"], each["metadata"]["name"]
        live[kind, name] = cluster.get(kind, name, each["metadata"]["namespace"])
    if not options.present and credentials and _entries_of_ours(cluster, [credentials], options):
        plan = rbac.AccessPlan()  # it needs what the other did
    elif not options.present:
        remaining = rules.read_jobs(credentials.after) if credentials and credentials.after else []
        bindings = rbac.bindings_of(installation.service_account, cluster.namespace, cluster.list("RoleBinding", job_namespace))
        others = any(not binding["created_by_us"] for binding in bindings)
        needed = rbac.still_needed(objects, live, [_account(job) for job in remaining], others) if remaining else []
        accounts = former.accounts(cluster.secret(former.FORMER_SECRET, cluster.namespace))
        plan = rbac.plan_absent([each for each in objects if each not in needed], live, accounts)
    elif installation.deployment is None:
        plan = rbac.AccessPlan()
    else:
        desired = [each for each in objects if access.includes(each)]
        plan = rbac.plan_present(desired, live, helm)
        plan.delete += rbac.plan_absent([each for each in objects if each not in desired], live).delete
    return rbac.changes(plan, live), plan.problems


def _access(cluster: Cluster, job_namespace: str, credentials: Document | None, options: Options) -> rbac.Access:
    """Return the rights to give, with what our Role lets the entries of another run read: two inventories may share ssjdispatcher."""
    role = cluster.get("Role", rbac.JOB_SECRET_ROLE, job_namespace) or {}
    granted = {name for rule in role.get("rules") or [] for name in rule.get("resourceNames") or []}
    if not options.present or credentials is None or not granted or not rbac.is_ours(role):
        return options.access
    ours = {bucket.job for bucket in options.buckets}
    others = [(secret, _account(job)) for job in rules.read_jobs(credentials.after or credentials.before)
              if job.name not in ours and (secret := rules.secret_of(job)) in granted]
    return replace(options.access, kept_secrets=[secret for secret, _reader in others], kept_readers=[reader for _secret, reader in others])


def _account(job: rules.Job) -> str:
    """Return the ServiceAccount of a JOBS entry's Jobs."""
    account = job.fields.get("serviceaccount")
    return account if account and isinstance(account, str) else rbac.JOB_SERVICE_ACCOUNT


def _job_accounts(credentials: Document | None, options: Options) -> list[str]:
    """Return the ServiceAccounts of our entries' Jobs; for a removal, all that may have got something from us."""
    jobs = []
    if credentials and options.present:
        ours = {bucket.job for bucket in options.buckets}
        jobs = [job for job in rules.read_jobs(credentials.after or credentials.before) if job.name in ours]
    elif credentials:
        jobs = rules.read_jobs(credentials.before)
    accounts = sorted({_account(job) for job in jobs})
    if not accounts or not options.present and rbac.JOB_SERVICE_ACCOUNT not in accounts:
        accounts.append(rbac.JOB_SERVICE_ACCOUNT)
    return accounts


def _roles(cluster: Cluster, installation: Installation, job_namespace: str, credentials: Document,
           options: Options) -> dict[str, tuple[str | None, str | None]]:
    """Return ServiceAccount -> (the role given, the role annotated) for those whose pods call AWS with no keys of their own."""
    accounts = {}
    if options.queue and installation.service_account:
        accounts[installation.service_account] = (cluster.namespace, options.access.role_arn)
    if any(bucket.storage == "s3" for bucket in options.buckets):
        for account in _job_accounts(credentials, options):
            accounts[account] = (job_namespace, options.access.job_role_arn)
    return {account: (given, _annotated(cluster.get("ServiceAccount", account, namespace)))
            for account, (namespace, given) in accounts.items()}


def _annotated(account: Mapping[str, Any] | None) -> str | None:
    return ((account or {}).get("metadata", {}).get("annotations") or {}).get(rbac.IRSA)


def _review(installation: Installation, credentials: Document | None, images: Document | None, options: Options) -> rules.Findings:
    """Return what the rules say about the documents as they would be; each sentence begins with its document."""
    found = rules.Findings()

    def add(document: Document, more: rules.Findings) -> None:
        found.problems.extend(f"In {document.location}: {sentence}" for sentence in more.problems)
        found.warnings.extend(f"In {document.location}: {sentence}" for sentence in more.warnings)

    if credentials is None or credentials.after is None:
        return found
    add(credentials, rules.review_credentials(credentials.after, installation.region, options.buckets))
    ours = options.job_names or [bucket.job for bucket in options.buckets]
    add(credentials, rules.review_queue(credentials.before, credentials.after, options.queue_url, ours,
                                        options.replace_queue or not options.present))
    before, after = rules.read_jobs(credentials.before), rules.read_jobs(credentials.after)
    add(credentials, pattern_review.review(before, after, options.buckets, options.replace_pattern))
    if images is not None and images.after is not None:
        add(images, rules.review_images(images.after, credentials.after))
    elif installation.job_images is None:
        add(credentials, rules.review_images(None, credentials.after))
    return found


def _jobs(credentials: Document | None, images: Document | None, options: Options) -> list[dict[str, Any]]:
    """Return the JOBS entries of the buckets as they would be."""
    if credentials is None or credentials.after is None:
        return []
    before, after = (
        {job.name: (job, _image(job, state)) for job in rules.read_jobs(document)}
        for document, state in ((credentials.before, images and images.before), (credentials.after, images and images.after))
    )
    return [
        {
            "name": name,
            "image": after[name][1],
            "service_account": _account(after[name][0]),
            "buckets": [bucket.name for bucket in options.buckets if bucket.job == name],
            "changes": before.get(name) != after[name],
        }
        for name in sorted({bucket.job for bucket in options.buckets} & after.keys())
    ]


def _image(job: rules.Job, images: Mapping[str, Any] | None) -> Any:
    return job.fields.get("image") if images is None else images.get(job.name)


def _configuration(installation: Installation, documents: Sequence[Document], rights: Sequence[Change],
                   options: Options) -> list[dict[str, Any]]:
    """Return what the pods read only when they start: kind, name, and whether it is still to be written (``pending``)."""
    objects = [{"kind": each.desired.kind, "name": each.desired.name, "pending": bool(each.changes)} for each in documents]
    if options.access.role_arn and installation.service_account:
        account = ("ServiceAccount", installation.service_account)
        pending = any(account == rbac.target_of(change) for change in rights)
        objects.append({"kind": account[0], "name": account[1], "pending": pending})
    return objects


def _restart(cluster: Cluster, deployment: Mapping[str, Any], configuration: Sequence[Mapping[str, Any]],
             released: Sequence[str]) -> tuple[list[Change], bool]:
    """Return the restart that is due, and whether a rollout is to be waited for. Raises RolloutError where none can be made.

    Where we take away the last of ours, the objects that are ``released``, ssjdispatcher is started anew and nothing tells of us any more.
    """
    if released:
        restart = plan_release(deployment, released)
    else:
        versions = {}
        for each in configuration:
            current = cluster.get(each["kind"], each["name"], cluster.namespace)
            written_later = current is None or each["pending"]
            versions[f"{each['kind']}/{each['name']}"] = PENDING if written_later else version(current["metadata"])
        restart = plan_restart(deployment, versions)
    try:
        return restart, waiting_for(deployment) is not None
    except RolloutError:
        return restart, True  # the rollout failed: whoever waits for it is told why


def _owners(cluster: Cluster, installation: Installation, documents: Sequence[Document]) -> list[dict[str, str]]:
    """Return who manages each object: kind, name, namespace, and the owner as ``manager`` and ``manager_name``."""
    objects = [(each.desired.kind, each.desired.name) for each in documents]
    if installation.deployment:
        objects += [("Deployment", installation.deployment), ("ServiceAccount", installation.service_account)]
    return [
        {"kind": kind, "name": name, "namespace": cluster.namespace, "manager": owner.kind, "manager_name": owner.name}
        for kind, name in objects
        for owner in cluster.owners(kind, name, cluster.namespace)
    ]
