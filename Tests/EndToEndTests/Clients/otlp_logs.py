"""Sends known log records with PyPI `opentelemetry-exporter-otlp-proto-http`, unmodified.

Usage: otlp_logs.py BASE_URL UNIX_SECONDS
The records are those that LogClientTests.swift expects.
"""
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

base, seconds = sys.argv[1], int(sys.argv[2])
nanoseconds = seconds * 10**9
span = NonRecordingSpan(
    SpanContext(int("ab" * 16, 16), int("cd" * 8, 16), False, TraceFlags(1))
)
for name, compression in (("otlp-plain", Compression.NoCompression), ("otlp-gzip", Compression.Gzip)):
    provider = LoggerProvider(
        resource=Resource.create(
            {
                "service.name": name,
                "service.instance.id": "one",
                "deployment.environment.name": "test",
                "build.number": 7,
            }
        )
    )
    exporter = OTLPLogExporter(endpoint=base + "/v1/logs", compression=compression, timeout=30)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.logger", "1.2.3")
    logger.emit(
        LogRecord(
            timestamp=nanoseconds + 1,
            observed_timestamp=nanoseconds + 1,
            context=set_span_in_context(span),
            severity_text="ERROR",
            severity_number=SeverityNumber.ERROR,
            body='disk failed "sda"',
            attributes={"disk": "sda", "ratio": 0.5, "fatal": False, "count": -17},
        )
    )
    logger.emit(
        LogRecord(
            timestamp=nanoseconds + 2,
            severity_number=SeverityNumber.WARN,
            body={"k": "v", "n": 3},
            attributes={"list": ["a", "b"]},
        )
    )
    assert provider.force_flush(30_000), "flush"
    provider.shutdown()
