/// Tags of Zipkin and Jaeger spans that OpenTelemetry's exporters put a span's scope in.
///
/// Before a scope was called so, it was a library.
package enum SpanTag {
    private static let oldScope = "library"

    package static let scopeNames: Set<String> = ["otel.scope.name", "otel.\(oldScope).name"]
    package static let scopeVersions: Set<String> = [
        "otel.scope.version", "otel.\(oldScope).version",
    ]
}
