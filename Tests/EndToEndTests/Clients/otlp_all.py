"""Sends metrics, logs and traces with PyPI `opentelemetry-sdk` and its OTLP protobuf exporters,
unmodified, to one address, plain and gzip; metrics cumulative, and delta.

Usage: otlp_all.py BASE_URL
What is sent is what AllSignalsTests.swift expects. Times are the SDK's own; ids are known.
"""
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind

base = sys.argv[1]


class KnownIds(IdGenerator):
    def __init__(self, digit):
        self.digit, self.count = digit, 0

    def generate_trace_id(self):
        return int(self.digit * 32, 16)

    def generate_span_id(self):
        self.count += 1
        return int(self.digit * 15 + "0", 16) + self.count


DELTA = {kind: AggregationTemporality.DELTA for kind in (Counter, Histogram, UpDownCounter)}
for digit, name, compression, temporality in (
    ("4", "all-plain", Compression.NoCompression, None),
    ("5", "all-gzip", Compression.Gzip, DELTA),
):
    options = dict(timeout=30, compression=compression)
    resource = Resource({"service.name": name, "service.instance.id": "one", "host.name": "a1"})
    metrics = MeterProvider(
        resource=resource,
        metric_readers=[
            PeriodicExportingMetricReader(
                OTLPMetricExporter(
                    endpoint=base + "/v1/metrics", preferred_temporality=temporality, **options
                ),
                export_interval_millis=10**7,
            )
        ],
        views=[View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())],
    )
    meter = metrics.get_meter("kit.meter", "1.2.3")
    requests = meter.create_counter("shop.requests", unit="1")
    in_flight = meter.create_up_down_counter("in.flight", unit="{request}")
    temperature = meter.create_gauge("room.temperature", unit="Cel")
    latency = meter.create_histogram("latency", unit="s")
    size = meter.create_histogram("size", unit="By")
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(endpoint=base + "/v1/logs", **options))
    )
    logger = loggers.get_logger("kit.logger")
    traces = TracerProvider(resource=resource, id_generator=KnownIds(digit))
    traces.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=base + "/v1/traces", **options))
    )
    tracer = traces.get_tracer("kit.tracer", "1.2.3")
    labels = {"http.route": "/cart/{id}"}
    with tracer.start_as_current_span(
        "GET /cart", kind=SpanKind.SERVER, attributes={"n": 3, "ratio": 0.25, "ok": True}
    ):
        requests.add(5, labels)
        latency.record(3.5, labels)
        with tracer.start_as_current_span("SELECT", kind=SpanKind.CLIENT):
            logger.emit(
                LogRecord(
                    severity_number=SeverityNumber.ERROR,
                    severity_text="ERROR",
                    body="query was slow",
                    attributes={"rows": 17},
                )
            )
            latency.record(0.5, labels)
            size.record(1000, labels)
    in_flight.add(3, labels)
    in_flight.add(-1, labels)
    temperature.set(21.5, labels)
    assert metrics.force_flush(30_000), "metrics"
    # A second time: what is cumulative is said again, what is delta is added.
    requests.add(2, labels)
    latency.record(99, labels)
    size.record(3, labels)
    assert metrics.force_flush(30_000), "metrics again"
    metrics.shutdown()
    assert loggers.force_flush(30_000), "logs"
    loggers.shutdown()
    assert traces.force_flush(30_000), "traces"
    traces.shutdown()
