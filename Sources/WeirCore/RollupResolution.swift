/// How long the windows are that rollups sum samples up over.
///
/// Layout: docs/format/rollups.md.
package enum RollupResolution: Hashable, Sendable, CaseIterable {
    case fiveMinutes
    case oneHour

    package var milliseconds: Int64 {
        switch self {
        case .fiveMinutes: 300_000
        case .oneHour: 3_600_000
        }
    }

    /// The signal that its rows are kept under.
    package var signal: Signal {
        switch self {
        case .fiveMinutes: .rollups5m
        case .oneHour: .rollups1h
        }
    }

    /// Whether rows keep both parts of a compensated sum.
    package var keepsResidue: Bool { self == .oneHour }
}

/// The columns of a rollup's rows, by their places in `StreamSchema.rollups`.
package enum RollupColumn: Int, Hashable, Sendable, CaseIterable {
    case count
    /// Milliseconds from the first sample to the last.
    case span
    case sum
    case residue
    case min
    case max
    case first
    case last
    case drops
    case resets
    case changes
    case exactness

    /// What `exactness` says.
    package enum Exactness {
        /// The bits with the size of the sum of magnitudes.
        package static let sizeMask: Int64 = 63
        /// The largest size at which every sum of whole numbers is exact.
        package static let sizeMax: Int64 = 53
        /// There is a -0 among the samples.
        package static let hasNegativeZero: Int64 = 64
        /// `sum` and `residue` are the two parts of the compensated sum.
        package static let isWhole: Int64 = 128
    }
}

/// Rows of a rollup of one series, times ascending.
package struct RollupRows: Sendable {
    /// Of each row's last sample; what unit, says who gives them out.
    package var times: [Int64] = []
    /// One per `RollupColumn`; those that were not asked for are empty.
    package var columns: [ColumnValues]

    package init() { columns = StreamSchema.rollups.columns.map { ColumnValues(kind: $0.kind) } }

    package mutating func removeAll() {
        times.removeAll(keepingCapacity: true)
        for index in columns.indices { columns[index].removeAll() }
    }
}
