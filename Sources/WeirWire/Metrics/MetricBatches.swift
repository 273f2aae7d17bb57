package import WeirCore

/// What a body of metrics held, whichever format it had: rows of each signal, and what is known of the
/// metrics.
package struct MetricBatches: Sendable {
    /// Refusals kept with their reasons.
    package static let refusalsMax = 100

    package var samples = RowBatch(signal: .metrics)
    package var histograms = RowBatch(signal: .histograms)
    package var exemplars = RowBatch(signal: .exemplars)
    package var metadata: [FamilyMetadata] = []
    /// The first refusals; `refusedCount` counts them all.
    package var refusals: [MetricRefusal] = []
    /// Lines, samples, histograms or exemplars that were not taken.
    package var refusedCount = 0

    package init() {}

    /// Rows of all signals.
    package var rowCount: Int { samples.rowCount + histograms.rowCount + exemplars.rowCount }

    /// The batches in the order in which the store is to take them.
    package var all: [RowBatch] { [samples, histograms, exemplars] }

    package mutating func refuse(line: Int, _ reason: @autoclosure () -> String, count: Int = 1) {
        refusedCount += count
        if refusals.count < Self.refusalsMax {
            refusals.append(MetricRefusal(line: line, reason: reason()))
        }
    }
}

/// A line, or a series, that was not taken.
package struct MetricRefusal: Hashable, Sendable {
    /// Counted from 1; the number of the series in formats without lines.
    package let line: Int
    package let reason: String
}

extension RowBatch {
    /// Appends a stream, and tells its number in this batch.
    mutating func addStream(_ labels: Labels, line: Int = 0) -> UInt32 {
        streams.append(labels)
        firstLines.append(line)
        return UInt32(streams.count - 1)
    }

    /// Appends a row of `Signal.metrics`.
    mutating func append(_ value: Double, stream: UInt32, time: Int64) {
        streamIndexes.append(stream)
        times.append(time)
        columns[0].floats.append(value)
    }

    /// Appends a row of `Signal.exemplars`.
    mutating func appendExemplar(
        _ value: Double,
        labels: [(name: String, value: String)],
        stream: UInt32,
        time: Int64
    ) {
        let row = rowCount
        streamIndexes.append(stream)
        times.append(time)
        fields.set(ExemplarField.value, row: row, kind: .number, value: OTLPText.number(value))
        for label in labels where !label.name.isEmpty && !label.value.isEmpty {
            fields.set(label.name, row: row, kind: .text, value: label.value)
        }
    }
}
