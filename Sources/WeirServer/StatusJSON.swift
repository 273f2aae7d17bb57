internal import WeirAlerts
internal import WeirCore
internal import WeirStore
internal import WeirSystem

/// `GET /api/v1/status`: rows, segments, bytes and series per signal, memory by budget,
/// quarantined segments, journal lag.
enum StatusJSON {
    static func bytes(
        _ status: StoreStatus,
        replay: StoreReplayReport,
        rules: RuleLoop.LoadState,
        startedAt: Int64,
        now: Int64
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", WeirVersion.text)
        writer.member("uptime_seconds", Double((now - startedAt) / 1_000_000) / 1000)
        writer.key("signals")
        writer.beginArray()
        for signal in status.signals where signal.signal.resolution == nil {
            write(signal, limit: status.streamsMax, to: &writer)
        }
        writer.endArray()
        // Derived: by themselves, so that sums over signals are what was sent.
        writer.key("rollups")
        writer.beginArray()
        for signal in status.signals where signal.signal.resolution != nil {
            write(signal, limit: status.streamsMax, to: &writer)
        }
        writer.endArray()
        writer.key("memory")
        writer.beginObject()
        writer.member("resident_bytes", ProcessStatus.residentBytes())
        writer.member("peak_resident_bytes", ProcessStatus.peakResidentBytes())
        writer.member("rows_bytes", status.memoryBytes)
        writer.member("rows_bytes_max", status.memoryBytesMax)
        writer.endObject()
        writer.key("journal")
        writer.beginObject()
        writer.member("bytes", status.journalBytes)
        writer.member("lag_rows", status.journalLagRows)
        writer.member("last_sequence", Int(clamping: status.lastSequence))
        writer.member("replayed_batches", replay.batches)
        writer.member("replayed_rows", replay.rows)
        texts("torn_tails", replay.tornTails, to: &writer)
        texts("missing_batches", replay.gaps, to: &writer)
        writer.endObject()
        writer.key("disk")
        writer.beginObject()
        writer.member("free_bytes", status.diskFreeBytes)
        writer.member("is_full", status.isDiskFull)
        writer.endObject()
        writer.member("is_merging", status.isMerging)
        writer.key("quarantined")
        writer.beginArray()
        for segment in status.quarantined {
            writer.beginObject()
            writer.member("path", segment.path)
            writer.member("rows", segment.rows)
            writer.member("reason", segment.reason)
            writer.endObject()
        }
        writer.endArray()
        writer.key("rules")
        writer.beginObject()
        writer.member("groups", rules.groupCount)
        writer.member("rules", rules.ruleCount)
        texts("problems", rules.problems.map(\.description), to: &writer)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func write(
        _ signal: StoreStatus.SignalStatus,
        limit: Int,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("tenant", signal.tenant)
        writer.member("signal", signal.signal.name)
        writer.member("rows", signal.segmentRows + signal.memoryRows)
        writer.member("segments", signal.segments)
        writer.member("segment_rows", signal.segmentRows)
        writer.member("segment_bytes", signal.segmentBytes)
        writer.member("memory_rows", signal.memoryRows)
        writer.member("memory_bytes", signal.memoryBytes)
        writer.member("days", signal.days)
        writer.member("active_series", signal.activeStreams)
        writer.member("active_series_max", limit)
        writer.endObject()
    }

    private static func texts(_ name: String, _ texts: [String], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for text in texts { writer.value(text) }
        writer.endArray()
    }
}

/// Which Weir this is.
package enum WeirVersion {
    package static let text = "0.1.0"
}
