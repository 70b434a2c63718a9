"""Addresses and connection strings are judged as MinIO and its drivers judge them.

The tables were compared with the real parsers (the versions are in the module's docstring): what Go refuses is refused here.
"""

from __future__ import annotations

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._minio import addresses, targets

HTTP = ("http", "https")
MQTT = ("tcp", "ssl", "ws")
AMQP = ("amqp", "amqps")


@pytest.mark.parametrize(("url", "schemes"), [
    ("http://h:9200", HTTP), ("https://u:p%40w@h.example.org./a/@b?c=%", HTTP), ("http://[::1]:8080/", HTTP), ("http://[::1]/", HTTP),
    ("https://u:p@w@h/", HTTP), ("tcp://h:1883", MQTT), ("ws://h:80/mqtt", MQTT), ("amqp://h", AMQP), ("amqp://rabbit_1:5672/%2Fv", AMQP),
    ("amqp://events:50%25off@h/", AMQP), ("amqps://u:p!$&'()*+,;=~@h:5671/v?heartbeat=10&channel_max=7", AMQP)])
def test_a_url_that_go_takes(url, schemes):
    assert addresses.url_problem(url, schemes) is None


@pytest.mark.parametrize(("url", "schemes", "words"), [
    ("amqp://events:50%off@h", AMQP, "%25"),
    ("http://u:50%off@h", HTTP, "%25"),
    ("http://h/50%off", HTTP, "%25"),
    ("http://event_bridge:4195", HTTP, "host of letters"),
    ("http://-h/", HTTP, "host of letters"),
    ("http://h..x/", HTTP, "host of letters"),
    (f"http://{'a' * 64}/", HTTP, "host of letters"),
    ("http://::1/", HTTP, "host of letters"),
    ("http://[1.2.3.4]/", HTTP, "host of letters"),
    ("http://[::g]/", HTTP, "host of letters"),
    ("http:///x", HTTP, "host of letters"),
    ("http://h:/", HTTP, "port"),
    ("http://h:65536/", HTTP, "port"),
    ("http://h:x/", HTTP, "port"),
    ("tcp://h", MQTT, "does not add"),
    ("tcp://[::1]", MQTT, "does not add"),
    ("amqp://u:p#w@h", AMQP, "%23"),
    ("amqp://u:1#w@h", AMQP, "%23"),
    ("amqp://u:p/w@h", AMQP, "%2F"),
    ("amqp://u:1/w@h", AMQP, "%2F"),
    ("amqp://é:p@h", AMQP, "percent-encoded"),
    ("amqp://u:p|w@h", AMQP, "percent-encoded"),
    ("amqp://u:p w@h", AMQP, "percent-encoded"),
    ("amqp://h/?heartbeat=x", AMQP, "heartbeat"),
    ("amqp://h/?channel_max=65536", AMQP, "channel_max"),
    ("amqp:h", AMQP, "scheme amqp, amqps"),
    ("http://h", AMQP, "scheme amqp, amqps"),
])
def test_a_url_that_go_refuses(url, schemes, words):
    assert words in addresses.url_problem(url, schemes)


@pytest.mark.parametrize(("address", "right"), [
    ("h:4222", True), ("a.b-c.example.:1", True), ("1.2.3.4:65535", True), ("[::1]:6379", True),
    ("h", False), ("h:", False), ("h:0", False), ("h:65536", False), ("a_b:9092", False), ("h-:1", False), ("::1:6379", False),
    ("[::g]:1", False), (":6379", False), ("u@h:1", False), ("h:http", False)])
def test_host_and_port(address, right):
    assert (addresses.host_port_problem(address) is None) is right


@pytest.mark.parametrize(("host", "right"), [
    ("db.example.org", True), ("db_1", True), ("::1", True), ("[::1]", True), ("10.0.0.1", True),
    ("h:3306", False), ("h/x", False), ("h)", False), ("", False), ("u@h", False)])
def test_a_host(host, right):
    assert (addresses.host_problem(host) is None) is right


@pytest.mark.parametrize("dsn", [
    "u:p@tcp(h:3306)/d", "u:p/w@(@:x@tcp(h)/d", "u:50%off@tcp(h:3306)/d", "u@/d", "/", "u:p@unix(/run/mysql.sock)/d", "u:p@tcp([::1]:3306)/a%2Fb",
    "u:p@tcp(h:3306)/d?tls=skip-verify&parseTime=true&timeout=1.5s&charset=utf8mb4,utf8&x=%2F&loc=Europe%2FBerlin"])
def test_a_dsn_that_the_driver_takes(dsn):
    assert addresses.dsn_problem(dsn) is None


@pytest.mark.parametrize(("dsn", "words"), [
    ("u:p@tcp(h:3306)", "slash"),
    ("u:p@h:3306/d", "tcp(host:port)"),
    ("u:p@tcp(h:3306/d", "tcp(host:port)"),
    ("u:p@tcp(h:3306)x/d", "tcp(host:port)"),
    ("u:p@udp(h)/d", "tcp(host:port)"),
    ("u:p@tcp(h:x)/d", "port"),
    ("u:p@tcp(h)/d%", "%25"),
    ("u:p@tcp(h)/d?tls=custom", "tls"),
    ("u:p@tcp(h)/d?parseTime=yes", "parseTime"),
    ("u:p@tcp(h)/d?timeout=5", "timeout"),
    ("u:p@tcp(h)/d?maxAllowedPacket=x", "maxAllowedPacket"),
    ("u:p@tcp(h)/d?serverPubKey=k", "serverPubKey"),
    ("u:p@tcp(h)/d?strict=true", "strict"),
    ("u:p@tcp(h)/d?time_zone=%zz", "time_zone"),
    ("u:p@tcp(h)/d?interpolateParams=true&collation=gbk_bin", "interpolateParams"),
])
def test_a_dsn_that_the_driver_refuses(dsn, words):
    assert words in addresses.dsn_problem(dsn)


@pytest.mark.parametrize("text", [
    "postgres://u:p%25@h:5432/d?sslmode=require", "postgresql://[::1]/d", "host=h port=5432 user=u password='a b' dbname=d sslmode=disable",
    "host = h  password=it's client_encoding=UTF-8", "dbname="])
def test_a_connection_string_that_the_driver_takes(text):
    assert addresses.postgresql_problem(text) is None


@pytest.mark.parametrize(("text", "words"), [
    ("postgres://u:50%off@h/d", "%25"),
    ("postgres://u:p/w@h/d", "%2F"),
    ("postgres://u:1/w@h/d", "%2F"),
    ("postgres://u:p#w@h/d", "%23"),
    ("postgres://h/d?sslmode=prefer", "sslmode"),
    ("postgres://h1,h2/d", "host"),
    ("postgres:///d", "host"),
    ("jdbc:postgresql://h/d", "begins with postgres://"),
    ("host=h password=a b", "begins with postgres://"),
    ("host=h password='a", "begins with postgres://"),
    ("host=h sslmode=allow", "sslmode"),
    ("host=h client_encoding=latin1", "client_encoding"),
    ("host=h port=x", "port"),
])
def test_a_connection_string_that_the_driver_refuses(text, words):
    assert words in addresses.postgresql_problem(text)


@pytest.mark.parametrize(("text", "right"), [
    ("10s", True), ("1h30m", True), (".5s", True), ("1.s", True), ("0", True), ("10", False), ("", False), ("s", False), ("1x", False),
    ("9999999999h", False)])
def test_a_duration(text, right):
    assert addresses.is_duration(text) is right


NASTY = ["p@/:x", "50%off", "a#b?c", "x y", "it's", "é", "u:1/w@h", "(", ")", "%2F", "&=+;"]


@pytest.mark.parametrize("password", NASTY)
@pytest.mark.parametrize(("kind", "judge"), [
    ("amqp", lambda url: addresses.url_problem(url, AMQP)), ("mysql", addresses.dsn_problem), ("postgresql", addresses.postgresql_problem)])
def test_what_is_composed_of_parts_is_always_taken(kind, judge, password):
    parts = {"host": "h", "username": "u", "password": password, "database": "a/b%", "vhost": "a/b%"}
    assert judge(targets.KINDS[kind].compose({key: parts[key] for key in targets.KINDS[kind].parts if key in parts})) is None
