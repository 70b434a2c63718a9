#!/usr/bin/env python3
"""`create` makes the JetStream stream UPLOADS on 127.0.0.1:4222, `last` prints its newest message."""
import base64
import json
import socket
import sys


def request(subject, body):
    """Return the answer of JetStream's API to one request."""
    payload = json.dumps(body).encode()
    with socket.create_connection(("127.0.0.1", 4222), timeout=10) as connection, connection.makefile("rwb") as stream:
        stream.readline()  # the server's INFO
        stream.write(b'CONNECT {"verbose":false}\r\nSUB answer 1\r\n')
        stream.write(f"PUB {subject} answer {len(payload)}\r\n".encode() + payload + b"\r\n")
        stream.flush()
        for line in stream:
            if line.startswith(b"MSG "):
                return json.loads(stream.read(int(line.split()[-1])))
    raise SystemExit("NATS closed the connection")


if sys.argv[1] == "create":
    answer = request("$JS.API.STREAM.CREATE.UPLOADS", {"name": "UPLOADS", "subjects": ["uploads"]})
else:
    answer = request("$JS.API.STREAM.MSG.GET.UPLOADS", {"last_by_subj": "uploads"})
if "error" in answer:
    raise SystemExit(answer["error"]["description"])
if "message" in answer:
    print(base64.b64decode(answer["message"]["data"]).decode())
