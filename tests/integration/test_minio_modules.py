"""minio_info and minio_resources against the real server of the lab."""

from __future__ import annotations

import json
from types import SimpleNamespace

import boto3
import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._minio.api import Server
from ansible_collections.gen3.uploads.plugins.modules import minio_info, minio_resources
from botocore.config import Config
from botocore.exceptions import ClientError
from lab.minio import TARGET
from minio import MinioAdmin
from minio.credentials import StaticProvider

ARN = "arn:minio:sqs:us-east-1:GEN3:webhook"
SECRET = 'a"b\\c/d+e%f of the uploader'
POLICIES = [{"name": name, "grant": name, "buckets": ["gen3-bucket"]} for name in ("uploader", "indexer", "fence")]
USERS = [{"name": name, "secret": SECRET, "policies": [name]} for name in ("uploader", "indexer", "fence")]
BUCKETS = [
    {"name": "gen3-bucket", "versioning": "enabled", "quota": "1GiB", "notifications": [{"target": TARGET}]},
    {"name": "locked", "object_lock": True},
]
ACCOUNTS = [{"access_key": "indexing-job", "secret": SECRET, "grant": "indexer", "buckets": ["gen3-bucket"]}]
GROUPS = [{"name": "auditors", "members": ["indexer"], "policies": ["diagnostics"]}]
EVERYTHING = {"policies": POLICIES, "users": USERS, "groups": GROUPS, "service_accounts": ACCOUNTS, "buckets": BUCKETS}
FOREIGN_RULE = {"Id": "theirs", "QueueArn": ARN, "Events": ["s3:ObjectRemoved:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "theirs/"}]}}}


class Minio:
    """The server as its administrator sees it."""

    def __init__(self, lab, run_module):
        self.login = lab.minio_login
        self._run = run_module

    def info(self, **options):
        return self._run(minio_info, **{**self.login, **options})

    def resources(self, **options):
        return self._run(minio_resources, **{**self.login, **options})

    def converge(self, **options):
        result = self.resources(**options)
        assert not result["failed"], result
        return result

    def s3(self, user=None, secret=None):
        return boto3.client(
            "s3", endpoint_url=self.login["url"], region_name="us-east-1", aws_access_key_id=user or self.login["access_key"],
            aws_secret_access_key=secret or self.login["secret_key"], config=Config(retries={"total_max_attempts": 1}))

    def rules(self, bucket="gen3-bucket"):
        return self.s3().get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations", [])

    def put_rules(self, *rules, bucket="gen3-bucket"):
        self.s3().put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(rules)})


@pytest.fixture
def minio(lab, run_module):
    """An empty server."""
    lab.reset_minio()
    yield Minio(lab, run_module)
    if lab.state.settings["minio_targets"] != ["GEN3"]:
        lab.restart_minio(["GEN3"])


def refused(call, **arguments):
    """Whether S3 denies a call."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error
        return True
    return False


def test_info_tells_what_the_server_says_of_itself(minio):
    info = minio.info()
    assert (info["changed"], info["region"], info["healthy"], info["target_arns"]) == (False, "us-east-1", True, [ARN])
    assert info["targets"] == [{"arn": ARN, "id": "GEN3", "type": "webhook", "status": "offline", "waiting": None}]
    assert minio.info(count_waiting=True)["targets"][0]["waiting"] == 0
    assert info["version"] and info["deployment_id"]


def test_everything_is_made_once_and_check_mode_predicts_it(minio):
    predicted = minio.converge(**EVERYTHING, _ansible_check_mode=True)
    assert minio.s3().list_buckets()["Buckets"] == []
    made = minio.converge(**EVERYTHING)
    assert (made["changes"], made["diff"]) == (predicted["changes"], predicted["diff"])
    assert {change["resource"].split()[0] for change in made["changes"]} == {"policy", "user", "group", "service", "bucket"}

    again = minio.converge(**EVERYTHING)
    assert (again["changed"], again["changes"]) == (False, [])
    s3 = minio.s3()
    assert s3.get_bucket_versioning(Bucket="gen3-bucket")["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
    rule, = minio.rules()
    assert (rule["Id"], rule["QueueArn"], len(rule["Events"])) == ("gen3-uploads", ARN, 4)
    assert SECRET not in json.dumps(made)


def test_each_part_may_do_its_own_and_no_more(minio):
    minio.converge(**EVERYTHING)
    minio.s3().create_bucket(Bucket="others")
    here, there = ({"Bucket": bucket, "Key": "guid/file"} for bucket in ("gen3-bucket", "others"))
    may = {}
    for user in ("uploader", "indexer", "fence", "indexing-job"):
        s3 = minio.s3(user, SECRET)
        minio.s3().put_object(**here, Body=b"x")
        may[user] = {name for name, call in (("put", s3.put_object), ("get", s3.get_object), ("delete", s3.delete_object))
                     if not refused(call, **here)}
        assert refused(s3.put_object, **there) and refused(s3.get_object, **there)
    assert may == {"uploader": {"put"}, "indexer": {"get"}, "fence": {"put", "get", "delete"}, "indexing-job": {"get"}}


def test_drift_is_exactly_what_is_changed(minio):
    minio.converge(**EVERYTHING)
    minio.s3().put_bucket_versioning(Bucket="gen3-bucket", VersioningConfiguration={"Status": "Suspended"})
    minio.put_rules()
    minio.converge(users=[{"name": "uploader", "policies": ["uploader", "indexer"], "enabled": False}],
                   groups=[{"name": "auditors", "members": [], "enabled": False}],
                   policies=[{"name": "fence", "grant": "indexer", "buckets": ["others"]}],
                   buckets=[{"name": "gen3-bucket", "quota": "2GiB"}], purge_access=True)
    repaired = minio.converge(**EVERYTHING, purge_access=True)
    assert [(change["action"], change["resource"], change["attribute"]) for change in repaired["changes"]] == [
        ("update", "policy fence", None),
        ("update", "user uploader", "secret"), ("update", "user uploader", "policies"),
        ("update", "group auditors", "members"), ("update", "group auditors", "enabled"),
        ("update", "bucket gen3-bucket", "versioning"), ("update", "bucket gen3-bucket", "quota"),
        ("create", "bucket gen3-bucket", "notifications")]
    assert not minio.converge(**EVERYTHING)["changed"]


def test_what_is_not_given_stays(minio):
    minio.converge(**EVERYTHING)
    named = {"users": [{"name": "uploader"}], "groups": [{"name": "auditors"}],
             "service_accounts": [{"access_key": "indexing-job"}], "buckets": [{"name": "gen3-bucket"}]}
    assert not minio.converge(**named)["changed"]
    assert minio.rules() and minio.s3("uploader", SECRET).put_object(Bucket="gen3-bucket", Key="k")


def denied(call, **thing):
    """The code with which MinIO refuses a call."""
    with pytest.raises(ClientError) as error:
        call(**thing)
    return error.value.response["Error"]["Code"]


def test_another_secret_is_seen_and_set_and_the_old_one_refused(minio):
    minio.converge(**EVERYTHING)
    another = {"users": [{"name": "uploader", "secret": "another-secret"}],
               "service_accounts": [{"access_key": "indexing-job", "secret": "another-secret"}]}
    predicted = minio.converge(**another, _ansible_check_mode=True)
    assert [(change["resource"], change["attribute"]) for change in predicted["changes"]] == [
        ("user uploader", "secret"), ("service account indexing-job", "secret")]
    assert minio.converge(**another)["changes"] == predicted["changes"]
    assert not minio.converge(**another)["changed"]
    thing = {"Bucket": "gen3-bucket", "Key": "k"}
    minio.s3("uploader", "another-secret").put_object(**thing)
    minio.s3("indexing-job", "another-secret").get_object(**thing)
    assert denied(minio.s3("uploader", SECRET).put_object, **thing) == "SignatureDoesNotMatch"
    assert denied(minio.s3("indexing-job", SECRET).get_object, **thing) == "SignatureDoesNotMatch"


def test_a_service_account_with_a_new_secret_may_do_no_more_than_before(minio):
    minio.converge(**EVERYTHING)
    minio.s3().create_bucket(Bucket="others")
    account = [{"access_key": "indexing-job", "secret": "another-secret"}]
    assert minio.converge(service_accounts=account)["changed"]
    job = minio.s3("indexing-job", "another-secret")
    assert refused(job.put_object, Bucket="others", Key="k") and refused(job.get_object, Bucket="others", Key="k")
    assert not minio.converge(**{**EVERYTHING, "service_accounts": [{**ACCOUNTS[0], **account[0]}]})["changed"]


def test_a_rule_that_somebody_sets_while_others_are_written_stays(minio, monkeypatch):
    minio.converge(buckets=[{"name": "gen3-bucket"}, {"name": "second"}])
    put = Server.put_rules

    def put_and_somebody_else(self, bucket, rules):
        put(self, bucket, rules)
        if bucket == "gen3-bucket":
            minio.put_rules(FOREIGN_RULE, bucket="second")

    monkeypatch.setattr(Server, "put_rules", put_and_somebody_else)
    minio.converge(buckets=[{"name": name, "notifications": [{"target": TARGET}]} for name in ("gen3-bucket", "second")])
    assert {rule["Id"] for rule in minio.rules("second")} == {"theirs", "gen3-uploads"}


def test_foreign_rules_stay_unless_purged(minio):
    minio.converge(buckets=[{"name": "gen3-bucket"}])
    minio.put_rules(FOREIGN_RULE)
    minio.converge(buckets=BUCKETS)
    assert FOREIGN_RULE in [{**rule, "Filter": FOREIGN_RULE["Filter"]} if rule["Id"] == "theirs" else rule for rule in minio.rules()]
    assert not minio.converge(buckets=BUCKETS)["changed"]
    assert minio.converge(buckets=BUCKETS, purge_notifications=True)["changed"]
    assert [rule["Id"] for rule in minio.rules()] == ["gen3-uploads"]


def test_rules_of_the_same_meaning_are_left_alone(minio):
    wanted = [{"name": "gen3-bucket", "notifications": [
        {"target": TARGET, "events": ["s3:ObjectRemoved:*", "s3:ObjectCreated:Put"], "prefix": "a/", "suffix": ".bam"}]}]
    minio.converge(buckets=wanted)
    stored, = minio.rules()
    filters = stored["Filter"]["Key"]["FilterRules"]
    spelled_out = ["s3:ObjectRemoved:" + name for name in ("Delete", "DeleteMarkerCreated", "NoOP", "DeleteAllVersions")]
    minio.put_rules({**stored, "Events": ["s3:ObjectCreated:Put", *spelled_out], "QueueArn": "arn:minio:sqs::GEN3:webhook",
                     "Filter": {"Key": {"FilterRules": filters[::-1]}}})
    assert not minio.converge(buckets=wanted)["changed"]


def test_two_inventories_of_one_server_leave_each_other_alone(minio):
    """Each with the policy gen3-indexer, the user of the Jobs and a bucket of its own, as two commons have them."""
    def inventory(bucket):
        return {"policies": [{"name": "gen3-indexer", "grant": "indexer", "buckets": [bucket]}],
                "users": [{"name": "job", "secret": SECRET, "policies": ["gen3-indexer"]}],
                "buckets": [{"name": bucket, "notifications": [{"target": TARGET}]}]}

    minio.converge(**inventory("first"))
    minio.converge(users=[{"name": "job", "policies": ["diagnostics"]}])
    minio.converge(**inventory("second"))
    assert not minio.converge(**inventory("first"))["changed"] and not minio.converge(**inventory("second"))["changed"]
    for bucket in ("first", "second"):
        minio.s3().put_object(Bucket=bucket, Key="k", Body=b"x")
        assert minio.s3("job", SECRET).get_object(Bucket=bucket, Key="k")

    teardown = {"remove_target_arns": [ARN], "remove_target_from": ["second"]}
    refused_removal = minio.resources(**teardown)
    assert refused_removal["failed"] and "The bucket first still sends to" in refused_removal["msg"]
    assert minio.converge(**teardown, keep_shared=True)["senders"] == ["first"]
    assert minio.rules("first") and not minio.rules("second")
    last = minio.converge(remove_target_arns=[ARN], remove_target_from=["first"])
    assert last["senders"] == [] and not minio.rules("first")


def test_a_disabled_user_is_enabled_with_the_new_secret_alone(minio):
    user = {"name": "leaked", "secret": SECRET, "policies": ["diagnostics"]}
    minio.converge(users=[user])
    minio.converge(users=[{**user, "enabled": False}])
    renewed = "another secret of the user"
    assert minio.converge(users=[{**user, "secret": renewed}])["changed"]
    assert refused(minio.s3("leaked", renewed).list_buckets), "the signature is good, and its policy allows nothing of this"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        minio.s3("leaked", SECRET).list_buckets()
    assert not minio.converge(users=[{**user, "secret": renewed}])["changed"]


def test_the_rules_of_a_target_that_is_to_go_are_removed_everywhere(minio):
    minio.converge(buckets=BUCKETS)
    minio.s3().create_bucket(Bucket="others")
    minio.put_rules(FOREIGN_RULE, bucket="others")
    removed = minio.converge(remove_target_arns=[ARN])
    assert {change["resource"] for change in removed["changes"]} == {"bucket gen3-bucket", "bucket others"}
    assert minio.rules() == minio.rules("others") == []
    assert not minio.converge(remove_target_arns=[ARN])["changed"]


@pytest.fixture
def dead_rules(lab, minio):
    """A bucket with a rule to our target, and two to targets that are no more."""
    minio.s3().create_bucket(Bucket="gen3-bucket")
    lab.restart_minio(["GEN3", "FIRST", "SECOND"])
    minio.put_rules(*({**FOREIGN_RULE, "Id": name.lower(), "QueueArn": ARN.replace("GEN3", name)} for name in ("FIRST", "SECOND", "GEN3")))
    lab.restart_minio(["GEN3"])


OURS = [{"name": "gen3-bucket", "notifications": [{"target": TARGET}]}]


def test_rules_of_targets_that_are_not_live_are_kept_until_somebody_consents(lab, minio, dead_rules):
    for check_mode in (True, False, False):
        refused_rules = minio.resources(buckets=OURS, _ansible_check_mode=check_mode)
        assert refused_rules["failed"] and f"first to {ARN.replace('GEN3', 'FIRST')}, second to" in refused_rules["msg"]
    lab.restart_minio(["GEN3", "FIRST", "SECOND"])
    assert minio.converge(buckets=OURS)["changed"]
    assert {rule["Id"] for rule in minio.rules()} == {"first", "second", "gen3", "gen3-uploads"}


@pytest.mark.parametrize("consent", [
    {"discard_dead_rules": True}, {"remove_target_arns": [ARN.replace("GEN3", name) for name in ("FIRST", "SECOND")]}])
def test_rules_of_targets_that_are_not_live_go_in_one_run_where_it_is_meant(minio, dead_rules, consent):
    assert minio.converge(buckets=OURS, **consent)["changed"]
    assert not minio.converge(buckets=OURS, **consent)["changed"]
    assert {rule["Id"] for rule in minio.rules()} == {"gen3", "gen3-uploads"}


def test_a_login_without_the_right_to_see_all_rules_is_told(minio):
    minio.converge(buckets=[{"name": "gen3-bucket"}], policies=[{"name": "rules", "policy": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["admin:ServerInfo", "admin:GetBucketQuota"]},
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}}],
        users=[{"name": "operator", "secret": SECRET, "policies": ["rules"]}])

    def warned(result):
        return ["admin:ExportBucketMetadata" in str(warning) for warning in result.get("warnings", [])]

    login = {"access_key": "operator", "secret_key": SECRET}
    minio.converge(buckets=OURS)
    nothing_to_do = minio.converge(buckets=OURS, **login)
    assert not nothing_to_do["changed"] and not any(warned(nothing_to_do))
    minio.put_rules()
    changed = minio.converge(buckets=OURS, **login)
    assert changed["changed"] and any(warned(changed))


def test_service_accounts_that_go_with_their_user_are_told(minio):
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["admin:*"]}, {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}
    minio.converge(policies=[{"name": "all", "policy": policy}], users=[{"name": "owner", "secret": SECRET, "policies": ["all"]}])
    minio.converge(service_accounts=[{"access_key": "of-the-owner", "secret": SECRET}], access_key="owner", secret_key=SECRET)
    gone = [{"name": "owner", "state": "absent"}]
    for check_mode in (True, False):
        removed = minio.converge(users=gone, _ansible_check_mode=check_mode)
        assert removed["changed"] and "User owner has the service accounts of-the-owner" in str(removed["warnings"])


def test_what_a_call_would_reset_stays(minio):
    minio.converge(buckets=[{"name": "gen3-bucket", "quota": "1GiB"}])
    admin = MinioAdmin(endpoint=minio.login["url"].partition("//")[2], credentials=StaticProvider(
        minio.login["access_key"], minio.login["secret_key"]), secure=False)
    admin._url_open(method="PUT", command=SimpleNamespace(value="set-bucket-quota"), query_params={"bucket": "gen3-bucket"},
                    body=json.dumps({"size": 2**30, "rate": 10**6, "requests": 50, "quotatype": "hard"}).encode())
    assert not minio.converge(buckets=[{"name": "gen3-bucket", "quota": "1GiB"}])["changed"]
    assert minio.converge(buckets=[{"name": "gen3-bucket", "quota": "2GiB"}])["changed"]
    limits = json.loads(admin.bucket_quota_get(bucket="gen3-bucket"))
    assert (limits["size"], limits["rate"], limits["requests"]) == (2 * 2**30, 10**6, 50)


def test_what_is_absent_is_removed_once(minio):
    minio.converge(**EVERYTHING)
    gone = {kind: [{"state": "absent", key: each[key]} for each in wanted for key in each if key in ("name", "access_key")]
            for kind, wanted in EVERYTHING.items()}
    removed = minio.converge(**gone)
    assert {change["action"] for change in removed["changes"]} == {"delete"} and len(removed["changes"]) == 10
    assert minio.s3().list_buckets()["Buckets"] == []
    assert not minio.converge(**gone)["changed"]


@pytest.mark.parametrize(("options", "words"), [
    ({"secret_key": "not-the-secret"}, ["read the state", "SignatureDoesNotMatch"]),
    ({"access_key": "nobody"}, ["read the state", "InvalidAccessKeyId"]),
    ({"url": "http://127.0.0.1:1"}, ["cannot be reached", "check url"]),
    ({"url": "127.0.0.1:9000"}, ["scheme, host and port"]),
    ({"url": "http://127.0.0.1:9000/minio"}, ["scheme, host and port"]),
    ({"buckets": [{"name": "gen3-bucket", "notifications": [{"target": "webhook/gen3"}]}]}, ["no such target", ARN]),
    ({"buckets": [{"name": "Gen3"}]}, ["Gen3 is no name"]),
    ({"buckets": [{"name": "gen3-bucket", "quota": "much"}]}, ["much is no size", "10GiB"]),
    ({"users": [{"name": "new"}]}, ["new does not exist and has no secret"]),
    ({"service_accounts": [{"access_key": "new"}]}, ["new does not exist and has no secret"]),
    ({"users": [{"name": "uploader", "policies": ["no-such-policy"], "secret": "12345678"}]}, ["attach policies to user uploader"]),
    ({"users": [{"name": "uploader", "secret": "short"}]}, ["User uploader has a secret of 5 characters: MinIO takes 8 or more"]),
    ({"policies": [{"name": "broken", "policy": {"Statement": [{"Effect": "Perhaps"}]}}]}, ["write policy broken"]),
])
def test_what_cannot_be_is_refused_in_one_sentence(minio, options, words):
    result = minio.resources(**options)
    assert result["failed"]
    for word in words:
        assert word in result["msg"], result["msg"]
    assert "Traceback" not in result["msg"] and "\n" not in result["msg"]


def test_a_bucket_with_objects_is_not_removed(minio):
    minio.converge(buckets=BUCKETS)
    minio.s3().put_object(Bucket="gen3-bucket", Key="k")
    result = minio.resources(buckets=[{"name": "gen3-bucket", "state": "absent"}])
    assert result["failed"] and "remove bucket gen3-bucket" in result["msg"] and "empty" in result["msg"]


def test_a_refusal_comes_before_the_first_change(minio):
    result = minio.resources(users=USERS[:1], policies=POLICIES, buckets=[{"name": "b-1"}, {"name": "b-2", "notifications": [
        {"target": "kafka/NONE"}]}])
    assert result["failed"] and minio.s3().list_buckets()["Buckets"] == []
    assert minio.converge(policies=POLICIES)["changed"], "no policy was made"
