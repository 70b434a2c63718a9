# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of the role event_bridge lack. Pure.

The sentences name variables, never their values: a token or a key may be among them.

Private to the collection gen3.uploads.
"""
from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.gen3.uploads.plugins.module_utils._core.service import ARCHITECTURES, QUOTABLE, SHA256, VERSION

TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{32,}")
"""systemd reads such a value between double quotes as it stands, and so does every shell and every HTTP header."""

USER = "minio"
"""The name beside the token, as the bridge's configuration has it."""

PATH = re.compile(r"/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]")
IMAGE = re.compile(r"[^@ ]+@sha256:[0-9a-f]{64}")
LOOPBACK = re.compile(r"(127\.[0-9.]+|\[::1\]|localhost):[0-9]+")
TOPIC_ARN = re.compile(r"arn:[a-z-]+:sns:(?P<region>[^:]+):[0-9]{12}:.+")
QUEUE_URL = re.compile(r"https?://.+/.+")
REGION_OF_QUEUE = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.")


def token_hash(token: str) -> str:
    """Return the token as the bridge knows it: SHA-256 in base64 (Bento ``http.basic_auth``)."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def authorization(token: str) -> str:
    """Return the header with which MinIO, and whoever else posts events, shows the token; MinIO takes it as a target's ``auth_token``."""
    return "Basic " + base64.b64encode(f"{USER}:{token}".encode()).decode()


def problems(settings: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Return what keeps the role from doing its work, a sentence for each finding; empty where nothing does.

    ``settings`` is each variable of the role -> its value. ``facts`` are the node's ``architecture`` and ``service_mgr``, which matter
    only where the bridge runs on a node.
    """
    of_place = _of_cluster(settings) if settings["event_bridge_location"] == "cluster" else _of_node(settings, facts)
    return [*_common(settings), *of_place]


def _common(settings: Mapping[str, Any]) -> Iterator[str]:
    get = _texts(settings)
    route, source = settings["event_bridge_route"], settings["event_bridge_source"]
    if source == "webhook" and not TOKEN.fullmatch(get("token")):
        yield ("event_bridge_token needs at least 32 letters, digits and characters of ._~+/=-, for instance from `openssl rand -hex 32`. "
               "MinIO's target shows it in its auth_token.")
    if not PATH.fullmatch(get("path")):
        yield "event_bridge_path needs a path such as /events, without an end slash, which would take all paths below it."
    if source == "queue" and (route, settings["event_bridge_location"]) != ("dispatcher", "cluster"):
        yield "event_bridge_source queue hands what it reads to ssjdispatcher, so it needs event_bridge_route dispatcher in the cluster."
    if int(settings["event_bridge_dead_letter_days"]) < 1:
        yield "event_bridge_dead_letter_days needs at least 1, as a day's file is emptied on the day before its turn."
    if route == "sns":
        topic = TOPIC_ARN.fullmatch(get("topic_arn"))
        if not topic:
            yield "Route sns needs event_bridge_topic_arn, the ARN of the pipeline's topic."
        elif topic["region"] != get("region"):
            yield "event_bridge_region is not the region of event_bridge_topic_arn."
    if route == "sqs" or source == "queue":
        region = REGION_OF_QUEUE.match(get("queue_url"))
        if not QUEUE_URL.fullmatch(get("queue_url")):
            yield (f"{'event_bridge_source queue' if source == 'queue' else 'Route sqs'} needs event_bridge_queue_url, the URL of the "
                   "pipeline's queue.")
        elif region and region[1] != get("region"):
            yield "event_bridge_region is not the region in event_bridge_queue_url."
    keys = _keys(settings)
    if len(keys) == 1:
        yield "Set both event_bridge_aws_access_key_id and event_bridge_aws_secret_access_key, or none where the node has a role."
    if get("aws_access_key_id").startswith("ASIA"):
        yield "event_bridge_aws_access_key_id is a temporary key, which would end and leave all events waiting. Use a user's own."
    if not all(map(QUOTABLE.fullmatch, keys)):
        yield "A key of AWS has a double quote, backslash, backtick or line break, which systemd would read differently."


def _of_cluster(settings: Mapping[str, Any]) -> Iterator[str]:
    get = _texts(settings)
    route, service = settings["event_bridge_route"], settings["event_bridge_service_type"]
    if not IMAGE.fullmatch(get("image")):
        yield "event_bridge_location cluster needs event_bridge_image, an image of Bento by its digest (name@sha256:…)."
    if service != "ClusterIP" and not get("tls_secret"):
        yield (f"event_bridge_service_type {service} opens the bridge to the network, where the token needs TLS: name a Secret with tls.crt "
               "and tls.key in event_bridge_tls_secret, and give its CA to MinIO. Or use ClusterIP with an Ingress that speaks TLS.")
    if service != "ClusterIP" and not settings["event_bridge_allowed_addresses"]:
        yield (f"event_bridge_service_type {service} opens the bridge to the network: name the senders, which is MinIO and whoever runs "
               "reindex.yml, in event_bridge_allowed_addresses, such as 192.0.2.10/32.")
    if route == "dispatcher":
        return
    if not re.match("https?://[^/]+/", get("url")):
        yield (f"Route {route} goes through the cluster only where MinIO reaches it: give the URL of its target in event_bridge_url. "
               "Otherwise leave event_bridge_location at node, beside MinIO, where nothing has to be opened.")
    if len(_keys(settings)) < 2 and not get("service_account"):
        yield (f"Route {route} in the cluster needs event_bridge_aws_access_key_id and event_bridge_aws_secret_access_key, or a "
               "ServiceAccount with a role in AWS (event_bridge_service_account).")


def _of_node(settings: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    get = _texts(settings)
    method = settings["event_bridge_install_method"]
    if facts["service_mgr"] != "systemd":
        yield "The role runs the bridge as a systemd unit, and this node is not managed by systemd."
    if facts["architecture"] not in ARCHITECTURES:
        yield f"The role knows x86_64 and aarch64 only; this node is {facts['architecture']}."
    if not VERSION.fullmatch(get("version")):
        yield "event_bridge_version names a directory and a release; give it letters, digits, dots, dashes and underscores only."
    if method == "file" and not get("local_file"):
        yield "event_bridge_install_method file needs event_bridge_local_file, the path on the controller."
    if method != "go" and not SHA256.fullmatch(get("sha256")):
        yield (f"event_bridge_install_method {method} needs event_bridge_sha256, 64 hexadecimal digits in lower case, of the file that you "
               "trust. The role knows no checksum of a release.")
    if not all(LOOPBACK.fullmatch(get(name)) for name in ("address", "metrics_address")):
        yield ("event_bridge_address and event_bridge_metrics_address need an address of the loopback interface with a port: the bridge runs "
               "on MinIO's node, and speaks no TLS.")
    if settings["event_bridge_route"] == "dispatcher" and not re.match("https?://.", get("dispatcher_url")):
        yield ("Route dispatcher on a node needs event_bridge_dispatcher_url, where the node reaches ssjdispatcher. Its port has no "
               "authentication and must not be open to others: the usual event_bridge_location of this route is cluster.")


def _texts(settings: Mapping[str, Any]):
    """Return what reads a variable without its prefix as text; an unset one is empty."""
    return lambda name: str(settings.get(f"event_bridge_{name}") or "")


def _keys(settings: Mapping[str, Any]) -> list[str]:
    return list(filter(None, map(_texts(settings), ("aws_access_key_id", "aws_secret_access_key"))))
