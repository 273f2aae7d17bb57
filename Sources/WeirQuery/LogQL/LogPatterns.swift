internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// Lines of one form counted together: what differs from line to line is `<_>`.
package struct LogPatterns: Sendable {
    package struct Found: Sendable {
        package let pattern: String
        /// The level most of its lines have; empty when they have none.
        package let level: String
        /// One per bucket.
        package let counts: [Double]
        package let total: Double
    }

    /// More lines than these are sampled evenly, and counts scaled.
    package static let linesMax = 200_000
    /// Forms beyond these are not told apart.
    package static let patternsMax = 5000

    package let start: Int64
    package let step: Int64
    package let bucketCount: Int
    /// The most lines first.
    package let patterns: [Found]

    private struct Tally: Sendable {
        var counts: [Int: Int] = [:]
        var levels: [[UInt8]: Int] = [:]
        var total = 0
    }

    package init(
        _ query: LogQLQuery,
        from start: Int64,
        to end: Int64,
        step: Int64,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) {
        let (first, count) = try LogHits.buckets(from: start, to: end, step: step)
        self.start = first
        self.step = step
        bucketCount = count
        let scan = try LogScan(
            query,
            need: LogPipeline.Need(labels: ["level"], line: true),
            times: start...(end - 1),
            source: source,
            context: context
        )
        let blocks = scan.blocks(overlapping: scan.times)
        let rowCount = blocks.reduce(0) { $0 + scan.selection.blocks[$1].rowCount }
        let stride = max(1, rowCount / Self.linesMax)
        let state = Mutex<[[UInt8]: Tally]>([:])
        try scan.selection.scan(
            blocks,
            isWanted: { _ in true },
            { (index, block) throws(QueryError) in
                let view = LogBlockView(
                    block,
                    index: index,
                    streams: scan.streams,
                    context: context
                )
                let found = try Self.tally(scan, view, first: first, step: step, stride: stride)
                state.withLock { Self.join(found, into: &$0) }
            }
        )
        let scale = Double(stride)
        let buckets = bucketCount
        patterns = state.withLock { $0 }.map { pattern, tally in
            var counts = [Double](repeating: 0, count: buckets)
            for (bucket, count) in tally.counts where bucket < buckets {
                counts[bucket] = Double(count) * scale
            }
            let level = tally.levels.max { ($0.value, $1.key.count) < ($1.value, $0.key.count) }
            return Found(
                pattern: String(decoding: pattern, as: UTF8.self),
                level: level.map { String(decoding: $0.key, as: UTF8.self) } ?? "",
                counts: counts,
                total: Double(tally.total) * scale
            )
        }.sorted { ($1.total, $0.pattern) < ($0.total, $1.pattern) }
    }

    private static func join(_ found: [[UInt8]: Tally], into state: inout [[UInt8]: Tally]) {
        for (pattern, tally) in found {
            guard var held = state[pattern] else {
                if state.count < patternsMax { state[pattern] = tally }
                continue
            }
            held.total += tally.total
            for (bucket, count) in tally.counts { held.counts[bucket, default: 0] += count }
            for (level, count) in tally.levels { held.levels[level, default: 0] += count }
            state[pattern] = held
        }
    }

    private static func tally(
        _ scan: LogScan,
        _ view: LogBlockView,
        first: Int64,
        step: Int64,
        stride: Int
    ) throws(QueryError) -> [[UInt8]: Tally] {
        var found: [[UInt8]: Tally] = [:]
        let row = LogRowState(view)
        for part in try scan.parts(view) {
            let times = try view.times()
            for place in Swift.stride(from: 0, to: part.rows.count, by: stride) {
                if place & 1023 == 0 { try scan.context.check() }
                let number = Int(part.rows[place])
                row.start(number)
                guard try row.run(part.rest) else { continue }
                let pattern = template(of: try row.line())
                if found[pattern] == nil, found.count >= patternsMax { continue }
                var tally = found.removeValue(forKey: pattern) ?? Tally()
                tally.total += 1
                tally.counts[Int((times[number] - first) / step), default: 0] += 1
                if let level = try row.value("level") { tally.levels[level, default: 0] += 1 }
                found[pattern] = tally
            }
        }
        return found
    }

    /// The line with `<_>` for words that hold a digit and for what is in double quotes; at most
    /// 256 bytes of it count.
    package static func template(of line: [UInt8]) -> [UInt8] {
        let mark = Array("<_>".utf8)
        var output: [UInt8] = []
        var index = 0
        let end = min(line.count, 256)
        while index < end {
            let byte = line[index]
            if byte == UInt8(ascii: "\""),
                let close = line[(index + 1)...].prefix(256).firstIndex(of: byte)
            {
                output += [byte] + mark + [byte]
                index = close + 1
                continue
            }
            guard isWord(byte) else {
                output.append(byte)
                index += 1
                continue
            }
            let start = index
            var hasDigit = false
            while index < end, isWord(line[index]) {
                hasDigit = hasDigit || PromQLLexer.isDigit(line[index])
                index += 1
            }
            if hasDigit {
                output += mark
            } else {
                output += line[start..<index]
            }
        }
        return output
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        PromQLLexer.isNameStart(byte) || PromQLLexer.isDigit(byte) || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "-") || byte >= 0x80
    }
}
