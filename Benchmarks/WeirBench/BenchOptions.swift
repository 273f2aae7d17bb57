/// What the command line asked for.
struct BenchOptions {
    var weir = ".build/release/weir"
    /// The peer's program; nil leaves it out.
    var peer: String? = ".peers/bin/victoria-metrics"
    var folder = ".build/bench"
    var seed: UInt64 = 2026
    var repeats = 3
    var queryRepeats = 25
    var bursts = 20
    /// A tenth of the data, once, without the peer and without the million series.
    var isShort = false
    /// The million series for the peer too.
    var isFull = false
    var isJSON = false
    /// All but the one that takes minutes by itself.
    var parts = Set(Part.allCases).subtracting([.rollups])

    enum Part: String, CaseIterable {
        case gauges
        /// The gauges again, as remote write.
        case remote
        case mixed
        /// Codecs of series, without a server.
        case codecs
        case many
        case logs
        /// The logs ten times over: how cost grows.
        case logs10
        case spans
        /// The spans ten times over.
        case spans10
        /// A day of 10,000 series with rollups and without; only when it is asked for.
        case rollups
    }

    static let usage = """
        weir-bench [--short | --full] [--json] [--repeat N] [--queries N] [--seed N]
                   [--parts gauges,remote,mixed,codecs,many,logs,logs10,spans,spans10,rollups]
                   [--weir PROGRAM] [--peer PROGRAM|none]
                   [--folder DIR]

        Measures a real `weir serve` over HTTP on data it makes, and prints one table.
          --short   a tenth of the data, once, no peer, no million series, no ten times
          --full    the million series for the peer too
          --folder  where data lies while it is measured (.build/bench); the disk that
                    holds it is the one that is measured
        A figure beyond its reach is marked `over`; the exit code is 0 all the same.
        """

    init(_ arguments: [String]) throws(BenchError) {
        var rest = arguments[...]
        func value(_ flag: String) throws(BenchError) -> String {
            guard let text = rest.popFirst() else { throw .usage("\(flag) needs a value") }
            return text
        }
        func count(_ flag: String) throws(BenchError) -> Int {
            let text = try value(flag)
            guard let count = Int(text), (1...10_000).contains(count) else {
                throw .usage("\(flag) needs a number from 1, not \(text)")
            }
            return count
        }
        while let flag = rest.popFirst() {
            switch flag {
            case "--short":
                isShort = true
                repeats = 1
                queryRepeats = 20
                bursts = 5
                peer = nil
                parts.remove(.many)
                parts.remove(.logs10)
                parts.remove(.spans10)
            case "--full": isFull = true
            case "--json": isJSON = true
            case "--repeat": repeats = try count(flag)
            case "--queries": queryRepeats = try count(flag)
            case "--seed": seed = UInt64(try count(flag))
            case "--weir": weir = try value(flag)
            case "--folder": folder = try value(flag)
            case "--peer":
                let program = try value(flag)
                peer = program == "none" ? nil : program
            case "--parts":
                parts = []
                for name in try value(flag).split(separator: ",") {
                    guard let part = Part(rawValue: String(name)) else {
                        throw .usage("no part is called \(name)")
                    }
                    parts.insert(part)
                }
            default: throw .usage("unknown flag \(flag)")
            }
        }
    }
}
