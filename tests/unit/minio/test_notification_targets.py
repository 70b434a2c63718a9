"""The schema of MinIO's notification targets: what is refused, and what valid targets become."""

from __future__ import annotations

import re
from datetime import date

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._minio import targets

VALID = {
    "amqp": {"url": "amqp://u:s3cr3tvalue@h:5672/v", "exchange": "e", "exchange_type": "fanout"},
    "elasticsearch": {"url": "http://h:9200", "index": "i"},
    "kafka": {"brokers": ["h:9092"], "topic": "t"},
    "mqtt": {"broker": "tcp://h:1883", "topic": "t"},
    "mysql": {"dsn_string": "u:s3cr3tvalue@tcp(h:3306)/d", "table": "t"},
    "nats": {"address": "h:4222", "subject": "s"},
    "nsq": {"nsqd_address": "h:4150", "topic": "t"},
    "postgresql": {"connection_string": "postgres://u:s3cr3tvalue@h:5432/d", "table": "t"},
    "redis": {"address": "h:6379", "key": "k"},
    "webhook": {"endpoint": "https://h/x"},
}
PARTS = {"host": "h", "username": "u", "password": "p", "database": "d"}
GONE = object()
S = "s3cr3tvalue"

# type, options put over the valid ones, the key that the message names
INVALID_OPTIONS = [
    *[(kind, {key: GONE}, key) for kind, key in [
        ("amqp", "exchange"), ("amqp", "exchange_type"), ("elasticsearch", "url"), ("elasticsearch", "index"),
        ("kafka", "brokers"), ("kafka", "topic"), ("mqtt", "broker"), ("mqtt", "topic"), ("mysql", "table"),
        ("nats", "address"), ("nats", "subject"), ("nsq", "nsqd_address"), ("nsq", "topic"),
        ("postgresql", "table"), ("redis", "address"), ("redis", "key"), ("webhook", "endpoint")]],
    *[(kind, {"unheard_of": S}, "unheard_of") for kind in VALID],
    *[(kind, {"queue_dir": f"relative/{S}"}, "queue_dir") for kind in VALID],
    ("amqp", {"url": GONE}, "host"),
    ("amqp", {"arguments": S}, "arguments"),
    ("amqp", {"url": f"http://{S}"}, "url"),
    ("amqp", {"delivery_mode": 3}, "delivery_mode"),
    ("amqp", {"durable": S}, "durable"),
    ("amqp", {"host": S}, "host"),
    ("elasticsearch", {"username": S}, "password"),
    ("elasticsearch", {"password": S}, "username"),
    ("elasticsearch", {"format": S}, "format"),
    ("kafka", {"brokers": [S]}, "brokers"),
    ("kafka", {"brokers": []}, "brokers"),
    ("kafka", {"sasl_username": S}, "sasl_password"),
    ("kafka", {"sasl": True}, "sasl_username"),
    ("kafka", {"sasl_mechanism": S}, "sasl_mechanism"),
    ("kafka", {"client_tls_cert": f"/{S}"}, "client_tls_key"),
    ("kafka", {"tls_client_auth": 5}, "tls_client_auth"),
    ("kafka", {"batch_size": 10, "queue_dir": ""}, "batch_size"),
    ("kafka", {"batch_commit_timeout": "1s"}, "batch_commit_timeout"),
    ("kafka", {"batch_commit_timeout": 5, "batch_size": 10}, "batch_commit_timeout"),
    ("kafka", {"version": S}, "version"),
    ("kafka", {"compression_codec": S}, "compression_codec"),
    ("mqtt", {"qos": 0}, "qos"),
    ("mqtt", {"qos": 3}, "qos"),
    ("mqtt", {"broker": f"http://{S}"}, "broker"),
    ("mqtt", {"keep_alive_interval": "10"}, "keep_alive_interval"),
    ("mqtt", {"password": S}, "username"),
    ("mysql", {"dsn_string": GONE}, "host"),
    ("mysql", {"dsn_string": GONE, **PARTS, "password": f"{S}\\"}, "password"),
    ("mysql", {"dsn_string": GONE, **PARTS, "username": f"{S}:"}, "username"),
    ("mysql", {"dsn_string": GONE, **PARTS, "port": 0}, "port"),
    ("mysql", {"password": S}, "password"),
    ("nats", {"address": S}, "address"),
    ("nats", {"address": "h:99999"}, "address"),
    ("nats", {"ping_interval": "10s"}, "ping_interval"),
    ("nats", {"streaming": True}, "streaming"),
    ("nats", {"client_key": f"/{S}"}, "client_cert"),
    ("nats", {"user_credentials": S}, "user_credentials"),
    ("nsq", {"tls": "yes"}, "tls"),
    ("postgresql", {"table": f"{S}; drop"}, "table"),
    ("postgresql", {"connection_string": GONE, **PARTS, "sslmode": S}, "sslmode"),
    ("postgresql", {"database": S}, "database"),
    ("postgresql", {"max_open_connections": -1}, "max_open_connections"),
    ("redis", {"password": f'{S}"'}, "password"),
    ("redis", {"password": f"{S}\n"}, "password"),
    ("redis", {"password": 12345678}, "password"),
    ("webhook", {"auth_token": f"{S} two three"}, "auth_token"),
    ("webhook", {"auth_token": f"env://{S}"}, "auth_token"),
    ("webhook", {"auth_token": [S]}, "auth_token"),
    ("webhook", {"auth_token": f"{S}`"}, "auth_token"),
    ("webhook", {"client_cert": f"/{S}"}, "client_key"),
    ("webhook", {"client_cert": S, "client_key": f"/{S}"}, "client_cert"),
    ("webhook", {"endpoint": f"ftp://{S}"}, "endpoint"),
    ("webhook", {"endpoint": f"http://[{S}"}, "endpoint"),
    ("webhook", {"endpoint": {"url": S}}, "endpoint"),
    ("kafka", {"brokers": [f'{S}"\\:9092']}, "brokers"),
    ("webhook", {"queue_dir": "/"}, "queue_dir"),
    ("webhook", {"queue_dir": f"/var/{S} x"}, "queue_dir"),
    ("webhook", {"queue_dir": f"/home/{S}"}, "queue_dir"),
    ("webhook", {"queue_dir": f"/var/../{S}"}, "queue_dir"),
    ("webhook", {"queue_dir": f"/var/%h/{S}"}, "queue_dir"),
    ("amqp", {"url": f"amqp://events:{S}50%off@h"}, "url"),
    ("amqp", {"url": GONE, "host": f"{S}:5672"}, "host"),
    ("mysql", {"dsn_string": f"u:{S}@tcp(h:3306)"}, "dsn_string"),
    ("postgresql", {"connection_string": f"postgres://u:{S}50%off@h/d"}, "connection_string"),
    ("postgresql", {"table": "²"}, "table"),
    ("kafka", {"brokers": ["a_b:9092"]}, "brokers"),
    ("kafka", {"brokers": [9092]}, "brokers"),
    ("kafka", {"version": "0.10.2"}, "version"),
    ("kafka", {"version": "3.6.0.1"}, "version"),
    ("kafka", {"batch_size": 2**32}, "batch_size"),
    ("mqtt", {"broker": f"tcp://{S}"}, "broker"),
    ("mqtt", {"keep_alive_interval": "9999999999h"}, "keep_alive_interval"),
    ("nsq", {"nsqd_address": "a_b:4150"}, "nsqd_address"),
    ("redis", {"address": "a_b:6379"}, "address"),
    ("elasticsearch", {"url": "http://a_b:9200"}, "url"),
    ("redis", {"password": f"{S}\uffff"}, "password"),
    ("webhook", {"queue_limit": S}, "queue_limit"),
    ("webhook", {"queue_limit": True}, "queue_limit"),
]


@pytest.mark.parametrize("kind, wrong, key", INVALID_OPTIONS)
def test_an_invalid_option_is_refused_by_key_and_never_by_value(kind, wrong, key):
    options = {name: value for name, value in {**VALID[kind], **wrong}.items() if value is not GONE}
    problems = targets.problems([{"id": "GEN3", "type": kind, "options": options}])
    assert problems and all(problem.startswith(f"Notification target {kind}/GEN3 ") for problem in problems)
    assert any(re.search(rf"\b{key}\b", problem.split(" ", 3)[3]) for problem in problems)
    assert S not in " ".join(problems)


@pytest.mark.parametrize("value", [21913025, 1e5, True, date(2026, 1, 2)])
@pytest.mark.parametrize(("kind", "key"), [("redis", "password"), ("webhook", "auth_token"), ("kafka", "topic"), ("mysql", "dsn_string")])
def test_what_yaml_has_read_as_something_else_is_told(kind, key, value):
    """0123456701 without quotes is an octal number for YAML."""
    problem, = targets.problems([{"id": "GEN3", "type": kind, "options": {**VALID[kind], key: value}}])
    assert f"has {key}, which is read by YAML as" in problem and "quotes" in problem and str(value) not in problem


@pytest.mark.parametrize("wrong, named", [
    ({"id": f"a-{S}"}, "id"), ({"id": ""}, "id"), ({"id": 1}, "id"), ({"id": "a" * 33}, "id"),
    ({"type": "postgres"}, "type"), ({"type": S}, "type"), ({"type": None}, "type"), ({"state": S}, "state"),
    ({"options": [S]}, "options"), ({"endpoint": S}, "endpoint"),
])
def test_an_invalid_target_is_refused(wrong, named):
    problems = targets.problems([{"id": "GEN3", "type": "webhook", "options": VALID["webhook"], **wrong}])
    assert any(named in problem.replace(",", " ").replace(";", " ").split() for problem in problems)
    assert S not in " ".join(problems)


@pytest.mark.parametrize("junk", [None, S, 5, {S: S}, [S], [None], [[S]]])
def test_what_is_no_list_of_targets_is_refused(junk):
    problems = targets.problems(junk)
    assert problems and S not in " ".join(problems)


@pytest.mark.parametrize("key", ["auth_token:hunter-2", "hunter-2", 21913025])
def test_a_key_that_may_be_a_secret_is_not_shown(key):
    """YAML makes a key of ``{auth_token:hunter-2}``, where a space is missing."""
    for wrong in ({key: None}, {"options": {**VALID["webhook"], key: "x"}}):
        problem, = targets.problems([{"id": "GEN3", "type": "webhook", "options": VALID["webhook"], **wrong}])
        assert "has the unknown key a name that is not a word" in problem and "hunter-2" not in problem


def test_two_targets_of_one_type_and_id_are_refused():
    target = {"id": "GEN3", "type": "webhook", "options": VALID["webhook"]}
    assert targets.problems([target, {**target, "type": "nsq", "options": VALID["nsq"]}]) == []
    assert "twice" in targets.problems([target, target])[0]


@pytest.mark.parametrize("kind", VALID)
def test_a_valid_target_becomes_variables_with_its_id(kind):
    wanted = [{"id": "gen3", "type": kind, "options": VALID[kind]}]
    assert targets.problems(wanted) == []
    target, = targets.render(wanted, "/queue", region="us-east-1")
    assert target["arn"] == f"arn:minio:sqs:us-east-1:gen3:{kind}"
    assert target["store_dir"] == f"/queue/minio-{kind}-gen3"
    prefix = "POSTGRES" if kind == "postgresql" else kind.upper()
    assert all(name.startswith(f"MINIO_NOTIFY_{prefix}_") and name.endswith("_gen3") for name in target["environment"])
    assert target["environment"][f"MINIO_NOTIFY_{prefix}_ENABLE_gen3"] == "on"
    assert target["environment"][f"MINIO_NOTIFY_{prefix}_QUEUE_LIMIT_gen3"] == "1000000"


@pytest.mark.parametrize("identifier", ["gen3", "ENABLE_x", "x_ENABLE_y"])
@pytest.mark.parametrize("queue", ["/var/queue/", ""])
def test_the_targets_of_an_earlier_run_are_read_from_its_settings(identifier, queue):
    options = {"queue_dir": queue}
    plan = targets.render([{"id": identifier, "type": kind, "options": VALID[kind] | options} for kind in VALID], "/q", region="eu")
    lines = [f'{name}="{value}"\n' for target in plan for name, value in target["environment"].items()]
    assert targets.parse_environment("# comment\n" + "".join(lines), "eu") == [
        {"arn": target["arn"], "store_dir": target["store_dir"]} for target in plan]
    assert targets.parse_environment("") == []


@pytest.mark.parametrize("kind, options, variable, value", [
    ("amqp", {"host": "h", "username": "u@", "password": "p/%", "tls": True}, "AMQP_URL",
     "amqps://u%40:p%2F%25@h:5671/%2F"),
    ("mysql", {**PARTS, "password": "p@/:x", "database": "a/b", "host": "::1"}, "MYSQL_DSN_STRING",
     "u:p@/:x@tcp([::1]:3306)/a%2Fb"),
    ("postgresql", {**PARTS, "password": "p'@ /", "sslmode": "require", "port": 1}, "POSTGRES_CONNECTION_STRING",
     "postgres://u:p%27%40%20%2F@h:1/d?sslmode=require"),
    ("amqp", {"url": "amqp://h", "publisher_confirms": True}, "AMQP_PUBLISHING_CONFIRMS", "on"),
    ("kafka", {"compression_codec": "zstd"}, "KAFKA_PRODUCER_COMPRESSION_CODEC", "zstd"),
    ("kafka", {"brokers": ["a:1", "b:2"]}, "KAFKA_BROKERS", "a:1,b:2"),
    ("mqtt", {}, "MQTT_QOS", "1"),
    ("mqtt", {"qos": ""}, "MQTT_QOS", "1"),
    ("postgresql", {**PARTS, "password": ""}, "POSTGRES_CONNECTION_STRING", "postgres://u@h:5432/d"),
    ("nats", {"tls": False}, "NATS_TLS", "off"),
])
def test_an_option_becomes_the_variable_that_minio_reads(kind, options, variable, value):
    whole = targets.KINDS[kind].whole
    base = {key: each for key, each in VALID[kind].items() if key != whole}
    wanted = [{"id": "X", "type": kind, "options": {**(VALID[kind] if not whole else base), **options}}]
    assert targets.problems(wanted) == []
    assert targets.render(wanted, "/q")[0]["environment"][f"MINIO_NOTIFY_{variable}_X"] == value


def test_absent_targets_are_left_out_and_no_queue_dir_means_none():
    wanted = [{"id": "A", "type": "webhook", "state": "absent"},
              {"id": "B", "type": "webhook", "options": {**VALID["webhook"], "queue_dir": ""}}]
    assert targets.problems(wanted) == []
    target, = targets.render(wanted, "/q")
    assert (target["id"], target["queue_dir"], target["store_dir"]) == ("B", "", "")
    assert "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_B" not in target["environment"]


def test_an_empty_option_is_none():
    wanted = [{"id": "X", "type": "kafka", "options": {**VALID["kafka"], "batch_size": "", "sasl_username": ""}}]
    assert targets.problems(wanted) == []
    assert not any("BATCH" in name or "SASL" in name for name in targets.render(wanted, "/var/q")[0]["environment"])


def test_a_limit_of_0_is_what_minio_makes_of_it():
    wanted = [{"id": "X", "type": "webhook", "options": {**VALID["webhook"], "queue_limit": 0}}]
    assert targets.render(wanted, "/var/q")[0]["queue_limit"] == 100_000


@pytest.mark.parametrize(("kind", "options", "line"), [
    ("webhook", {**VALID["webhook"], "auth_token": f"/{S}"}, f"bad header /{S} at https://h/x"),
    ("postgresql", {**PARTS, "password": f"/{S}@", "table": "t"}, f"cannot parse postgres://u:%2F{S}%40@h:5432/d: /{S}@"),
    ("mysql", {**PARTS, "password": S, "table": "t"}, f"u:{S}@tcp(h:3306)/d refused"),
    ("kafka", {**VALID["kafka"], "sasl_password": S, "sasl_username": "u"}, f"SASL {S}"),
])
def test_a_line_of_the_log_is_shown_without_values(kind, options, line):
    concealed = targets.redact(f"{line} root-password", [{"id": "X", "type": kind, "options": options}], ["root-password"])
    assert S not in concealed and "root-password" not in concealed and f"<{kind}/X " in concealed


PUBLIC_TEXTS = {"exchange", "exchange_type", "routing_key", "index", "username", "topic", "sasl_username", "table", "subject", "key", "user",
                "vhost", "database"}


def test_every_text_that_is_not_public_is_concealed():
    """A new option is either listed here as public or among the secrets."""
    texts = {key for kind in targets.KINDS.values() for key, schema in {**kind.keys, **(kind.parts or {})}.items() if schema.kind == "text"}
    assert texts - PUBLIC_TEXTS == set(targets._SECRET)


@pytest.mark.parametrize("path, holds", [("/var/lib/minio-events", True), ("/srv/q/", True), ("/srv", False), ("srv/q", False),
                                         ("/run/q", False), ("/runner/q", True), ("/srv/a b", False), ("/srv/q\n", False)])
def test_a_directory_of_the_service(path, holds):
    assert bool(targets.DIRECTORY.fullmatch(path)) is holds


def test_which_targets_are_not_live():
    wanted = targets.render([{"id": name, "type": "webhook", "options": {"endpoint": "http://127.0.0.1"}} for name in ("B", "A", "C")], "/var/q", region="r")
    assert targets.missing(wanted, ["arn:minio:sqs:us-east-1:C:webhook", "arn:minio:sqs::D:webhook"]) == ["A:webhook", "B:webhook"]
    assert targets.missing(wanted, []) == ["A:webhook", "B:webhook", "C:webhook"] and targets.missing(wanted, None) == []


def test_the_reason_in_the_log():
    target = {"id": "X", "type": "webhook", "options": {"endpoint": "http://127.0.0.1/path", "auth_token": "token-of-x"}}
    lines = ["API: http://", "FATAL token-of-x", "FATAL token-of-x", "Unable to initialize notification target(s)", "started"]
    assert targets.log_reason(lines, [target]) == "FATAL <webhook/X auth_token> Unable to initialize notification target(s)"
    assert targets.log_reason(["started"], []) == ""


def test_what_worked_last_is_removed_where_it_is_desired_no_more():
    kept, gone, moved = ({"id": name, "type": "webhook", "options": {"endpoint": "http://127.0.0.1:1/"}} for name in ("KEPT", "GONE", "MOVED"))
    former = "\n".join(f'{name}="{value}"' for target in targets.render([kept, gone, moved], "/q", region="eu")
                       for name, value in target["environment"].items())
    moved["options"] = {**moved["options"], "queue_dir": "/other"}
    found = targets.overview([kept, moved, {**gone, "state": "absent"}], "/q", region="eu", former=former)
    assert [target["id"] for target in found["desired"]] == ["KEPT", "MOVED"] and len(found["former"]) == 3
    assert [target["arn"] for target in found["removed"]] == ["arn:minio:sqs:eu:GONE:webhook"]
    assert {target["arn"] for target in found["left_queues"]} == {"arn:minio:sqs:eu:GONE:webhook", "arn:minio:sqs:eu:MOVED:webhook"}
    assert found["queue_directories"] == ["/other", "/q"]


def test_of_a_first_run_nothing_is_left():
    found = targets.overview([{"id": "A", "type": "webhook", "options": {"endpoint": "http://127.0.0.1:1/", "queue_dir": ""}}], "/q")
    assert (found["former"], found["removed"], found["left_queues"], found["queue_directories"]) == ([], [], [], ["/q"])
