# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change on a MinIO server: buckets, policies, users, groups, service accounts, rules. Pure.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._core.changes import Change
from ansible_collections.gen3.uploads.plugins.module_utils._core.names import UPLOAD_EVENTS
from ansible_collections.gen3.uploads.plugins.module_utils._minio.model import GRANTS, Current, policy_for

_FAMILIES = {
    "s3:ObjectCreated:*": (*UPLOAD_EVENTS, *(f"s3:ObjectCreated:{name}" for name in (
        "PutTagging", "DeleteTagging", "PutRetention", "PutLegalHold"))),
    "s3:ObjectRemoved:*": tuple(f"s3:ObjectRemoved:{name}" for name in (
        "Delete", "DeleteMarkerCreated", "NoOP", "DeleteAllVersions")),
    "s3:ObjectAccessed:*": tuple(f"s3:ObjectAccessed:{name}" for name in (
        "Get", "Head", "Attributes", "GetRetention", "GetLegalHold")),
}

MIN_SECRET = 8
"""Characters of a secret, at least."""

_UNITS = {"": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9,
          "TB": 10**12}


def size(text: Any) -> int:
    """Return the bytes of ``10GiB`` or the like, or raise PlanError."""
    match = re.fullmatch(r"\s*([0-9]+)\s*([KMGT]?i?B?)\s*", str(text), re.IGNORECASE)
    unit = match[2].upper() if match else None
    if unit not in _UNITS:
        raise PlanError(f"The quota {text} is no size: write it like 10GiB, or 0 for none.")
    return int(match[1]) * _UNITS[unit]


def plan(current: Current, options: Mapping[str, Any]) -> list[Change]:
    """Return all changes in the order in which they can be made, or raise PlanError for what cannot be."""
    purge = options["purge_access"]
    policies = [change for each in options["policies"] for change in _policy(current, each, purge)]
    users = [change for each in options["users"] for change in _user(current, each, purge)]
    return [
        *(change for change in policies if change.action != "delete"),
        *(change for change in users if change.action != "delete"),
        *(change for each in options["groups"] for change in _group(current, each, purge)),
        *(change for change in users if change.action == "delete"),
        *(change for each in options["service_accounts"] for change in _service_account(current, each, purge)),
        *(change for each in options["buckets"] for change in _bucket(current, each)),
        *rules(current, options),
        # MinIO keeps a policy that is attached.
        *(change for change in policies if change.action == "delete"),
    ]


def rules(current: Current, options: Mapping[str, Any]) -> list[Change]:
    """Return the changes of the buckets' notification rules, or raise PlanError for what cannot be."""
    return [
        *_rules_of_targets(current, options),
        *(change for each in options["buckets"]
          if each["state"] == "present" and each["notifications"] is not None
          for change in _rules(current, each, options)),
    ]


def warnings(current: Current, changes: Sequence[Change]) -> list[str]:
    """Return what may be lost with the changes, in sentences."""
    found = []
    for change in changes:
        if change.operation == "put_rules" and not current.rules_are_whole:
            found.append(
                f"The login lacks the right admin:ExportBucketMetadata, without which MinIO does not show the rules of targets that are not "
                f"live: if {change.resource} has any, writing its rules removes them.")
        if change.operation == "set_versioning" and current.buckets.get(change.parameters["name"], {}).get("excluded_prefixes"):
            prefixes = ", ".join(current.buckets[change.parameters["name"]]["excluded_prefixes"])
            found.append(f"{change.resource} loses the prefixes that are excluded from its versioning ({prefixes}), as MinIO keeps "
                         "them with enabled versioning only.")
        if change.operation == "remove_user" and (accounts := current.users[change.parameters["name"]].get("service_accounts")):
            found.append(f"{change.resource} has the service accounts {', '.join(accounts)}, which MinIO removes with it.")
    return [sentence[0].upper() + sentence[1:] for sentence in dict.fromkeys(found)]


def _bucket(current: Current, desired: Mapping[str, Any]) -> Iterable[Change]:
    name = desired["name"]
    resource, found = f"bucket {name}", current.buckets.get(name)
    if desired["state"] == "absent":
        if found is not None:
            yield Change("delete", resource, operation="remove_bucket", parameters={"name": name})
        return
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise PlanError(f"{name} is no name for a bucket: use 3 to 63 lower-case letters, digits, dots and dashes.")
    if found is None:
        found = {"object_lock": desired["object_lock"], "quota": 0,
                 "versioning": "enabled" if desired["object_lock"] else None}
        yield Change("create", resource, after={"object_lock": desired["object_lock"]}, operation="make_bucket",
                     parameters={"name": name, "object_lock": desired["object_lock"]})
    if desired["object_lock"] and not found["object_lock"]:
        raise PlanError(f"Bucket {name} exists without object lock, which can only be had at creation: make another.")
    if desired["versioning"] and desired["versioning"] != found["versioning"]:
        if found["object_lock"]:
            raise PlanError(f"Bucket {name} has object lock, which needs versioning: leave its versioning enabled.")
        yield Change("update", resource, "versioning", found["versioning"], desired["versioning"], "set_versioning",
                     {"name": name, "versioning": desired["versioning"]})
    if desired["quota"] is not None and size(desired["quota"]) != found["quota"]:
        yield Change("update", resource, "quota", found["quota"], size(desired["quota"]), "set_quota",
                     {"name": name, "quota": size(desired["quota"])})


def normalized(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a rule does, so that two that do the same are equal; the region of the ARN says nothing."""
    events = {one for event in rule["events"] for one in _FAMILIES.get(event, (event,))}
    return rule["id"], _target_name(rule["arn"]), frozenset(events), rule["prefix"] or "", rule["suffix"] or ""


def _rules(current: Current, bucket: Mapping[str, Any], options: Mapping[str, Any]) -> list[Change]:
    found = current.buckets.get(bucket["name"], {}).get("rules", [])
    to_go = _target_names(options["remove_target_arns"])
    desired = [_rule(current, bucket["name"], each) for each in bucket["notifications"]]
    ids = [rule["id"] for rule in desired]
    if len(set(ids)) != len(ids):
        raise PlanError(f"Bucket {bucket['name']} has two rules of one id: give each its own.")
    for rule, each in zip(desired, bucket["notifications"]):
        if not (options["purge_notifications"] or each["take_over"]):
            _refuse_loss(bucket["name"], rule, found, to_go)
    # MinIO refuses two rules that do the same, so ours takes the place of one under another id.
    same = [normalized(rule)[1:] for rule in desired]
    kept = [] if options["purge_notifications"] else [
        rule for rule in found
        if rule["id"] not in ids and normalized(rule)[1:] not in same and _target_name(rule["arn"]) not in to_go]
    if sorted(map(_order, found)) == sorted(map(_order, kept + desired)):
        return []
    return [_put_rules(bucket["name"], found, _that_can_be_written(current, bucket["name"], kept, options) + desired)]


def _refuse_loss(bucket: str, desired: Mapping[str, Any], found: Sequence[Mapping[str, Any]], to_go: Collection[tuple[str, ...]]) -> None:
    """Raise PlanError if a rule with the id of ours sends keys, or to another target, that it would send no more: it may be another's."""
    for rule in found:
        prefix, suffix = rule["prefix"] or "", rule["suffix"] or ""
        all_keys = prefix.startswith(desired["prefix"] or "") and suffix.endswith(desired["suffix"] or "")
        same_target = _target_name(rule["arn"]) == _target_name(desired["arn"])
        if rule["id"] == desired["id"] and _target_name(rule["arn"]) not in to_go and not (all_keys and same_target):
            raise PlanError(
                f"Bucket {bucket} already has a rule {rule['id']} that sends keys with prefix {prefix!r} and suffix {suffix!r} to {rule['arn']}, "
                "and ours in its place would send less of that. If another pipeline needs it, give this bucket an id of its own; if not, set "
                "take_over for the bucket.")


def _that_can_be_written(current: Current, bucket: str, kept: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
    """Return those of the rules to keep that MinIO takes, which are those of live targets.

    Raises PlanError where others would be lost without consent.
    """
    live = _target_names(current.arns)
    dead = [rule for rule in kept if _target_name(rule["arn"]) not in live]
    if dead and not options["discard_dead_rules"]:
        named = ", ".join(f"{rule['id']} to {rule['arn']}" for rule in dead)
        raise PlanError(
            f"Bucket {bucket} has rules whose targets are not live ({named}), and MinIO takes no list of rules with them, so that they "
            "would be lost. Bring the targets back and run again, or name them in remove_target_arns, or give the rules up with "
            "discard_dead_rules (of the role minio: minio_discard_dead_rules).")
    return [rule for rule in kept if rule not in dead]


def _order(rule: Mapping[str, Any]) -> str:
    identifier, target, events, prefix, suffix = normalized(rule)
    return repr((identifier, target, sorted(events), prefix, suffix))


def _rule(current: Current, bucket: str, desired: Mapping[str, Any]) -> dict[str, Any]:
    kind, dummy, identifier = desired["target"].partition("/")
    arn = f"arn:minio:sqs:{current.region}:{identifier}:{kind}"
    if arn not in current.arns:
        raise PlanError(f"Bucket {bucket} cannot send to {desired['target']}, as the server has no such target: it has "
                        f"{', '.join(current.arns) or 'none'}. Configure the target and restart the server first.")
    return {"id": desired["id"], "arn": arn, "events": list(desired["events"]), "prefix": desired["prefix"],
            "suffix": desired["suffix"]}


def _target_name(arn: str) -> tuple[str, ...]:
    """Return id and type of a target; the region of its ARN says nothing."""
    return tuple(arn.split(":")[4:])


def _target_names(arns: Iterable[str]) -> set[tuple[str, ...]]:
    return set(map(_target_name, arns))


def _rules_of_targets(current: Current, options: Mapping[str, Any]) -> Iterable[Change]:
    gone, only = _target_names(options["remove_target_arns"]), options["remove_target_from"]
    others = [] if only is None else [name for name in senders(current, options) if name not in only]
    if others and not options["keep_shared"]:
        raise PlanError(
            f"The bucket{'s' if len(others) > 1 else ''} {', '.join(others)} still send{'' if len(others) > 1 else 's'} to "
            f"{', '.join(options['remove_target_arns'])}, and nobody would take the events any more: take down what uses "
            f"{'these' if len(others) > 1 else 'it'} first, or set keep_shared (uploads_keep_shared for teardown.yml) to leave them that.")
    for name, bucket in current.buckets.items():
        if name in others:
            continue
        left = [rule for rule in bucket["rules"] if _target_name(rule["arn"]) not in gone]
        if left != bucket["rules"]:
            yield _put_rules(name, bucket["rules"], _that_can_be_written(current, name, left, options))


def senders(current: Current, options: Mapping[str, Any]) -> list[str]:
    """Return the buckets with a rule to one of the targets to remove."""
    gone = _target_names(options["remove_target_arns"])
    return [name for name, bucket in current.buckets.items() if any(_target_name(rule["arn"]) in gone for rule in bucket["rules"])]


def _put_rules(bucket: str, before: Sequence[Any], after: Sequence[Any]) -> Change:
    action = "create" if not before else "update" if after else "delete"
    return Change(action, f"bucket {bucket}", "notifications", list(before) or None, list(after) or None, "put_rules",
                  {"bucket": bucket, "rules": after})


def _document(desired: Mapping[str, Any], found: Any, purge: bool) -> Any:
    """Return the document of a policy. A granted one keeps the other buckets and statements that it has: another run may need them."""
    if not desired["grant"]:
        return desired["policy"]
    buckets, kept, listable = list(desired["buckets"]), [], []
    for statement in [] if purge else _statements(found):
        grant, names = _granted_by(statement)
        if grant == desired["grant"]:
            buckets += names
        elif grant is None:
            kept.append(statement)
        elif grant == _LISTING:
            listable += names
        elif names := [name for name in names if name not in buckets]:
            kept.append({**statement, "Resource": [f"arn:aws:s3:::{name}/*" for name in names]})
    document = policy_for(desired["grant"], list(dict.fromkeys(buckets)))
    if others := [name for name in dict.fromkeys(listable) if name not in buckets]:
        kept.append(policy_for(desired["grant"], others)["Statement"][1])
    return {**document, "Statement": [*document["Statement"], *kept]}


_LISTING = "listing"


def _granted_by(statement: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """Return of which grant a statement of ``policy_for`` is, or that it is its _LISTING, and the buckets; None for any other statement."""
    def listed(name: str) -> list[str]:
        value = statement.get(name) or []
        return [value] if isinstance(value, str) else list(value)

    names = [arn.removeprefix("arn:aws:s3:::").removesuffix("/*") for arn in listed("Resource")]
    for grant in GRANTS if not any("/" in name or "*" in name for name in names) else ():
        for kind, ours in zip((grant, _LISTING), policy_for(grant, names)["Statement"]):
            if _normalized({"Statement": [{**ours, "Sid": statement.get("Sid")}]}) == _normalized({"Statement": [statement]}):
                return kind, names
    return None, []


def same_policy(one: Any, other: Any) -> bool:
    """Tell whether two documents say the same; MinIO turns single words into lists and sorts them."""
    return _normalized(one) == _normalized(other)


def _normalized(document: Any) -> Any:
    def listed(value: Any) -> Any:
        return sorted(value) if isinstance(value, list) else [value]

    return sorted(repr(sorted((key, listed(value) if key in ("Action", "NotAction", "Resource") else value)
                              for key, value in each.items() if value)) for each in _statements(document))


def _statements(document: Any) -> list[Mapping[str, Any]]:
    statements = (document or {}).get("Statement") or []
    return statements if isinstance(statements, list) else [statements]


def _policy(current: Current, desired: Mapping[str, Any], purge: bool) -> Iterable[Change]:
    name, found = desired["name"], current.policies.get(desired["name"])
    if desired["state"] == "absent":
        if found is not None:
            yield Change("delete", f"policy {name}", before=found, operation="remove_policy", parameters={"name": name})
        return
    document = _document(desired, found, purge)
    if found is None or not same_policy(found, document):
        yield Change("update" if found else "create", f"policy {name}", before=found, after=document,
                     operation="put_policy", parameters={"name": name, "policy": document})


def _user(current: Current, desired: Mapping[str, Any], purge: bool) -> Iterable[Change]:
    name, found = desired["name"], current.users.get(desired["name"])
    resource = f"user {name}"
    if desired["state"] == "absent":
        if found is not None:
            yield Change("delete", resource, operation="remove_user", parameters={"name": name})
        return
    if found is None and not desired["secret"]:
        raise PlanError(f"User {name} does not exist and has no secret: give it one of 8 characters or more.")
    _check_secret(f"User {name}", desired["secret"])
    in_force = (found or {}).get("secret_in_force")
    # MinIO refuses a disabled user whatever its secret is, and the one it has may be why it was disabled.
    unknown = in_force is None and found is not None and not found["enabled"] and desired["enabled"] and desired["secret"]
    another = found is not None and (in_force is False or bool(unknown))
    if found is None or another:
        yield Change("update" if found else "create", resource, "secret" if found else None, operation="put_user",
                     parameters={"name": name, "secret": desired["secret"]})
    # Setting the secret enables the user.
    enabled = True if found is None or another else found["enabled"]
    attached = _attached(resource, "user", name, (found or {}).get("policies", []), desired["policies"], purge)
    switched = [Change("update", resource, "enabled", enabled, desired["enabled"], "enable_user",
                       {"name": name, "enabled": desired["enabled"]})] if desired["enabled"] != enabled else []
    if attached and not enabled and not desired["enabled"]:
        raise PlanError(f"User {name} is disabled, and MinIO changes the policies of enabled users only: enable it, or "
                        "leave its policies as they are.")
    yield from (*switched, *attached) if desired["enabled"] else (*attached, *switched)


def _attached(resource: str, kind: str, name: str, found: Sequence[str], desired: Sequence[str] | None, purge: bool) -> list[Change]:
    after = _with_kept(found, desired, purge)
    if set(found) == set(after):
        return []
    return [Change("update", resource, "policies", sorted(found), after, "attach", {
        kind: name, "add": sorted(set(after) - set(found)), "remove": sorted(set(found) - set(after))})]


def _with_kept(found: Sequence[str], desired: Sequence[str] | None, purge: bool) -> list[str]:
    """Return what a list shall hold: what is there stays, as others may need it, unless it is to be purged."""
    if desired is None:
        return sorted(found)
    return sorted(set(desired) if purge else {*found, *desired})


def _group(current: Current, desired: Mapping[str, Any], purge: bool) -> Iterable[Change]:
    name, found = desired["name"], current.groups.get(desired["name"])
    resource, members = f"group {name}", (found or {}).get("members", [])
    if desired["state"] == "absent":
        if found is not None:
            yield Change("delete", resource, before={"members": members}, operation="remove_group",
                         parameters={"name": name, "members": members})
        return
    target = _with_kept(members, desired["members"], purge)
    if found is None or sorted(members) != target:
        yield Change("update" if found else "create", resource, "members", sorted(members), target, "set_members", {
            "name": name, "add": sorted(set(target) - set(members)), "remove": sorted(set(members) - set(target))})
    if desired["enabled"] != (found or {}).get("enabled", True):
        yield Change("update", resource, "enabled", not desired["enabled"], desired["enabled"], "enable_group",
                     {"name": name, "enabled": desired["enabled"]})
    yield from _attached(resource, "group", name, (found or {}).get("policies", []), desired["policies"], purge)


def _service_account(current: Current, desired: Mapping[str, Any], purge: bool) -> Iterable[Change]:
    key, found = desired["access_key"], current.service_accounts.get(desired["access_key"])
    resource = f"service account {key}"
    if desired["state"] == "absent":
        if found is not None:
            yield Change("delete", resource, operation="remove_service_account", parameters={"key": key})
        return
    document = _document(desired, (found or {}).get("policy"), purge)
    _check_secret(f"Service account {key}", desired["secret"])
    if found is None:
        if not desired["secret"]:
            raise PlanError(f"Service account {key} does not exist and has no secret: give it one.")
        yield Change("create", resource, after={"policy": document}, operation="add_service_account",
                     parameters={"key": key, "secret": desired["secret"], "policy": document})
        return
    another_policy = bool(document) and not same_policy(found["policy"], document)
    # MinIO takes an update without a policy as one that removes it, and the account could then do all that its owner can.
    policy = document if another_policy else found["policy"]
    if found.get("secret_in_force") is False:
        yield Change("update", resource, "secret", operation="update_service_account",
                     parameters={"key": key, "secret": desired["secret"], "policy": policy})
    if another_policy:
        yield Change("update", resource, "policy", found["policy"], document, "update_service_account",
                     {"key": key, "policy": document})


def _check_secret(whose: str, secret: str | None) -> None:
    """Raise PlanError for a secret that MinIO refuses (``minio/auth``, ``IsSecretKeyValid``)."""
    if secret and len(secret) < MIN_SECRET:
        raise PlanError(f"{whose} has a secret of {len(secret)} characters: MinIO takes {MIN_SECRET} or more.")
