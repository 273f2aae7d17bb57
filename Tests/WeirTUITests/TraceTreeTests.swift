import Testing
import WeirCore
import WeirTestSupport

@testable import WeirTUI

/// How a trace is taken apart: what hangs on what, and where its time went.
@Suite struct TraceTreeTests {
    private typealias Span = CannedTraces.Span

    private func tree(_ spans: [Span] = CannedTraces.spans) throws -> TraceTree {
        TraceTree(try TraceModel(CannedTraces.trace(spans)))
    }

    private func span(_ id: String, _ parent: String?, _ from: Int64, _ to: Int64) -> Span {
        Span(id: id, parent: parent, service: "s", name: id, kind: "", from: from, to: to)
    }

    private func place(_ id: String, _ tree: TraceTree) throws -> Int {
        try #require(tree.trace.spans.firstIndex { $0.id.hasSuffix(id) })
    }

    private func text(_ rows: [TraceRow], _ tree: TraceTree) -> [String] {
        rows.map { row in
            let what =
                switch row.content {
                case .span(let index): String(tree.trace.spans[index].id.suffix(2))
                case .repeats(let first, let count):
                    "\(tree.trace.spans[first].id.suffix(2))x\(count)"
                case .missing(let id, _): "missing \(id.suffix(2))"
                case .gap(_, let from, let to): "gap \((to - from) / 1_000_000)"
                }
            return String(repeating: " ", count: row.depth) + what
        }
    }

    @Test func rowsFoldRepeatsAndShowWhatIsMissing() throws {
        let tree = try tree()
        #expect(
            text(tree.rows(TraceFolds()), tree) == [
                "a1", " a2", "  b1", "   c1", "    c2", "   d0x7", "   gap 193", "   f1", "   g1",
                "    g2", "    g3", "   i1", "missing ff", " h1",
            ]
        )
        var folds = TraceFolds()
        folds.closed = [try place("g1", tree), try place("c1", tree)]
        folds.openRepeats = [try place("d0", tree)]
        folds.showsGaps = false
        let rows = text(tree.rows(folds), tree)
        #expect(rows.count == 24)
        #expect(rows[4...6] == ["   d0x7", "    d0", "     e0"])
    }

    @Test func selfTimeIsWhatNoChildCovers() throws {
        let tree = try tree([
            span("a", nil, 0, 100), span("b", "a", 10, 40), span("c", "a", 30, 50),
            span("d", "a", 90, 130), span("e", "a", 35, 45),
        ])
        #expect(tree.selfTimes == [50_000, 30_000, 20_000, 10_000, 40_000])
    }

    @Test func theCriticalPathCoversTheRootOnce() throws {
        let tree = try tree([
            span("a", nil, 0, 100), span("b", "a", 10, 60), span("c", "a", 20, 50),
            span("d", "a", 60, 90), span("e", "b", 12, 58), span("f", "a", 150, 160),
        ])
        let ids = tree.trace.spans.indices.filter { tree.isCritical($0) }
            .map { tree.trace.spans[$0].name }
        #expect(ids == ["a", "b", "e", "d"])
        let sum = tree.critical.joined().reduce(0) { $0 + $1.to - $1.from }
        #expect(sum == 100_000)
    }

    @Test func cyclesAndOwnParentsAreRoots() throws {
        let tree = try tree([
            span("a", "c", 0, 10), span("b", "a", 1, 9), span("c", "b", 2, 8),
            span("d", "d", 3, 4),
        ])
        let rows = tree.rows(TraceFolds())
        #expect(rows.count == 4)
        #expect(tree.roots.count == 2)
    }

    /// As deep and as wide as a trace may be: nothing recurses, nothing is quadratic.
    @Test(arguments: [true, false])
    func greatTracesAreTakenApart(isDeep: Bool) throws {
        var spans = [span("0", nil, 0, 1_000_000)]
        let count = isDeep ? 20_000 : 50_000
        for index in 1..<count {
            spans.append(
                Span(
                    id: String(index, radix: 16),
                    parent: isDeep ? String(index - 1, radix: 16) : "0",
                    service: "s",
                    name: isDeep ? "n\(index)" : "n\(index % 3 == 0 ? 1 : 2)",
                    kind: "",
                    from: Int64(index),
                    to: isDeep ? 1_000_000 - Int64(index) : Int64(index) + 1
                )
            )
        }
        let tree = try tree(spans)
        var folds = TraceFolds()
        folds.showsGaps = false
        #expect(tree.rows(folds).count == count)
        #expect(tree.descendants[0] == count - 1)
        folds.repeatsMin = 2
        folds.openRepeats = Set(0..<count)
        #expect(tree.rows(folds).count >= count)
        let profile = TraceProfile(tree)
        #expect(profile.lines.reduce(0) { $0 + $1.count } == count)
        #expect(profile.roots.reduce(0) { $0 + profile.nodes[$1].weight } == profile.selfTime)
    }

    @Test func anyAnswerIsReadWithoutTrapping() throws {
        for text in [
            #"{"traceID":"x","spans":[]}"#,
            #"{"traceID":"x","spans":[{},{"spanID":""},{"spanID":"1","startTimeUnixNano":"9223372036854775807","durationNanos":"9223372036854775807"}]}"#,
            #"{"traceID":"x","spans":[{"spanID":"1","durationNanos":-5,"events":[{}],"links":[{}],"resource":99}]}"#,
            #"{"traceID":"x","spans":[{"spanID":"1","startTimeUnixNano":"0","durationNanos":"0"},{"spanID":"1","startTimeUnixNano":"9223372036854775807"}]}"#,
        ] {
            let tree = TraceTree(try TraceModel(CannedTraces.parse(text)))
            _ = TraceProfile(tree)
            TracePrinter.print(tree, width: 80, style: .plain) { _ in true }
        }
        #expect(throws: APIError.self) { try TraceModel(.null) }
    }

    @Test(arguments: [
        ("4BF92F3577B34DA6A3CE929D0E0E4710", "4bf92f3577b34da6a3ce929d0e0e4710"),
        ("abc", "00000000000000000000000000000abc"), ("xyz", nil), ("", nil),
    ])
    func traceIDsAreFilledUp(text: String, id: String?) {
        #expect(TraceText.traceID(text) == id)
    }

    @Test func aPrintedTraceIsAsItWas() throws {
        var text = ""
        TracePrinter.print(
            TraceTree(try TraceModel(CannedTraces.trace(isPartial: true))),
            width: 110,
            style: .plain
        ) { part in
            text += part
            return true
        }
        if let difference = GoldenFile.difference(text, "trace-printed") {
            Issue.record(Comment(rawValue: difference))
        }
        let tree = try tree()
        text = ""
        TracePrinter.print(
            tree,
            span: tree.place(of: "00000000000000g1"),
            width: 80,
            style: .plain
        ) { part in
            text += part
            return true
        }
        #expect(text.split(separator: "\n").count == 6)
    }
}
