/// How a trace's spans hang together, where its time went, and what decided how long it took.
///
/// Made in time that grows with the spans, but for sorting; deep and broken traces (spans without
/// their parents, cycles) are no trouble.
package struct TraceTree: Sendable {
    /// A part of a span that decided how long the trace took, in nanoseconds since 1970.
    package struct Segment: Hashable, Sendable {
        package let from: Int64
        package let to: Int64
    }

    package let trace: TraceModel
    /// Of each span, in the order of their starts.
    package let children: [[Int]]
    package let parents: [Int?]
    /// Spans without a parent.
    package let roots: [Int]
    /// Spans whose parent is not here, by the parent's id, in the order of their starts.
    package let orphans: [(parentID: String, children: [Int])]
    /// Where in `orphans` a missing parent's children are.
    private let orphanPlaces: [String: Int]
    /// Of each span among its siblings.
    private let siblingPlaces: [Int]
    /// Nanoseconds in which none of a span's children ran.
    package let selfTimes: [Int64]
    /// Of each span, latest first; empty off the critical path.
    package let critical: [[Segment]]
    /// How many spans are below each.
    package let descendants: [Int]
    /// Whether a span, or one below it, failed.
    package let hasErrorBelow: [Bool]

    package init(_ trace: TraceModel) {
        self.trace = trace
        let spans = trace.spans
        var places: [String: Int] = [:]
        places.reserveCapacity(spans.count)
        for index in spans.indices where places[spans[index].id] == nil {
            places[spans[index].id] = index
        }
        var parents = [Int?](repeating: nil, count: spans.count)
        for index in spans.indices {
            guard let id = spans[index].parentID, let parent = places[id], parent != index else {
                continue
            }
            parents[index] = parent
        }
        Self.breakCycles(&parents)
        var children = [[Int]](repeating: [], count: spans.count)
        var roots: [Int] = []
        var orphans: [(parentID: String, children: [Int])] = []
        var orphanPlaces: [String: Int] = [:]
        for index in spans.indices {
            if let parent = parents[index] {
                children[parent].append(index)
            } else if let id = spans[index].parentID, id != spans[index].id, places[id] == nil {
                if let place = orphanPlaces[id] {
                    orphans[place].children.append(index)
                } else {
                    orphanPlaces[id] = orphans.count
                    orphans.append((id, [index]))
                }
            } else {
                roots.append(index)
            }
        }
        self.children = children
        self.parents = parents
        self.roots = roots
        self.orphans = orphans
        self.orphanPlaces = orphanPlaces
        var siblingPlaces = [Int](repeating: 0, count: spans.count)
        for list in children + [roots] + orphans.map(\.children) {
            for (place, index) in list.enumerated() { siblingPlaces[index] = place }
        }
        self.siblingPlaces = siblingPlaces
        selfTimes = spans.indices.map { Self.selfTime(spans, $0, children[$0]) }
        var descendants = [Int](repeating: 0, count: spans.count)
        var hasError = spans.map { $0.isError }
        for index in Self.order(roots + orphans.flatMap { $0.children }, children).reversed() {
            for child in children[index] {
                descendants[index] += descendants[child] + 1
                if hasError[child] { hasError[index] = true }
            }
        }
        self.descendants = descendants
        hasErrorBelow = hasError
        critical = Self.criticalPath(spans, children, roots + orphans.flatMap { $0.children })
    }

    /// Parents before their children.
    private static func order(_ tops: [Int], _ children: [[Int]]) -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(children.count)
        var stack = Array(tops.reversed())
        while let next = stack.popLast() {
            order.append(next)
            stack.append(contentsOf: children[next].reversed())
        }
        return order
    }

    /// Spans that are their own ancestors become roots, so that nothing is lost and nothing loops.
    private static func breakCycles(_ parents: inout [Int?]) {
        // 0 not yet looked at, 1 on the way being walked, 2 known to end at a root.
        var state = [UInt8](repeating: 0, count: parents.count)
        for index in parents.indices where state[index] == 0 {
            var way: [Int] = []
            var next: Int? = index
            while let span = next, state[span] == 0 {
                state[span] = 1
                way.append(span)
                next = parents[span]
            }
            if let span = next, state[span] == 1 { parents[span] = nil }
            for span in way { state[span] = 2 }
        }
    }

    private static func selfTime(_ spans: [TraceSpan], _ index: Int, _ children: [Int]) -> Int64 {
        let span = spans[index]
        var covered: Int64 = 0
        var reached = span.start
        for child in children {
            let from = max(reached, spans[child].start)
            let to = min(span.end, spans[child].end)
            guard to > from else { continue }
            covered += to - from
            reached = to
        }
        return span.duration - covered
    }

    /// Goes back in time from the end of the longest of the topmost spans: whichever child ended
    /// last was waited for.
    private static func criticalPath(
        _ spans: [TraceSpan],
        _ children: [[Int]],
        _ tops: [Int]
    ) -> [[Segment]] {
        var critical = [[Segment]](repeating: [], count: spans.count)
        guard let top = tops.max(by: { spans[$0].duration < spans[$1].duration }) else {
            return critical
        }
        var open = [(span: top, until: spans[top].end)]
        while let (index, until) = open.popLast() {
            let span = spans[index]
            var cursor = min(until, span.end)
            let waited = children[index].map { (child: $0, end: min(spans[$0].end, cursor)) }
                .sorted { ($0.end, $0.child) > ($1.end, $1.child) }
            for (child, end) in waited {
                guard end <= cursor, spans[child].start < end else { continue }
                if end < cursor { critical[index].append(Segment(from: end, to: cursor)) }
                open.append((child, end))
                cursor = max(span.start, spans[child].start)
                if cursor <= span.start { break }
            }
            if span.start < cursor {
                critical[index].append(Segment(from: span.start, to: cursor))
            }
        }
        return critical
    }

    package func isCritical(_ index: Int) -> Bool { !critical[index].isEmpty }

    /// From a span up to its topmost ancestor, itself left out.
    package func ancestors(of index: Int) -> [Int] {
        var found: [Int] = []
        var next = parents[index]
        while let parent = next {
            found.append(parent)
            next = parents[parent]
        }
        return found
    }

    /// The spans with the same parent, itself among them.
    func siblings(of index: Int) -> [Int] {
        if let parent = parents[index] { return children[parent] }
        if let id = trace.spans[index].parentID, let place = orphanPlaces[id] {
            return orphans[place].children
        }
        return roots
    }

    /// So many siblings from one on.
    package func repeated(_ first: Int, _ count: Int) -> ArraySlice<Int> {
        let siblings = siblings(of: first)
        let place = siblingPlaces[first]
        return siblings[place..<min(siblings.count, place + count)]
    }

    /// The place of a span by its id, or of the first that the id begins.
    package func place(of id: String) -> Int? {
        trace.spans.firstIndex { $0.id == id }
            ?? (id.utf8.count >= 4 ? trace.spans.firstIndex { $0.id.hasPrefix(id) } : nil)
    }
}
