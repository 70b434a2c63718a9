"""A sink for SNS, SQS and ssjdispatcher that accepts at once and looks at as little as it can.

``PYTHONPATH=tests python -m bench.bridge_sink PORT``
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys


def answer(path: bytes, body: bytes) -> bytes:
    """Return the body of the answer."""
    if b"ssj-topic" in body:
        return b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
    if b"Gen3Queue" in body:
        return json.dumps({"Failed": [], "Successful": [
            {"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": hashlib.md5(entry["MessageBody"].encode()).hexdigest()}
            for entry in json.loads(body)["Entries"]]}).encode()
    return {b"/job/list": b'{"jobs":[]}', b"/jobConfig": b'[{"Name":"indexing","Pattern":"^s3://.+"},]'}.get(path, b"ok")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            text = answer(head.split()[1], await reader.readexactly(int(fields.get(b"content-length", 0))))
            kind = b"application/x-amz-json-1.0" if text.startswith(b"{") else b"text/xml"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(text), text))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
