import WeirSystem

/// One whole run: makes the data, measures, and fills the report.
struct Bench {
    private(set) var options: BenchOptions
    let folder: String
    var report: BenchReport
    let progress: (String) -> Void

    /// Processor microseconds per sample of the gauges, for the million series to be held against.
    var smallCaseMicroseconds = 0.0
    /// The queries over the logs, for those over ten times as many to be held against.
    var logQueries: [QueryPair] = []
    /// Likewise of the spans.
    var spanQueries: [QueryPair] = []
    private var folderCount = 0

    init(_ options: BenchOptions, progress: @escaping (String) -> Void) throws(BenchError) {
        self.options = options
        self.progress = progress
        folder = options.folder + "/run-\(ProcessStatus.identifier())"
        do throws(FileError) {
            try HostFileSystem().createDirectories(folder)
        } catch {
            throw .request(path: folder, reason: error.description)
        }
        let hasPeer = options.peer.map { HostFileSystem().exists($0) } ?? false
        report = BenchReport(
            machine: MachineFacts(folder: folder),
            peerName: hasPeer ? ServerKind.victoriaMetrics.name : "no peer"
        )
        if !hasPeer { self.options.peer = nil }
    }

    mutating func run() throws(BenchError) {
        if options.isShort {
            report.note("--short: a tenth of the data; the reaches are those of the whole.")
        }
        let parts = options.parts
        if parts.contains(.gauges) {
            progress("making the gauges")
            let minutes: Int64 = options.isShort ? 72 : 720
            try measureGauges(GaugeData.set(minutes: minutes, seed: options.seed))
        }
        if parts.contains(.remote) { try measureRemoteWrite() }
        if parts.contains(.mixed) {
            progress("making the mixed set")
            let minutes: Int64 = options.isShort ? 12 : 120
            try measureMixed(MixedData.set(minutes: minutes, seed: options.seed + 1))
        }
        if parts.contains(.codecs) { measureCodecs() }
        if parts.contains(.many) { try measureManySeries() }
        if parts.contains(.logs) { try measureLogs() }
        if parts.contains(.logs10) { try measureTenfoldLogs() }
        if parts.contains(.spans) { try measureSpans() }
        if parts.contains(.spans10) { try measureTenfoldSpans() }
        if parts.contains(.rollups) { try measureRollups() }
        report.note("load average at the end \(MachineFacts.load())")
    }

    /// A path nothing has been written to yet.
    mutating func freshFolder() -> String {
        folderCount += 1
        return "\(folder)/data-\(folderCount)"
    }

    func start(
        _ kind: ServerKind,
        in folder: String,
        _ arguments: [String] = []
    ) throws(BenchError) -> Server {
        switch kind {
        case .weir: try Server(kind, program: options.weir, folder: folder, arguments)
        case .victoriaMetrics: try Server(kind, program: options.peer ?? "", folder: folder)
        }
    }
}
