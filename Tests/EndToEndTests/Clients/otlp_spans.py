"""Sends known spans with PyPI `opentelemetry-exporter-otlp-proto-http`, plain and gzip, and with
`opentelemetry-exporter-zipkin-json`, unmodified.

Usage: otlp_spans.py BASE_URL UNIX_SECONDS
The spans are those that SpanClientTests.swift expects; trace ids are 1, 2 and 3 in all digits.
"""
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

base, seconds = sys.argv[1], int(sys.argv[2])
nanoseconds = seconds * 10**9


class KnownIds(IdGenerator):
    def __init__(self, digit):
        self.digit, self.count = digit, 0

    def generate_trace_id(self):
        return int(self.digit * 32, 16)

    def generate_span_id(self):
        self.count += 1
        return self.count


exporters = (
    ("1", "spans-plain", OTLPSpanExporter(endpoint=base + "/v1/traces", timeout=30, compression=Compression.NoCompression)),
    ("2", "spans-gzip", OTLPSpanExporter(endpoint=base + "/v1/traces", timeout=30, compression=Compression.Gzip)),
    ("3", "spans-zipkin", ZipkinExporter(endpoint=base + "/api/v2/spans", local_node_ipv4="10.1.2.3", local_node_port=8080, timeout=30)),
)
for digit, name, exporter in exporters:
    provider = TracerProvider(
        resource=Resource({"service.name": name, "build.number": 7}),
        id_generator=KnownIds(digit),
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("kit.tracer", "1.2.3", attributes={"kit": True})
    other = SpanContext(int("a" * 32, 16), int("b" * 16, 16), False, TraceFlags(1))
    root = tracer.start_span(
        "GET /checkout",
        kind=SpanKind.SERVER,
        start_time=nanoseconds,
        attributes={
            "http.response.status_code": 500,
            "ok": False,
            "ratio": 0.25,
            "whole": 2.0,
            "text": 'ünïcode "q"',
            "tags": ["x", "y"],
            "numbers": [1, 2],
        },
        links=[Link(other, {"why": "retry"})],
    )
    root.add_event("cache miss", {"key": "k1", "n": 2}, timestamp=nanoseconds + 10**8)
    child = tracer.start_span(
        "SELECT",
        context=set_span_in_context(root),
        kind=SpanKind.CLIENT,
        start_time=nanoseconds + 2 * 10**8,
        attributes={"db.system": "postgresql"},
    )
    child.set_status(Status(StatusCode.ERROR, "boom"))
    child.end(nanoseconds + 5 * 10**8)
    root.end(nanoseconds + 10**9)
    assert provider.force_flush(30_000), "flush"
    provider.shutdown()
