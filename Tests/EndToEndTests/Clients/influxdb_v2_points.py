"""Sends known points with PyPI `influxdb-client`, unmodified.

Usage: influxdb_v2_points.py BASE_URL UNIX_SECONDS
The points are those that ClientTests.swift expects; the exit code says whether the client was
content with the server.
"""
import sys

from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS

base, seconds = sys.argv[1], int(sys.argv[2])
nanoseconds = seconds * 10**9
failures = []


def client(gzip):
    return InfluxDBClient(url=base, token="token", org="org", enable_gzip=gzip, timeout=30_000)


for gzip in (False, True):
    with client(gzip) as influx:
        assert influx.ping(), "ping"
        assert influx.version(), "version"
        assert influx.health().status == "pass", "health"
        write = influx.write_api(write_options=SYNCHRONOUS)
        point = (
            Point("v2_gz" if gzip else "v2")
            .tag("host", "web 01")
            .tag("path", "/a,b=c")
            .tag("quote", 'say "hi"')
            .tag("place", "Zürich 北京 🌊")
            .field("float", 0.1)
            .field("int", -42)
            .field("large", 9007199254740993)
            .field("up", True)
            .field("down", False)
            .field("note", 'a "quoted" string, left out')
            .time(nanoseconds, WritePrecision.NS)
        )
        write.write(bucket="bucket", record=point, write_precision=WritePrecision.NS)
        # One sample a precision, all at the same second.
        for precision, factor in (("ns", 10**9), ("us", 10**6), ("ms", 10**3), ("s", 1)):
            write.write(
                bucket="bucket",
                record=f"v2_{'gz_' if gzip else ''}precision,unit={precision} v={factor}i {seconds * factor}",
                write_precision=precision,
            )
        # Unsigned integers, dictionaries, and several records in one body.
        write.write(
            bucket="bucket",
            record=[
                f"v2_{'gz_' if gzip else ''}unsigned v=18446744073709551615u {nanoseconds}",
                {
                    "measurement": f"v2_{'gz_' if gzip else ''}dictionary",
                    "tags": {"empty": "", "kept": "yes"},
                    "fields": {"v": 1e-300},
                    "time": nanoseconds,
                },
            ],
        )

with client(True) as influx:
    batching = influx.write_api(
        write_options=WriteOptions(batch_size=500, flush_interval=200, max_retries=1),
        error_callback=lambda _, body, error: failures.append(str(error)),
    )
    for number in range(2345):
        batching.write(
            bucket="bucket",
            record=Point("v2_batch")
            .tag("n", str(number % 4))
            .field("v", number + 0.5)
            .time(nanoseconds + number * 10**6, WritePrecision.NS),
        )
    batching.close()

# The server's refusal of one bad line reaches the caller; the good line is kept.
with client(False) as influx:
    try:
        influx.write_api(write_options=SYNCHRONOUS).write(
            bucket="bucket", record=f"v2_good v=7 {nanoseconds}\nv2_bad v= {nanoseconds}"
        )
        failures.append("a bad line was taken")
    except Exception as error:
        if getattr(error, "status", None) != 400 or "line 2" not in str(error):
            failures.append(f"the refusal does not name line 2: {error}")

sys.exit("\n".join(failures) if failures else 0)
