# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls to MinIO: one function, one object, one context for its errors.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

try:
    from minio.commonconfig import ENABLED
    from minio.error import MinioAdminException, S3Error
    from minio.notificationconfig import NotificationConfig, PrefixFilterRule, QueueConfig, SuffixFilterRule
    from minio.versioningconfig import SUSPENDED, VersioningConfig
    from minio.xml import unmarshal
except ImportError:
    pass  # _minio_client reports the missing library.

from ansible_collections.gen3.uploads.plugins.module_utils._minio.client import Connection, admin_code, error_context
from ansible_collections.gen3.uploads.plugins.module_utils._minio.model import Current


_NO_EXPORT = ("AccessDenied", "NotImplemented", "MethodNotAllowed", "XMinioAdminVersionMismatch")
"""How a server answers who may not export the metadata of buckets, and how one that cannot."""


class Server:
    """What can be read of a server and changed on it."""

    def __init__(self, connection: Connection):
        self._connection, self._s3, self._admin = connection, connection.s3, connection.admin
        self._rules_are_whole = True

    def observe(self, options: Mapping[str, Any]) -> Current:
        """Read all that a plan for these options looks at."""
        with error_context("read the state of the MinIO server"):
            info = json.loads(self._admin.info())
        with error_context("list the buckets"):
            existing = [bucket.name for bucket in self._s3.list_buckets()]
        named = {bucket["name"] for bucket in options["buckets"]}
        buckets = {name: self._bucket(name, name in named) for name in existing
                   if name in named or options["remove_target_arns"]}
        with error_context("list the policies"):
            policies = json.loads(self._admin.policy_list()) if options["policies"] else {}
        with error_context("list the users"):
            users = json.loads(self._admin.user_list()) if options["users"] else {}
        secrets = {user["name"]: user["secret"] for user in options["users"] if user["state"] == "present"}
        to_go = {user["name"] for user in options["users"] if user["state"] == "absent"}
        return Current(
            info.get("region") or "", info.get("sqsARN") or [], buckets, policies,
            {name: {"enabled": user.get("status") == "enabled", "policies": _words(user.get("policyName")),
                    "secret_in_force": self._in_force(name, secrets.get(name)),
                    "service_accounts": self._service_accounts_of(name) if name in to_go else []}
             for name, user in users.items()},
            self._groups([group["name"] for group in options["groups"]]),
            self._service_accounts(options["service_accounts"]),
            self._rules_are_whole)

    def rules(self, bucket: str) -> list[dict[str, Any]]:
        """Return the notification rules that a bucket has now.

        MinIO's GetBucketNotification leaves out a rule whose target is not live, and forgets it in its memory until the next
        start. The export of the bucket's metadata has all rules and needs the right ``admin:ExportBucketMetadata``.
        """
        with error_context(f"read the notifications of bucket {bucket}"):
            stored = self._exported_rules(bucket) if self._rules_are_whole else None
            if stored is None:
                self._rules_are_whole = False
                stored = self._s3.get_bucket_notification(bucket_name=bucket)
        return [{"id": rule.config_id, "arn": rule.queue, "events": list(rule.events),
                 "prefix": rule.prefix_filter_rule.value if rule.prefix_filter_rule else "",
                 "suffix": rule.suffix_filter_rule.value if rule.suffix_filter_rule else ""}
                for rule in stored.queue_config_list]

    def _exported_rules(self, bucket: str) -> Any:
        """Return the stored NotificationConfig of a bucket; None where the login or the server cannot export it."""
        try:
            response = self._call("GET", "export-bucket-metadata", bucket=bucket)
        except MinioAdminException as error:
            if admin_code(error) in _NO_EXPORT:
                return None
            raise
        with ZipFile(BytesIO(response.data)) as exported:
            return unmarshal(NotificationConfig, exported.read(f"{bucket}/notification.xml").decode())

    def _call(self, method: str, command: str, body: bytes | None = None, **query: str) -> Any:
        """Make a call of the admin API that the SDK lacks."""
        return self._admin._url_open(method=method, command=SimpleNamespace(value=command), query_params=query, body=body)

    def _in_force(self, key: str, secret: str | None) -> bool | None:
        """Return whether a call signed with this secret is one of this key; None where that cannot be told.

        MinIO shows no secret. It judges the signature before the rights, and refuses a disabled user before both.
        """
        if not secret:
            return None
        with error_context(f"try the secret of {key}"):
            try:
                self._connection.as_another(key, secret).list_buckets()
            except S3Error as error:
                return {"SignatureDoesNotMatch": False, "AccessDenied": True}.get(error.code)
        return True

    def _bucket(self, name: str, whole: bool) -> dict[str, Any]:
        rules = self.rules(name)
        if not whole:
            return {"rules": rules}
        with error_context(f"read bucket {name}"):
            versioning = self._s3.get_bucket_versioning(bucket_name=name)
            quota = json.loads(self._admin.bucket_quota_get(bucket=name))
            try:
                self._s3.get_object_lock_config(bucket_name=name)
                locked = True
            except S3Error as error:
                if error.code != "ObjectLockConfigurationNotFoundError":
                    raise
                locked = False
        # A size is MinIO's newer word, and counts where both are given (minio ``cmd/bucket-quota.go``).
        return {"rules": rules, "quota": quota.get("size") or quota.get("quota") or 0, "object_lock": locked,
                "versioning": {ENABLED: "enabled", SUSPENDED: "suspended"}.get(versioning.status),
                "excluded_prefixes": versioning.excluded_prefixes or []}

    def _groups(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        with error_context("list the groups"):
            existing = sorted(set(names) & set(json.loads(self._admin.group_list()) or [])) if names else []
            # A disabled group says nothing of its policies itself.
            entities = json.loads(self._admin.get_policy_entities(users=[], groups=existing, policies=[])) if existing else {}
        policies = {each["group"]: each["policies"] for each in entities.get("groupMappings") or []}
        found = {}
        for name in existing:
            with error_context(f"read group {name}"):
                group = json.loads(self._admin.group_info(group_name=name))
            found[name] = {"members": group.get("members") or [], "enabled": group.get("status") != "disabled",
                           "policies": policies.get(name, [])}
        return found

    def _service_accounts(self, desired: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        found = {}
        for each in desired:
            key = each["access_key"]
            with error_context(f"read service account {key}"):
                try:
                    account = json.loads(self._admin.get_service_account(access_key=key))
                except MinioAdminException as error:
                    if admin_code(error) != "XMinioInvalidIAMCredentials":
                        raise
                    continue
            # Without one of its own, MinIO shows the policies of its owner.
            policy = None if account.get("impliedPolicy") else account.get("policy")
            found[key] = {"policy": json.loads(policy) if isinstance(policy, str) and policy else policy,
                          "secret_in_force": self._in_force(key, each["secret"] if each["state"] == "present" else None)}
        return found

    def _service_accounts_of(self, user: str) -> list[str]:
        with error_context(f"list the service accounts of {user}"):
            return [account["accessKey"] for account in json.loads(self._admin.list_service_account(user=user)).get("accounts") or []]

    def make_bucket(self, name: str, object_lock: bool) -> None:
        """Create a bucket."""
        with error_context(f"create bucket {name}"):
            self._s3.make_bucket(bucket_name=name, object_lock=object_lock)

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket; MinIO refuses one that is not empty."""
        with error_context(f"remove bucket {name}"):
            self._s3.remove_bucket(bucket_name=name)

    def set_versioning(self, name: str, versioning: str) -> None:
        """Enable or suspend the versioning of a bucket."""
        with error_context(f"set the versioning of bucket {name}"):
            self._s3.set_bucket_versioning(bucket_name=name, config=VersioningConfig(
                status=ENABLED if versioning == "enabled" else SUSPENDED,
                exclude_folders=self._s3.get_bucket_versioning(bucket_name=name).exclude_folders))

    def set_quota(self, name: str, quota: int) -> None:
        """Set the quota of a bucket in bytes; 0 is none. Its other limits stay, which the call would reset."""
        with error_context(f"set the quota of bucket {name}"):
            limits = json.loads(self._admin.bucket_quota_get(bucket=name))
            body = json.dumps({**limits, "quota": quota, "size": quota, "quotatype": "hard"}).encode()
            self._call("PUT", "set-bucket-quota", body, bucket=name)

    def put_rules(self, bucket: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the notification rules of a bucket."""
        with error_context(f"write the notifications of bucket {bucket}"):
            self._s3.set_bucket_notification(bucket_name=bucket, config=NotificationConfig(queue_config_list=[
                QueueConfig(queue=rule["arn"], events=list(rule["events"]), config_id=rule["id"],
                            prefix_filter_rule=PrefixFilterRule(rule["prefix"]) if rule["prefix"] else None,
                            suffix_filter_rule=SuffixFilterRule(rule["suffix"]) if rule["suffix"] else None)
                for rule in rules]))

    def put_policy(self, name: str, policy: Any) -> None:
        """Create or replace a policy."""
        with error_context(f"write policy {name}"):
            self._admin.policy_add(policy_name=name, policy=policy)

    def remove_policy(self, name: str) -> None:
        """Remove a policy; MinIO refuses one that is attached."""
        with error_context(f"remove policy {name}"):
            self._admin.policy_remove(policy_name=name)

    def put_user(self, name: str, secret: str) -> None:
        """Create a user, or set its secret."""
        with error_context(f"set the secret of user {name}"):
            self._admin.user_add(access_key=name, secret_key=secret)

    def enable_user(self, name: str, enabled: bool) -> None:
        """Enable or disable a user."""
        with error_context(f"{'enable' if enabled else 'disable'} user {name}"):
            (self._admin.user_enable if enabled else self._admin.user_disable)(access_key=name)

    def remove_user(self, name: str) -> None:
        """Remove a user."""
        with error_context(f"remove user {name}"):
            self._admin.user_remove(access_key=name)

    def attach(self, add: Sequence[str], remove: Sequence[str], **whom: str) -> None:
        """Attach and detach policies of a ``user`` or ``group``."""
        with error_context(f"attach policies to {' '.join(*whom.items())}"):
            if add:
                self._admin.attach_policy(policies=list(add), **whom)
            if remove:
                self._admin.detach_policy(policies=list(remove), **whom)

    def set_members(self, name: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Add and remove members of a group, which is created if there is none."""
        with error_context(f"set the members of group {name}"):
            if add or not remove:
                self._admin.group_add(group_name=name, members=list(add))
            if remove:
                self._admin.group_remove(group_name=name, members=list(remove))

    def enable_group(self, name: str, enabled: bool) -> None:
        """Enable or disable a group."""
        with error_context(f"{'enable' if enabled else 'disable'} group {name}"):
            (self._admin.group_enable if enabled else self._admin.group_disable)(group_name=name)

    def remove_group(self, name: str, members: Sequence[str]) -> None:
        """Remove a group, for which MinIO wants it empty."""
        with error_context(f"remove group {name}"):
            if members:
                self._admin.group_remove(group_name=name, members=list(members))
            self._admin.group_remove(group_name=name, members=[])

    def add_service_account(self, key: str, secret: str, policy: Any) -> None:
        """Create a service account of the administrator in use, limited by ``policy``."""
        with error_context(f"create service account {key}"):
            self._admin.add_service_account(access_key=key, secret_key=secret, policy=policy)

    def update_service_account(self, key: str, secret: str | None = None, policy: Any = None) -> None:
        """Set the secret or the policy of a service account."""
        with error_context(f"update service account {key}"):
            self._admin.update_service_account(access_key=key, secret_key=secret, policy=policy)

    def remove_service_account(self, key: str) -> None:
        """Remove a service account."""
        with error_context(f"remove service account {key}"):
            self._admin.delete_service_account(access_key=key)


def _words(text: str | None) -> list[str]:
    return [word for word in (text or "").split(",") if word]
