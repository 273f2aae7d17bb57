import WeirCore
import WeirSystem

/// What one load of one set cost one server.
struct IngestMeasure {
    /// Processor seconds when the last request was answered, and when all was flushed and merged.
    var loadSeconds = 0.0
    var totalSeconds = 0.0
    var wallSeconds = 0.0
    var failures = 0
    var firstFailure = ""
    /// Bytes written to the journal.
    var journalBytes = 0
    /// Bytes of the signal's segments, as the server tells; 0 when it does not.
    var segmentBytes = 0
    /// Bytes of other signals' segments: what the server derived from the load.
    var derivedBytes = 0
    /// Rows of other signals.
    var derivedRows = 0
    /// Bytes of the whole folder on disk.
    var folderBytes = 0
    var peakResidentBytes = 0
    /// Resident before the load, and a while after it.
    var idleResidentBytes = 0
    var restingResidentBytes = 0
    /// Samples that the server says it holds.
    var storedSamples = 0

    /// Loads `set` into a fresh server, flushes and merges.
    ///
    /// The server stays up.
    static func load(_ set: DataSet, into server: Server) throws(BenchError) -> Self {
        var measure = Self()
        let before = server.child.processorSeconds
        Thread.sleep(nanoseconds: 300_000_000)
        measure.idleResidentBytes = server.child.residentBytes
        let outcome = Loader.send(
            set.bodies,
            to: server.base,
            path: set.path,
            contentType: set.contentType,
            headers: set.headers
        )
        measure.take(outcome)
        measure.loadSeconds = server.child.processorSeconds - before
        try measure.settle(server, signal: set.signal, before: before)
        return measure
    }

    mutating func take(_ outcome: Loader.Outcome) {
        wallSeconds += outcome.wallSeconds
        failures += outcome.failures
        if firstFailure.isEmpty { firstFailure = outcome.firstFailure }
    }

    /// Flushes, merges and reads what is then there.
    mutating func settle(
        _ server: Server,
        signal: String = "metrics",
        before: Double
    ) throws(BenchError) {
        try server.settle()
        // Deleting merged files and giving back memory are part of the cost.
        Thread.sleep(nanoseconds: 500_000_000)
        totalSeconds = server.child.processorSeconds - before
        peakResidentBytes = server.child.peakResidentBytes
        restingResidentBytes = server.child.residentBytes
        folderBytes = SmallFile.diskBytes(below: server.folder)
        switch server.kind {
        case .weir:
            let written = try server.metric("weir_journal_written_bytes_total")
            journalBytes = Int(written ?? 0)
            for kept in try server.json("/api/v1/status")["signals"]?.array ?? [] {
                let bytes = kept["segment_bytes"]?.int ?? 0
                let rows = kept["rows"]?.int ?? 0
                if kept["signal"]?.string == signal {
                    segmentBytes += bytes
                    storedSamples += rows
                } else {
                    derivedBytes += bytes
                    derivedRows += rows
                }
            }
        case .victoriaMetrics: break
        }
    }
}
