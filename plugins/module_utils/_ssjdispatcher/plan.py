# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a live ssjdispatcher and at what would become of it, before anything is changed.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._gen3 import stock_image
from ansible_collections.gen3.uploads.plugins.module_utils._json_document import plan as merge_plan
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import aws_credentials, own_secret, pattern_review, users
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import rbac as access
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher import validate as rules
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.path import parse_path
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.merge import (
    ABSENT,
    DocumentError,
    is_hollow,
    merge,
    parse,
    remove,
    select,
)
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.client import Kube, describe, list_if_allowed
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.ownership import Owner, owners, targets
from ansible_collections.gen3.uploads.plugins.module_utils._k8s.rollout_plan import (
    PENDING,
    RECORD,
    RolloutError,
    plan_restart,
    version,
    waiting_for,
)
from ansible_collections.gen3.uploads.plugins.module_utils._ssjdispatcher.deployment import (
    FLAVOURS,
    Installation,
    KeyOf,
    read_deployment,
    setup_problems,
)
from ansible_collections.gen3.uploads.plugins.module_utils._json_document.value_from import ValueSourceError, resolve

LIST_KEYS = {"JOBS": "name"}
"""How the elements of the list in credentials.json are told apart."""


OVERWRITE = "set ssjdispatcher_overwrite_externally_managed"
"""How the role's user lets a Secret be changed that somebody would take back."""


@dataclass(frozen=True)
class Options:
    """What shall become of ssjdispatcher; the fields are the options of the module ssjdispatcher_info."""

    present: bool
    credentials: Mapping[str, Any]
    job_images: Mapping[str, Any]
    sensitive: Mapping[str, Any]
    buckets: Sequence[rules.Bucket]
    replace_pattern: bool
    overwrite_externally_managed: bool
    access: access.Access
    aws_credentials: str | None = None

    @property
    def queue(self) -> bool:
        """Tell whether ssjdispatcher shall read a queue: a URL that stands for none is only a default."""
        return bool((self.credentials["merge"].get("SQS") or {}).get("url"))


class Cluster:
    """The objects of a cluster, each read at most once."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube = kube
        self.namespace = namespace
        self.get = lru_cache(maxsize=None)(kube.get)
        self.list = lru_cache(maxsize=None)(kube.list)

    def find_deployment(self, name: str | None) -> Mapping[str, Any] | None:
        """Return the Deployment of that name, or the first under one of the usual names."""
        found = (self.get("Deployment", each, self.namespace) for each in ([name] if name else FLAVOURS))
        return next(filter(None, found), None)

    def config_map(self, name: str) -> Mapping[str, Any] | None:
        return self.get("ConfigMap", name, self.namespace)

    def secret(self, name: str, namespace: str | None) -> Mapping[str, Any] | None:
        return self.get("Secret", name, namespace or self.namespace)

    def owners(self, kind: str, name: str, namespace: str, key: str | None = None) -> list[Owner]:
        """Return who else writes to an object, or to a key of it; an ExternalSecret claims its Secret before that exists."""
        # Where one may not see ExternalSecrets, the owner references tell who manages the Secret.
        claims = list_if_allowed(self, "ExternalSecret", namespace) if kind == "Secret" else []
        return owners(self.get(kind, name, namespace), [claim for claim in claims if targets(claim, name, key)], key)


@dataclass
class Document:
    """A JSON document inside a Secret or ConfigMap: ``before`` and, if the wish can be fulfilled, ``after`` it."""

    wish: merge_plan.Wish
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] | None = None
    changes: bool = False
    problem: str | None = None

    start_from: KeyOf | None = None

    @property
    def place(self) -> str:
        """What messages call it."""
        return f"{self.wish.key} of {self.wish.resource}"

    @property
    def options(self) -> dict[str, Any]:
        """What the module k8s_merge_document takes; where the document starts from is a reference, as it has passwords."""
        options = asdict(self.wish)
        del options["start"]
        return options | ({"start_from": asdict(self.start_from)} if self.start_from else {})


def preflight(kube: Kube, namespace: str, deployment_name: str | None, options: Options) -> dict[str, Any]:
    """Return the result of the module ssjdispatcher_info."""
    cluster = Cluster(kube, namespace)
    deployment = cluster.find_deployment(deployment_name)
    installation = read_deployment(deployment, cluster.config_map) if deployment else Installation()
    job_namespace = installation.job_namespace or namespace
    helm = access.helm_markers(deployment)

    if own_secret.is_own(installation.secret):
        options = _on_own_secret(options)
    credentials = images = None
    if place := installation.secret:
        marks = {} if own_secret.is_own(place) else helm
        wish = merge_plan.Wish("Secret", place.name, namespace, place.key, list_keys=LIST_KEYS, **marks)
        credentials = _document(cluster, wish, options.credentials, options)
    if place := installation.config_map:
        wish = merge_plan.Wish("ConfigMap", place.name, namespace, place.key, **helm)
        images = _document(cluster, wish, options.job_images, options)
    documents = [document for document in (credentials, images) if document]
    rights = _rights(cluster, installation, job_namespace, helm, credentials, options)

    found = _review(installation, credentials, images, options)
    if credentials and credentials.after is not None and options.aws_credentials and options.present:
        roles = _roles(cluster, installation, job_namespace, credentials, options)
        found.problems += aws_credentials.problems(options.aws_credentials, credentials.before, credentials.after, roles)
        found.warnings += aws_credentials.warnings(options.aws_credentials, credentials.after, roles)
    refused = [*rights.problems, *(each.problem for each in documents if each.problem)]
    found.problems[:0] = refused
    if deployment is None:
        found.problems.clear()  # what else there may be follows from it
    found.problems[:0] = setup_problems(installation, namespace)
    jobs = _jobs(credentials, images, options)
    found.warnings += filter(None, (stock_image.warning(job["name"], job["image"]) for job in jobs))
    configuration = _configuration(installation, documents, rights, options)
    restart = _restart(cluster, deployment, configuration, options, found)

    job_account = cluster.get("ServiceAccount", access.JOB_SERVICE_ACCOUNT, job_namespace)
    bindings = cluster.list("RoleBinding", job_namespace)
    return {
        "installation": {
            "deployment": installation.deployment,
            "flavour": installation.flavour,
            "namespace": namespace,
            "replicas": installation.replicas,
            "service_account": installation.service_account,
            "job_namespace": installation.job_namespace,
            "job_num_max": installation.job_num_max,
            "job_service_account_exists": job_account is not None,
            "region": rules.region_in_force(credentials.before, installation.region) if credentials else None,
            "secret": asdict(installation.secret) if installation.secret else None,
            "config_map": asdict(installation.config_map) if installation.config_map else None,
            "role_bindings": access.bindings_of(installation.service_account, namespace, bindings),
            "owners": _owners(cluster, installation, documents),
        },
        "documents": [document.options for document in documents],
        "access": [
            {"state": state, "definition": definition}
            for state, definitions in (("present", rights.apply), ("absent", rights.delete))
            for definition in definitions
        ],
        "shared_entry": own_secret.is_own(installation.secret)
        and any((bucket.storage, bucket.job) == ("minio", rules.INDEXING) for bucket in options.buckets),
        "jobs": jobs,
        "configuration": configuration,
        "drift": _drift(cluster, installation, rights, documents, restart),
        "restart": restart,
        "converged": not (rights.apply or rights.delete or restart or any(each.changes for each in documents)),
        "problems": found.problems,
        "refused": refused,
        "warnings": found.warnings,
    }


def _rights(cluster: Cluster, installation: Installation, job_namespace: str, helm: Mapping, credentials: Document | None,
            options: Options) -> access.AccessPlan:
    accounts = _job_accounts(credentials, options)
    objects = access.definitions(installation.service_account, cluster.namespace, job_namespace, options.access, accounts)
    live = {}
    for each in objects:
        kind, name = each["kind"], each["metadata"]["name"]
        live[kind, name] = cluster.get(kind, name, each["metadata"]["namespace"])
    if not options.present:
        remaining = rules.read_jobs(credentials.after) if credentials and credentials.after else []
        bindings = access.bindings_of(installation.service_account, cluster.namespace, cluster.list("RoleBinding", job_namespace))
        others = any(not binding["created_by_us"] for binding in bindings)
        needed = access.still_needed(objects, live, [_account(job) for job in remaining], others) if remaining else []
        return access.plan_absent([each for each in objects if each not in needed], live)
    if installation.deployment is None:
        return access.AccessPlan()
    wanted = [each for each in objects if options.access.includes(each)]
    plan = access.plan_present(wanted, live, helm)
    plan.delete += access.plan_absent([each for each in objects if each not in wanted], live).delete
    return plan


def _account(job: rules.Job) -> str:
    """Return the ServiceAccount of a JOBS entry's Jobs."""
    return job.fields.get("serviceaccount") or access.JOB_SERVICE_ACCOUNT


def _job_accounts(credentials: Document | None, options: Options) -> list[str]:
    """Return the ServiceAccounts of our entries' Jobs; for a removal, all that may have got something from us."""
    jobs = []
    if credentials and options.present:
        ours = {bucket.job for bucket in options.buckets}
        jobs = [job for job in rules.read_jobs(credentials.after or credentials.before) if job.name in ours]
    elif credentials:
        jobs = rules.read_jobs(credentials.before)
    accounts = sorted({_account(job) for job in jobs})
    if not accounts or not options.present and access.JOB_SERVICE_ACCOUNT not in accounts:
        accounts.append(access.JOB_SERVICE_ACCOUNT)
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
    return ((account or {}).get("metadata", {}).get("annotations") or {}).get(access.IRSA)


def _document(cluster: Cluster, wish: merge_plan.Wish, changes: Mapping[str, Any], options: Options) -> Document:
    """Return a document before and after the changes wished for, or the reason why these cannot be made."""
    document = Document(wish)
    current = cluster.get(wish.kind, wish.name, wish.namespace)
    try:
        text = merge_plan.text_of(wish, current)
        if not text and wish.kind == "Secret" and options.present:
            document.start_from = own_secret.former(KeyOf(wish.name, wish.key))
            wish = replace(wish, start=_start(cluster, wish, document.start_from))
        document.before = parse(text or wish.start)
        patch = changes["merge"]
        if "JOBS" in patch:
            patch = {**patch, "JOBS": users.choose(patch["JOBS"], _image_configs(document.before),
                                                   lambda source: _has_value(source, cluster, options.sensitive))}
        patch, defaults = (_in_their_case(each, document.before) for each in (patch, changes["defaults"]))
        defaults = _missing(_missing(defaults, document.before, wish.list_keys), patch, wish.list_keys)
        patch = merge(patch, defaults, wish.list_keys)
        removals = resolve(changes["remove"], cluster.secret, options.sensitive)
        paths, replacements = _applicable(removals, document.before, current is not None and access.is_ours(current))
        document.wish = replace(
            wish, merge=_choose_sources(merge(patch, replacements, wish.list_keys), cluster, options.sensitive), remove=paths)
        resolved = replace(document.wish, merge=resolve(document.wish.merge, cluster.secret, options.sensitive))
        document.after = merge(remove(document.before, resolved.remove), resolved.merge, resolved.list_keys)
        owned_by = cluster.owners(wish.kind, wish.name, wish.namespace, wish.key)
        document.changes = bool(
            merge_plan.plan(resolved, current, owned_by, options.overwrite_externally_managed, OVERWRITE)
        )
    except DocumentError as error:
        document.problem = f"Cannot merge into {document.place}: it {error}."
    except ValueSourceError as error:
        document.problem = f"In {document.place}: {error}"
    except merge_plan.MergeError as error:
        document.problem = str(error)
    return document


def _in_their_case(patch: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the patch with the fields of its JOBS entries written as the document writes them.

    Go finds fields in any case, and of two the last one wins.
    """
    if "JOBS" not in patch or not isinstance(document.get("JOBS"), list):
        return patch
    entries = {entry.get("name"): entry for entry in document["JOBS"] if isinstance(entry, Mapping)}
    jobs = []
    for job in patch["JOBS"]:
        written = {key.casefold(): key for key in entries.get(job["name"], ())}
        jobs.append({written.get(key.casefold(), key): value for key, value in job.items()})
    return {**patch, "JOBS": jobs}


def _image_configs(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return entry name -> its ``imageConfig``, for the entries that have one."""
    configs = {job.name: job.fields.get("imageconfig") for job in rules.read_jobs(document)}
    return {name: config for name, config in configs.items() if isinstance(config, Mapping)}


def _start(cluster: Cluster, wish: merge_plan.Wish, place: KeyOf | None) -> str:
    """Return the text of another Secret's document, empty where there is none."""
    if place is None:
        return ""
    return merge_plan.text_of(replace(wish, name=place.name, key=place.key), cluster.secret(place.name, wish.namespace))


def _on_own_secret(options: Options) -> Options:
    """Return the options as they are for a Secret that is ours alone: one entry for both storages."""
    if not options.present:
        return replace(options, credentials=own_secret.withdraw_shared(options.credentials))
    credentials, images, buckets = own_secret.share_entry(options.credentials, options.job_images, options.buckets)
    return replace(options, credentials=credentials, job_images=images, buckets=buckets)


def _choose_sources(patch: Any, cluster: Cluster, sensitive: Mapping[str, Any]) -> Any:
    """Return the patch with the first source that has a value, where value_from is a list of sources."""
    if isinstance(patch, Mapping):
        if set(patch) == {"value_from"} and isinstance(patch["value_from"], list) and patch["value_from"]:
            sources = [{"value_from": source} for source in patch["value_from"]]
            return next((source for source in sources if _has_value(source, cluster, sensitive)), sources[0])
        return {key: _choose_sources(value, cluster, sensitive) for key, value in patch.items()}
    return [_choose_sources(item, cluster, sensitive) for item in patch] if isinstance(patch, list) else patch


def _has_value(source: Mapping[str, Any], cluster: Cluster, sensitive: Mapping[str, Any]) -> bool:
    try:
        resolve(source, cluster.secret, sensitive)
    except ValueSourceError:
        return False
    return True


def _missing(defaults: Mapping[str, Any], document: Mapping[str, Any], list_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return those of the defaults for which the document has no value; an empty string is none."""
    missing: dict[str, Any] = {}
    for key, value in defaults.items():
        current = document.get(key, ABSENT)
        if current is ABSENT or current == "":
            missing[key] = value
        elif isinstance(value, Mapping) and isinstance(current, Mapping):
            if inner := _missing(value, current, {}):
                missing[key] = inner
        elif key in list_keys:
            missing[key] = []
            for element in value:
                identity = {list_keys[key]: element[list_keys[key]]}
                found = select(document, [key, identity])
                missing[key].append(identity | _missing(element, {} if found is ABSENT else found, {}))
    return missing


def _applicable(removals: Sequence[Any], document: Mapping[str, Any], created_by_us: bool) -> tuple[list[Any], dict[str, Any]]:
    """Return the paths to remove, those whose condition holds (see the option ``remove``), and what is written in their place.

    Nothing is written in place of what was the last in a document of ours, which goes as a whole.
    """
    paths, last, replaced, replacements = [], [], [], {}
    for removal in removals:
        if not isinstance(removal, Mapping):
            paths.append(removal)
        elif removal.get("last"):
            last.append(removal["path"])
        elif select(document, removal["path"]) == removal["value"]:
            paths.append(removal["path"])
            if "instead" in removal:
                replaced.append(removal["path"])
                key, name = parse_path(removal["path"])
                replacements[key] = {name: removal["instead"]}
    if created_by_us and is_hollow(remove(document, paths + last)):
        return paths + last, {}
    return [path for path in paths if path not in replaced], replacements


def _review(installation: Installation, credentials: Document | None, images: Document | None, options: Options) -> rules.Findings:
    """Return what the rules say about the documents as they would be; each sentence begins with its document."""
    found = rules.Findings()

    def add(document: Document, more: rules.Findings) -> None:
        found.problems.extend(f"In {document.place}: {sentence}" for sentence in more.problems)
        found.warnings.extend(f"In {document.place}: {sentence}" for sentence in more.warnings)

    if credentials is None or credentials.after is None:
        return found
    add(credentials, rules.review_credentials(credentials.after, installation.region, options.buckets))
    add(credentials, rules.review_queue(credentials.before, credentials.after))
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


def _configuration(
    installation: Installation, documents: Sequence[Document], rights: access.AccessPlan, options: Options
) -> list[dict[str, Any]]:
    """Return what the pods read only when they start, as the module k8s_rollout_restart takes it."""
    objects = [(document.wish.kind, document.wish.name, document.changes) for document in documents]
    if options.access.role_arn and installation.service_account:
        account = "ServiceAccount", installation.service_account
        touched = [(each["kind"], each["metadata"]["name"]) for each in (*rights.apply, *rights.delete)]
        objects.append((*account, account in touched))
    return [{"kind": kind, "name": name, "pending": pending} for kind, name, pending in objects]


def _restart(
    cluster: Cluster,
    deployment: Mapping[str, Any] | None,
    configuration: Sequence[Mapping[str, Any]],
    options: Options,
    found: rules.Findings,
) -> bool:
    """Tell whether ssjdispatcher has to be restarted, or a rollout to be waited for; adds to the problems found.

    When we withdraw, a pod that never started with anything of ours is left alone, and so is one that could not start
    with what is left.
    """
    if deployment is None:
        return False
    if not options.present:
        annotations = (deployment["spec"]["template"].get("metadata") or {}).get("annotations") or {}
        if RECORD not in annotations or found.problems:
            return False
    versions = {}
    for each in configuration:
        current = cluster.get(each["kind"], each["name"], cluster.namespace)
        written_later = current is None or each["pending"]
        versions[f"{each['kind']}/{each['name']}"] = PENDING if written_later else version(current["metadata"])
    try:
        stale = bool(plan_restart(deployment, versions))
    except RolloutError as error:
        found.problems.append(str(error))
        return False
    try:
        return stale or waiting_for(deployment) is not None
    except RolloutError:
        return True  # the rollout failed: k8s_rollout_restart waits again, and tells why


def _drift(cluster: Cluster, installation: Installation, rights: access.AccessPlan, documents: Sequence[Document],
           restart: bool) -> list[dict[str, Any]]:
    """Return the changes that are due, as the result ``changes`` of the other modules has them, without any content."""
    def change(action: str, resource: str, attribute: str | None = None) -> dict[str, Any]:
        return {"action": action, "resource": resource, "attribute": attribute}

    def exists(kind: str, name: str, namespace: str) -> bool:
        return cluster.get(kind, name, namespace) is not None

    due = []
    for definition in rights.apply:
        target = (definition["kind"], definition["metadata"]["name"], definition["metadata"]["namespace"])
        due.append(change("update" if exists(*target) else "create", describe(*target)))
    for definition in rights.delete:
        due.append(change("delete", describe(definition["kind"], definition["metadata"]["name"], definition["metadata"]["namespace"])))
    for document in documents:
        wish = document.wish
        if document.changes:
            action = "update" if exists(wish.kind, wish.name, wish.namespace) else "create"
            due.append(change(action, wish.resource, wish.key))
    if restart:
        due.append(change("update", describe("Deployment", installation.deployment, cluster.namespace), "restart"))
    return due


def _owners(cluster: Cluster, installation: Installation, documents: Sequence[Document]) -> list[dict[str, str]]:
    """Return who manages each object: kind, name, namespace, and the owner as ``manager`` and ``manager_name``."""
    objects = [(each.wish.kind, each.wish.name) for each in documents]
    if installation.deployment:
        objects += [("Deployment", installation.deployment), ("ServiceAccount", installation.service_account)]
    return [
        {"kind": kind, "name": name, "namespace": cluster.namespace, "manager": owner.kind, "manager_name": owner.name}
        for kind, name in objects
        for owner in cluster.owners(kind, name, cluster.namespace)
    ]
