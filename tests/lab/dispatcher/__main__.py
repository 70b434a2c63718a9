# Copyright: (c) 2026, Gen3 Uploads Contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program: queue loop, clean-up loop and HTTP API. ``python -m lab.dispatcher``

Beside the real program's environment variables it takes LAB_PORT (instead of the fixed port 8000) and
LAB_DISPATCHER_POLL, the pause in seconds before each poll of the queue (the real one: 1).
"""
from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lab.dispatcher import configuration
from lab.dispatcher.configuration import Fatal
from lab.dispatcher.jobs import JobError, in_cluster, status
from lab.dispatcher.messages import paths_of, winner
from lab.forwarding import ForwardingHandler
from lab.kube import KubeError

VISIBILITY_TIMEOUT = 30
LONG_POLL = 20
PANIC = 2


class Dispatcher:
    """The jobs configured, and what becomes of a message."""

    def __init__(self, configs: list[dict[str, Any]]):
        self.configs = configs
        self.limit = _number("JOB_NUM_MAX", 10)

    def handle(self, body: str) -> None:
        """Make the Jobs of one message; raises JobError or KubeError when one cannot be made."""
        for path in paths_of(body):
            config = winner(path, self.configs)
            if config is None:
                log(f"no job takes {path}")
                continue
            jobs = in_cluster()
            while jobs.running() > self.limit:
                time.sleep(5)
            log(f"{path}: Job {jobs.create(config, path)}")


def poll(dispatcher: Dispatcher, url: str) -> None:
    """Receive, handle and delete messages, one at a time, for ever."""
    pause = float(os.environ.get("LAB_DISPATCHER_POLL", "1"))
    sqs = sqs_client(configuration.aws(configuration.read()))
    while True:
        time.sleep(pause)
        try:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=LONG_POLL,
                                         VisibilityTimeout=VISIBILITY_TIMEOUT)
        except (BotoCoreError, ClientError) as error:
            log(f"cannot receive: {error}")
            time.sleep(1)
            continue
        for message in answer.get("Messages", ()):
            try:
                dispatcher.handle(message["Body"])
            except (JobError, KubeError, requests.RequestException) as error:
                log(f"the message stays in the queue: {error}")
                continue
            try:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            except (BotoCoreError, ClientError) as error:
                log(f"cannot delete the message: {error}")


def sqs_client(aws: dict[str, str]):
    """Return the client: the file's region and keys if all three are there, else the SDK's own ways to find them.

    The host is always Amazon's: the real program can be given no other endpoint.
    """
    region, keys = os.environ.get("AWS_REGION") or "aws-region-missing", {}
    if all(aws.values()):
        region = aws["region"]
        keys = {name: aws[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    return boto3.Session(region_name=region, **keys).client(
        "sqs", endpoint_url=f"https://sqs.{region}.amazonaws.com",
        config=Config(retries={"total_max_attempts": 4}, read_timeout=LONG_POLL + 40))


def clean_up() -> None:
    """Remove finished Jobs every CLEANUP_TIME seconds."""
    while True:
        time.sleep(_number("CLEANUP_TIME", 120))
        try:
            in_cluster().remove_finished()
        except (KubeError, requests.RequestException) as error:
            log(f"cannot clean up: {error}")


class Api(ForwardingHandler):
    """The HTTP API, without authentication as in the real program."""

    dispatcher: Dispatcher

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        uid = parse_qs(url.query).get("UID", [""])[0]
        if url.path == "/_status":
            self.reply(200, "Healthy")
        elif url.path == "/job/list":
            self.reply(200, {"jobs": [_job_info(job) for job in in_cluster().list()]})
        elif url.path == "/job/status":
            job = in_cluster().get(uid) if uid else None
            self.reply(300 if not uid else 200 if job else 500, _job_info(job) if job else "no such job")
        elif url.path == "/jobConfig":
            # No JSON, as the real program's: a comma behind the last entry.
            self.reply(200, f"[{''.join(json.dumps(configuration.as_go(config)) + ',' for config in self.dispatcher.configs)}]")
        elif url.path == "/dispatchJob":
            self.reply(200, "")
        else:
            self.reply(404, "not found")

    def do_POST(self) -> None:
        body = self.read_body()
        if self.path != "/dispatchJob":
            self.reply(404, "not found")
            return
        try:
            fields = {name.lower(): value for name, value in json.loads(body).items()}
            bucket, key = fields.get("bucket") or "", fields.get("key") or ""
            # Pasted, not encoded, as in the real program: a quotation mark in the key spoils the message.
            message = '{"Records":[{"s3":{"bucket":{"name":"%s"},"object":{"key":"%s"}}}]}' % (bucket, key)
            self.dispatcher.handle(json.dumps({"Message": message}))
        except (ValueError, AttributeError, JobError, KubeError) as error:
            self.reply(400, str(error))
        else:
            self.reply(200, "Successfully dispatch a new job!")

    def reply(self, code: int, content: Any) -> None:
        """Send text, or anything else as JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        self.answer(code, {"Content-Type": "text/plain" if text is content else "application/json"}, text.encode())


def main() -> None:
    try:
        content = configuration.read()
        url = configuration.queue_url(content)
        Api.dispatcher = Dispatcher(configuration.jobs(content))
        in_cluster()
    except Fatal as error:
        sys.exit(f"fatal: {error}")
    for loop, arguments in ((poll, (Api.dispatcher, url)), (clean_up, ())):
        threading.Thread(target=_or_die, args=(loop, *arguments), daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", _number("LAB_PORT", 8000)), Api).serve_forever()


def _or_die(loop, *arguments) -> None:
    """Run a loop; what it does not catch ends the whole process, as a Go panic does."""
    try:
        loop(*arguments)
    except BaseException:
        traceback.print_exc()
        os._exit(PANIC)


def _job_info(job: dict[str, Any]) -> dict[str, Any]:
    metadata = job["metadata"]
    return {"uid": metadata["uid"], "name": metadata["name"], "status": status(job), "url": "", "SQSMessage": None}


def _number(variable: str, default: int) -> int:
    try:
        return int(os.environ[variable])
    except (KeyError, ValueError):
        return default


def log(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        sys.exit(PANIC)
