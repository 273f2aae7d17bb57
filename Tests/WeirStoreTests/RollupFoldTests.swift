import Testing
import WeirColumns
import WeirCore

/// What samples come to, window by window.
@Suite struct RollupFoldTests {
    private static func fold(
        _ samples: [(milliseconds: Int64, value: Double)],
        _ resolution: RollupResolution = .fiveMinutes
    ) -> RollupRows {
        var fold = RollupFold(resolution)
        var rows = RollupRows()
        fold.append(
            samples.map { $0.milliseconds * 1_000_000 },
            samples.map(\.value),
            to: &rows.times,
            &rows.columns
        )
        return rows
    }

    private static func row(_ rows: RollupRows, _ row: Int) -> [Double] {
        RollupColumn.allCases.map { column in
            let values = rows.columns[column.rawValue]
            return values.kind == .int64 ? Double(values.ints[row]) : values.floats[row]
        }
    }

    /// The example of docs/format/rollups.md.
    @Test func theExampleOfTheFormatPageComesOut() {
        let rows = Self.fold([(15_000, 5), (30_000, 7), (45_000, 2), (60_000, 2)], .oneHour)
        #expect(rows.times == [60_000_000_000])
        #expect(Self.row(rows, 0) == [4, 45_000, 16, 0, 2, 7, 5, 2, 7, 1, 2, 5 + 128])
    }

    @Test func windowsAreOpenAtTheirStart() {
        let rows = Self.fold([(0, 1), (1, 2), (300_000, 3), (300_001, 4), (900_000, 5)])
        #expect(rows.times == [0, 300_000, 300_001, 900_000].map { $0 * 1_000_000 })
        #expect(rows.columns[RollupColumn.count.rawValue].ints == [1, 2, 1, 1])
        let negative = Self.fold([(-600_000, 1), (-599_999, 2), (-300_000, 3), (-299_999, 4)])
        #expect(negative.columns[RollupColumn.count.rawValue].ints == [1, 2, 1])
        // The end of a day ends a window of its own.
        let cut = Self.fold([(86_399_999, 1), (86_400_000, 2), (86_400_001, 3)])
        #expect(cut.columns[RollupColumn.count.rawValue].ints == [1, 1, 1])
    }

    /// A time is the whole millisecond it lies in, so a fraction past the end belongs to the window.
    @Test func fractionsOfMillisecondsAreFloored() {
        var fold = RollupFold(.fiveMinutes)
        var rows = RollupRows()
        let edge: Int64 = 300_000_000_000
        fold.append(
            [edge - 1, edge, edge + 999_999, edge + 1_000_000],
            [1, 2, 3, 4],
            to: &rows.times,
            &rows.columns
        )
        #expect(rows.times == [edge + 999_999, edge + 1_000_000])
        #expect(rows.columns[RollupColumn.span.rawValue].ints == [1, 0])
    }

    @Test func timesAtTheEndsOfTimeDoNotTrap() {
        var fold = RollupFold(.oneHour)
        var rows = RollupRows()
        fold.append([.min, .min + 1, 0, .max], [1, 2, 3, 4], to: &rows.times, &rows.columns)
        #expect(rows.times == [.min + 1, 0, .max])
    }

    @Test func markersAreNoSamplesAndNaNIsNoExtreme() {
        let marker = Double.staleMarker
        #expect(Self.fold([(1, marker)]).times.isEmpty)
        let rows = Self.fold([(1, .nan), (2, marker), (3, 4), (4, .nan)])
        #expect(rows.columns[RollupColumn.count.rawValue].ints == [3])
        #expect(rows.columns[RollupColumn.min.rawValue].floats == [4])
        #expect(rows.columns[RollupColumn.changes.rawValue].ints == [2])
        #expect(rows.columns[RollupColumn.exactness.rawValue].ints == [63])
        let alone = Self.fold([(1, .nan), (2, .nan)])
        #expect(alone.columns[RollupColumn.max.rawValue].floats[0].isNaN)
    }

    private static let sizes: [(values: [Double], exactness: Int64)] = [
        ([0], 0), ([1], 1), ([-3], 2), ([4, -4], 4), ([0.5], 63), ([-0.0], 64), ([0x1p52], 53),
        ([0x1p53], 63), ([.infinity], 63),
    ]

    @Test(arguments: sizes)
    func exactnessIsTheSizeOfWholeNumbers(_ one: (values: [Double], exactness: Int64)) {
        let samples = one.values.enumerated().map { (Int64($0) + 1, $1) }
        let rows = Self.fold(samples)
        #expect(rows.columns[RollupColumn.exactness.rawValue].ints == [one.exactness])
    }
}
