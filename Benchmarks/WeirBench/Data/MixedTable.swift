/// One whole-numbered field: a level that moves by normally distributed steps of deviation 1, and
/// what is shown of it.
struct MixedField {
    private var level: Double
    private let mean: Double
    private let limit: Double
    private let view: View

    /// What is written of the level.
    private enum View {
        case level
        /// What the level leaves of the limit.
        case rest
        case restPercent
        /// In units of so many.
        case units(Double)
        case restUnits(Double)
        case constant
    }

    private init(_ level: Double, mean: Double, limit: Double, _ view: View = .level) {
        self.level = level
        self.mean = mean
        self.limit = limit
        self.view = view
    }

    /// Grows for ever, by about `mean` a round.
    static func counter(_ mean: Double) -> Self { Self(0, mean: mean, limit: .infinity) }
    /// Walks by about `mean` a round until it stays at its limit.
    static func limited(_ mean: Double, _ limit: Double, from level: Double = 0) -> Self {
        Self(level, mean: mean, limit: limit)
    }
    static func constant(_ level: Double) -> Self {
        Self(level, mean: 0, limit: .infinity, .constant)
    }
    /// Advances by exactly `mean`: an uptime.
    static func clock(_ mean: Double) -> Self {
        Self(0, mean: mean, limit: .infinity, .units(0))
    }
    fileprivate static func disk(_ view: DiskView) -> Self {
        let terabyte = 0x1p40
        let shown: View =
            switch view {
            case .free: .level
            case .used: .rest
            case .usedPercent: .restPercent
            case .freeInodes: .units(4096)
            case .usedInodes: .restUnits(4096)
            }
        return Self(terabyte / 2, mean: 50, limit: terabyte, shown)
    }
    fileprivate enum DiskView { case free, used, usedPercent, freeInodes, usedInodes }

    mutating func next(_ numbers: inout SeededNumbers) -> Int {
        switch view {
        case .constant: return Int(level)
        case .units(0):
            level += mean
            return Int(level)
        default: level = min(limit, max(0, level + mean + numbers.gaussian()))
        }
        return switch view {
        case .level, .constant: Int(level)
        case .rest: Int(limit - level)
        case .restPercent: Int(100 * (limit - level) / limit)
        case .units(let size): Int(level / size)
        case .restUnits(let size): Int((limit - level) / size)
        }
    }
}

/// The tables but `mem`, with the names and steps of the Time Series Benchmark Suite.
struct MixedTable {
    let name: String
    let fields: [(name: String, field: MixedField)]

    /// Of one host, the nine of `mem` among them.
    static let fieldCount = all.reduce(9) { $0 + $1.fields.count }

    static let all: [Self] = [
        Self(
            name: "diskio",
            fields: named(["reads", "writes"], .counter(50))
                + named(["read_bytes", "write_bytes"], .counter(100))
                + named(["read_time", "write_time", "io_time"], .counter(5))
        ),
        Self(
            name: "disk",
            fields: [
                ("total", .constant(0x1p40)), ("free", .disk(.free)), ("used", .disk(.used)),
                ("used_percent", .disk(.usedPercent)), ("inodes_total", .constant(0x1p28)),
                ("inodes_free", .disk(.freeInodes)), ("inodes_used", .disk(.usedInodes)),
            ]
        ),
        Self(
            name: "kernel",
            fields: [("boot_time", .constant(117))]
                + named(
                    [
                        "interrupts", "context_switches", "processes_forked", "disk_pages_in",
                        "disk_pages_out",
                    ],
                    .counter(5)
                )
        ),
        Self(
            name: "net",
            fields: named(
                ["bytes_sent", "bytes_recv", "packets_sent", "packets_recv"],
                .counter(50)
            ) + named(["err_in", "err_out", "drop_in", "drop_out"], .counter(5))
        ),
        Self(
            name: "nginx",
            fields: named(["accepts", "handled", "requests"], .counter(5))
                + named(["active", "reading", "waiting", "writing"], .limited(5, 100))
        ),
        Self(
            name: "postgresl",
            fields: named(
                [
                    "numbackends", "xact_commit", "xact_rollback", "blks_read", "blks_hit",
                    "tup_returned", "tup_fetched", "tup_inserted", "tup_updated", "tup_deleted",
                    "conflicts", "temp_files", "deadlocks", "blk_read_time", "blk_write_time",
                ],
                .limited(5, 1000)
            ) + [("temp_bytes", .limited(1024, 0x1p30))]
        ),
        Self(
            name: "redis",
            fields: [
                ("uptime_in_seconds", .clock(10)), ("total_connections_received", .counter(5)),
            ]
                + named(
                    ["expired_keys", "evicted_keys", "keyspace_hits", "keyspace_misses"],
                    .counter(50)
                )
                + named(
                    [
                        "instantaneous_ops_per_sec", "instantaneous_input_kbps",
                        "instantaneous_output_kbps",
                    ],
                    .counter(1)
                )
                + named(["connected_clients", "rdb_changes_since_last_save"], .limited(50, 10_000))
                + named(
                    ["used_memory", "used_memory_rss", "used_memory_peak", "used_memory_lua"],
                    .limited(50, 0x1p34, from: 0x1p33)
                )
                + named(
                    [
                        "sync_full", "sync_partial_ok", "sync_partial_err", "pubsub_channels",
                        "pubsub_patterns", "latest_fork_usec", "connected_slaves",
                        "master_repl_offset", "repl_backlog_active", "repl_backlog_size",
                        "repl_backlog_histlen", "used_cpu_sys", "used_cpu_user",
                    ],
                    .limited(5, 1000)
                )
                + [("mem_fragmentation_ratio", .limited(5, 100))]
        ),
    ]

    private static func named(
        _ names: [String],
        _ field: MixedField
    ) -> [(name: String, field: MixedField)] {
        names.map { ($0, field) }
    }
}
