"""
What Schemathesis cannot know from the document: bodies and answers in lines, and that a Content-Encoding must be true.
"""

import gzip
import json
import os
import zlib

import schemathesis

MAX_RAW_BLOCK = 131072


def zstd(data: bytes) -> bytes:
    """A Zstandard frame of raw blocks (RFC 8878 section 3.1.1): Python learned to make others in 3.14."""
    frame = b"\x28\xb5\x2f\xfd\x00\x38"
    blocks = [data[at : at + MAX_RAW_BLOCK] for at in range(0, len(data), MAX_RAW_BLOCK)] or [b""]
    for n, block in enumerate(blocks):
        is_last = n == len(blocks) - 1
        frame += (len(block) << 3 | is_last).to_bytes(3, "little") + block
    return frame


CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd}


def encoded(ctx, body: bytes) -> bytes:
    """The body as the request's Content-Encoding says that it is."""
    headers = ctx.case.headers or {}
    coding = next((value for name, value in headers.items() if name.lower() == "content-encoding"), None)
    return CODINGS[coding](body) if coding in CODINGS else body


def text_of(value) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


def with_reachable_address(ctx, value):
    """The example's address is nobody's; one of this machine, which the service is told to allow, can be made a webhook."""
    url = value.get("url") if isinstance(value, dict) else None
    if not isinstance(url, str) or "/webhooks" not in ctx.case.operation.path:
        return value
    return {**value, "url": url.replace("https://example.com", "http://127.0.0.1:9")}


@schemathesis.serializer("application/json")
def as_json(ctx, value):
    value = with_reachable_address(ctx, value)
    return encoded(ctx, value if isinstance(value, bytes) else json.dumps(value).encode())


@schemathesis.serializer("application/x-ndjson", "text/csv", "text/plain")
def as_text(ctx, value):
    """What the document describes as a string is sent as it is."""
    return encoded(ctx, text_of(value))


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx, response):
    """All lines, for the schema that `before_load_schema` makes of the document's."""
    return [json.loads(line) for line in response.text.split("\n") if line]


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    """The document's schema of an NDJSON answer is that of each line."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                media = response.get("content", {}).get("application/x-ndjson")
                if media:
                    media["schema"] = {"type": "array", "items": media["schema"]}


@schemathesis.hook
def filter_case(ctx, case):
    """The user who asks is not to be changed by what it asks: nothing could be asked afterwards."""
    user_id = (case.path_parameters or {}).get("user_id")
    return user_id != os.environ["SCHEMATHESIS_USER_ID"]
