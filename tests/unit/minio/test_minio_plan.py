"""What minio_resources plans."""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._core.errors import PlanError
from ansible_collections.gen3.uploads.plugins.module_utils._minio import model
from ansible_collections.gen3.uploads.plugins.module_utils._minio import plan as planning

ARN = "arn:minio:sqs:us-east-1:GEN3:webhook"
RULE = {"id": "r", "arn": ARN, "events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"], "prefix": "", "suffix": ""}


def rules(found, desired, arns=(ARN,), **options):
    current = model.Current("us-east-1", arns, {"bucket": {"rules": found}})
    return planning._rules(current, {"name": "bucket", "notifications": desired}, {
        "purge_notifications": False, "remove_target_arns": [], "remove_target_from": None, "keep_shared": False,
        "discard_dead_rules": False, **options})


WANTED = {"id": "r", "target": "webhook/GEN3", "events": ["s3:ObjectCreated:Copy", "s3:ObjectCreated:Put"],
          "prefix": "", "suffix": "", "take_over": False}


@pytest.mark.parametrize("found", [RULE, {**RULE, "arn": "arn:minio:sqs::GEN3:webhook"}])
def test_a_rule_of_the_same_meaning_is_no_change(found):
    assert rules([found], [WANTED]) == []


@pytest.mark.parametrize(("found", "desired"), [
    ({}, {"events": ["s3:ObjectCreated:*"]}), ({"prefix": "a/b"}, {"prefix": "a/"}), ({"suffix": ".bam"}, {}),
    ({}, {"prefix": "a/", "take_over": True}), ({"prefix": "a/"}, {"prefix": "b/", "take_over": True})])
def test_a_rule_of_another_meaning_is_replaced(found, desired):
    change, = rules([{**RULE, **found}], [{**WANTED, **desired}])
    assert change.operation == "put_rules" and len(change.parameters["rules"]) == 1


@pytest.mark.parametrize(("found", "desired"), [
    ({"prefix": "a/"}, {"prefix": "b/"}), ({}, {"prefix": "b/"}), ({}, {"suffix": ".bam"}), ({"suffix": ".txt"}, {"suffix": ".bam"}),
    ({"arn": ARN.replace("GEN3", "THEIRS")}, {})])
def test_a_rule_with_our_id_that_would_send_less_may_be_anothers(found, desired):
    with pytest.raises(PlanError, match="Bucket bucket already has a rule r .*give this bucket an id of its own"):
        rules([{**RULE, **found}], [{**WANTED, **desired}], arns=(ARN, ARN.replace("GEN3", "THEIRS")))


def test_a_teardown_takes_the_rules_of_its_buckets_and_refuses_while_others_send():
    current = {"buckets": {"ours": {"rules": [RULE]}, "theirs": {"rules": [RULE]}}}
    options = {"remove_target_arns": [ARN], "remove_target_from": ["ours"]}
    with pytest.raises(PlanError, match="The bucket theirs still sends to .*keep_shared"):
        plan(current, **options)
    change, = plan(current, **options, keep_shared=True)
    assert change.resource == "bucket ours" and change.parameters["rules"] == []
    assert len(plan(current, **{**options, "remove_target_from": None})) == 2


@pytest.mark.parametrize("purge, left", [(False, {"foreign", "r"}), (True, {"r"})])
def test_foreign_rules_go_only_when_told(purge, left):
    change, = rules([{**RULE, "id": "foreign", "prefix": "theirs/"}], [WANTED], purge_notifications=purge)
    assert {rule["id"] for rule in change.parameters["rules"]} == left


def test_a_foreign_rule_that_does_the_same_gives_way():
    change, = rules([{**RULE, "id": "theirs"}], [WANTED])
    assert [rule["id"] for rule in change.parameters["rules"]] == ["r"]


def test_a_target_that_is_not_live_is_refused():
    with pytest.raises(PlanError, match="no such target"):
        rules([], [WANTED], arns=())


DEAD = {**RULE, "id": "theirs", "arn": "arn:minio:sqs:us-east-1:GONE:kafka"}


def test_rules_whose_targets_are_not_live_are_not_lost_without_consent():
    with pytest.raises(PlanError, match=r"not live \(theirs to arn:minio:sqs:us-east-1:GONE:kafka\).*minio_discard_dead_rules"):
        rules([DEAD], [WANTED])
    with pytest.raises(PlanError, match="not live"):
        plan({"buckets": {"b": {"rules": [DEAD, RULE]}}}, remove_target_arns=[ARN])


def test_rules_whose_targets_are_not_live_matter_only_where_rules_are_written():
    assert rules([DEAD, RULE], [WANTED]) == []


@pytest.mark.parametrize("consent", [
    {"discard_dead_rules": True}, {"purge_notifications": True}, {"remove_target_arns": ["arn:minio:sqs::GONE:kafka"]}])
def test_rules_whose_targets_are_not_live_go_by_consent(consent):
    change, = rules([DEAD], [WANTED], **consent)
    assert [rule["id"] for rule in change.parameters["rules"]] == ["r"] and DEAD in change.before


def test_a_rule_of_ours_leaves_the_target_that_is_gone():
    change, = rules([{**DEAD, "id": "r"}], [{**WANTED, "take_over": True}])
    assert [rule["arn"] for rule in change.parameters["rules"]] == [ARN]


@pytest.mark.parametrize(("whole", "written", "said"), [(True, True, 0), (False, True, 1), (False, False, 0)])
def test_what_a_login_cannot_see_is_said_where_it_may_be_lost(whole, written, said):
    changes = rules([] if written else [RULE], [WANTED])
    sentences = planning.warnings(model.Current("us-east-1", [ARN], rules_are_whole=whole), changes)
    assert len(sentences) == said and all("admin:ExportBucketMetadata" in sentence for sentence in sentences)


def test_prefixes_that_are_lost_with_versioning_are_said():
    bucket = {"object_lock": False, "quota": 0, "versioning": "enabled", "excluded_prefixes": ["tmp/"], "rules": []}
    current = model.Current("us-east-1", [ARN], {"bucket": bucket})
    desired = {"name": "bucket", "state": "present", "versioning": "suspended", "object_lock": False, "quota": None, "notifications": None}
    sentence, = planning.warnings(current, list(planning._bucket(current, desired)))
    assert sentence.startswith("Bucket bucket loses") and "tmp/" in sentence


def test_service_accounts_that_go_with_their_user_are_said():
    current = model.Current("us-east-1", users={"u": {**LIVE_USER, "service_accounts": ["job", "other"]}, "v": LIVE_USER})
    changes = [change for name in "uv" for change in planning._user(current, {**USER, "name": name, "state": "absent"}, False)]
    sentence, = planning.warnings(current, changes)
    assert sentence == "User u has the service accounts job, other, which MinIO removes with it."


@pytest.mark.parametrize("text, number", [("10GiB", 10 * 2**30), ("0", 0), ("5 MB", 5 * 10**6), (7, 7)])
def test_a_size_is_read(text, number):
    assert planning.size(text) == number


@pytest.mark.parametrize("text", ["", "ten", "-1", "1XB"])
def test_no_size_is_refused(text):
    with pytest.raises(PlanError):
        planning.size(text)


def plan(current=None, **options):
    empty = {kind: [] for kind in ("policies", "users", "groups", "service_accounts", "buckets", "remove_target_arns")}
    return planning.plan(model.Current("us-east-1", [ARN], **(current or {})), {
        **empty, "purge_notifications": False, "purge_access": False, "remove_target_from": None, "keep_shared": False,
        "discard_dead_rules": False, **options})


def named(changes):
    return [(change.action, change.resource, change.attribute) for change in changes]


GRANT = {"name": "p", "state": "present", "grant": "indexer", "policy": None, "buckets": ["b"]}
AS_STORED = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::b"]},
    {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/*"]}]}
USER = {"name": "u", "state": "present", "secret": "12345678", "enabled": True, "policies": ["p"]}
LIVE_USER = {"enabled": True, "policies": ["p"]}
GROUP = {"name": "g", "state": "present", "enabled": True, "members": ["u"], "policies": ["p"]}
LIVE_GROUP = {"enabled": True, "members": ["u"], "policies": ["p"]}
ACCOUNT = {"access_key": "a", "state": "present", "secret": "12345678", "grant": "indexer", "policy": None,
           "buckets": ["b"]}
LIVE_ACCOUNT = {"policy": AS_STORED}


@pytest.mark.parametrize(("kind", "live", "desired", "changes"), [
    ("policies", {}, GRANT, [("create", "policy p", None)]),
    ("policies", {"p": AS_STORED}, GRANT, []),
    ("policies", {"p": {**AS_STORED, "Statement": AS_STORED["Statement"][:1]}}, GRANT, [("update", "policy p", None)]),
    ("policies", {"p": AS_STORED}, {**GRANT, "state": "absent"}, [("delete", "policy p", None)]),
    ("policies", {}, {**GRANT, "state": "absent"}, []),
    ("users", {}, USER, [("create", "user u", None), ("update", "user u", "policies")]),
    ("users", {"u": LIVE_USER}, USER, []),
    ("users", {"u": {**LIVE_USER, "secret_in_force": True}}, USER, []),
    ("users", {"u": {**LIVE_USER, "secret_in_force": None}}, USER, []),
    ("users", {"u": {**LIVE_USER, "secret_in_force": False}}, USER, [("update", "user u", "secret")]),
    ("users", {"u": LIVE_USER}, {**USER, "policies": None}, []),
    ("users", {"u": LIVE_USER}, {**USER, "policies": []}, []),
    ("users", {"u": {**LIVE_USER, "policies": ["readwrite"]}}, USER, [("update", "user u", "policies")]),
    ("users", {"u": LIVE_USER}, {**USER, "enabled": False}, [("update", "user u", "enabled")]),
    # Setting the secret of a disabled user enables it.
    ("users", {"u": {**LIVE_USER, "enabled": False, "secret_in_force": False}}, {**USER, "enabled": False},
     [("update", "user u", "secret"), ("update", "user u", "enabled")]),
    # MinIO changes the policies of enabled users only.
    ("users", {"u": LIVE_USER}, {**USER, "enabled": False, "policies": ["q"]},
     [("update", "user u", "policies"), ("update", "user u", "enabled")]),
    ("users", {"u": {**LIVE_USER, "enabled": False}}, {**USER, "secret": None, "policies": ["q"]},
     [("update", "user u", "enabled"), ("update", "user u", "policies")]),
    # Nobody can try the secret of a disabled user: with the one that it was disabled for, it is not enabled.
    ("users", {"u": {**LIVE_USER, "enabled": False, "secret_in_force": None}}, USER, [("update", "user u", "secret")]),
    ("users", {"u": LIVE_USER}, {**USER, "state": "absent"}, [("delete", "user u", None)]),
    ("groups", {}, GROUP, [("create", "group g", "members"), ("update", "group g", "policies")]),
    ("groups", {"g": LIVE_GROUP}, GROUP, []),
    ("groups", {"g": LIVE_GROUP}, {**GROUP, "members": None, "policies": None}, []),
    ("groups", {"g": LIVE_GROUP}, {**GROUP, "members": ["v"]}, [("update", "group g", "members")]),
    ("groups", {"g": LIVE_GROUP}, {**GROUP, "enabled": False}, [("update", "group g", "enabled")]),
    ("groups", {"g": LIVE_GROUP}, {**GROUP, "state": "absent"}, [("delete", "group g", None)]),
    ("service_accounts", {}, ACCOUNT, [("create", "service account a", None)]),
    ("service_accounts", {"a": LIVE_ACCOUNT}, ACCOUNT, []),
    ("service_accounts", {"a": LIVE_ACCOUNT}, {**ACCOUNT, "grant": None}, []),
    ("service_accounts", {"a": LIVE_ACCOUNT}, {**ACCOUNT, "grant": "fence"}, [("update", "service account a", "policy")]),
    ("service_accounts", {"a": {**LIVE_ACCOUNT, "secret_in_force": False}}, ACCOUNT, [("update", "service account a", "secret")]),
    ("service_accounts", {"a": {"policy": {"Statement": None}}}, ACCOUNT, [("update", "service account a", "policy")]),
    ("service_accounts", {"a": LIVE_ACCOUNT}, {**ACCOUNT, "state": "absent"}, [("delete", "service account a", None)]),
])
def test_what_is_planned(kind, live, desired, changes):
    assert named(plan({kind: live}, **{kind: [desired]})) == changes


def test_the_policies_of_a_user_who_stays_disabled_cannot_change():
    with pytest.raises(PlanError, match="User u is disabled"):
        plan({"users": {"u": {**LIVE_USER, "enabled": False}}}, users=[{**USER, "enabled": False, "policies": ["q"]}])


def written(changes):
    change, = changes
    return change.parameters


def test_what_others_have_given_a_user_or_group_stays_unless_it_is_purged():
    users = {"users": {"u": {**LIVE_USER, "policies": ["p", "theirs"]}}}
    assert plan(users, users=[USER]) == [] and plan(users, users=[{**USER, "policies": []}]) == []
    assert written(plan(users, users=[USER], purge_access=True)) == {"user": "u", "add": [], "remove": ["theirs"]}
    groups = {"groups": {"g": {**LIVE_GROUP, "members": ["u", "v"]}}}
    assert plan(groups, groups=[GROUP]) == []
    assert written(plan(groups, groups=[GROUP], purge_access=True))["remove"] == ["v"]


def test_a_granted_policy_keeps_the_buckets_of_another_inventory():
    """Two inventories of one server: each has the policies gen3-indexer and gen3-fence for its own buckets."""
    theirs = {"policies": {"p": model.policy_for("indexer", ["theirs"])}}
    assert planning.same_policy(written(plan(theirs, policies=[GRANT]))["policy"], model.policy_for("indexer", ["b", "theirs"]))
    assert plan({"policies": {"p": model.policy_for("indexer", ["theirs", "b"])}}, policies=[GRANT]) == []
    assert planning.same_policy(written(plan(theirs, policies=[GRANT], purge_access=True))["policy"], model.policy_for("indexer", ["b"]))


@pytest.mark.parametrize("statement", [
    {"Effect": "Deny", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/secret/*"]},
    {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::theirs/public/*"]},
    {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::*/*"]},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::theirs/*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
])
def test_a_granted_policy_keeps_the_statements_of_others_as_they_are(statement):
    found = {**AS_STORED, "Statement": [*AS_STORED["Statement"], statement]}
    assert plan({"policies": {"p": found}}, policies=[GRANT]) == []
    more = written(plan({"policies": {"p": found}}, policies=[{**GRANT, "buckets": ["b", "c"]}]))["policy"]
    assert planning.same_policy(more, {"Statement": [*model.policy_for("indexer", ["b", "c"])["Statement"], statement]})


def test_another_grant_of_a_policy_replaces_the_former_for_its_buckets_alone():
    found = {"policies": {"p": model.policy_for("fence", ["b", "theirs"])}}
    policy = written(plan(found, policies=[GRANT]))["policy"]
    fence, listing = model.policy_for("fence", ["theirs"])["Statement"]
    assert planning.same_policy(policy, {"Statement": [*model.policy_for("indexer", ["b"])["Statement"], fence, listing]})


@pytest.mark.parametrize(("desired", "sent"), [
    ({"grant": None}, AS_STORED),
    ({}, AS_STORED),
    ({"grant": "fence"}, model.policy_for("fence", ["b"])),
])
def test_a_new_secret_never_goes_without_the_policy(desired, sent):
    """MinIO takes an update without a policy as one that removes it."""
    changes = plan({"service_accounts": {"a": {**LIVE_ACCOUNT, "secret_in_force": False}}}, service_accounts=[{**ACCOUNT, **desired}])
    assert all(change.parameters["policy"] == sent for change in changes) and changes[0].parameters["secret"] == "12345678"


def test_an_account_with_the_rights_of_its_owner_keeps_them():
    change, = plan({"service_accounts": {"a": {"policy": None, "secret_in_force": False}}}, service_accounts=[{**ACCOUNT, "grant": None}])
    assert change.parameters["policy"] is None


@pytest.mark.parametrize(("kind", "live", "desired"), [
    ("users", {}, USER), ("users", {"u": LIVE_USER}, USER),
    ("service_accounts", {}, ACCOUNT), ("service_accounts", {"a": LIVE_ACCOUNT}, ACCOUNT)])
def test_a_secret_that_minio_refuses_is_refused_in_check_mode_too(kind, live, desired):
    with pytest.raises(PlanError, match="a secret of 7 characters: MinIO takes 8 or more"):
        plan({kind: live}, **{kind: [{**desired, "secret": "1234567"}]})


def test_no_secret_is_in_what_a_change_shows():
    changes = plan(users=[USER], service_accounts=[ACCOUNT])
    assert "12345678" not in repr(changes) and any("12345678" in map(str, change.parameters.values()) for change in changes)


def test_what_is_used_is_made_first_and_removed_last():
    gone = {"state": "absent"}
    changes = plan({"policies": {"old": AS_STORED}, "users": {"gone": LIVE_USER}},
                   policies=[{**GRANT, "name": "old", **gone}, GRANT], users=[{**USER, "name": "gone", **gone}, USER], groups=[GROUP])
    assert [change.resource for change in changes] == [
        "policy p", "user u", "user u", "group g", "group g", "user gone", "policy old"]


@pytest.mark.parametrize("grant", model.GRANTS)
def test_a_grant_reaches_no_other_bucket(grant):
    for statement in model.policy_for(grant, ["b"])["Statement"]:
        assert set(statement["Resource"]) <= {"arn:aws:s3:::b", "arn:aws:s3:::b/*"}
        assert "s3:*" not in statement["Action"] and "s3:PutBucketNotification" not in statement["Action"]
