"""Pushes known lines as Loki's clients do: JSON, JSON in gzip, and protobuf in snappy.

Usage: loki_push.py BASE_URL UNIX_SECONDS
The lines are those that LogClientTests.swift expects.
"""
import gzip
import json
import sys
import urllib.request

base, seconds = sys.argv[1], int(sys.argv[2])
nanoseconds = seconds * 10**9


def push(body, headers):
    request = urllib.request.Request(base + "/loki/api/v1/push", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.status == 204, response.status


def streams(name):
    values = [
        [str(nanoseconds), f'level=info msg="{name} one"'],
        [str(nanoseconds + 1), 'two "quoted"\nlines', {"trace_id": "abc"}],
    ]
    return json.dumps({"streams": [{"stream": {"app": name}, "values": values}]}).encode()


def varint(number):
    output = bytearray()
    while number > 127:
        output.append(number & 127 | 128)
        number >>= 7
    output.append(number)
    return bytes(output)


def field(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def snappy(data):
    # A block of literals is a block too.
    output = varint(len(data))
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        output += bytes([(len(piece) - 1) << 2]) + piece
    return output


push(streams("loki-json"), {"Content-Type": "application/json"})
push(
    gzip.compress(streams("loki-gzip")),
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
)
entries = b""
for number, line in enumerate(('level=info msg="loki-proto one"', 'two "quoted"\nlines')):
    time = varint(1 << 3) + varint(seconds) + varint(2 << 3) + varint(number)
    entry = field(1, time) + field(2, line.encode())
    if number == 1:
        entry += field(3, field(1, b"trace_id") + field(2, b"abc"))
    entries += field(2, entry)
push(
    snappy(field(1, field(1, b'{app="loki-proto"}') + entries)),
    {"Content-Type": "application/x-protobuf"},
)
