/// A trace as a flame graph: spans of one service and name under the same ancestors are one.
package struct TraceProfile: Sendable {
    package struct Node: Sendable {
        package let service: String
        package let name: String
        package let depth: Int
        package let parent: Int?
        package var count = 0
        /// Nanoseconds, all spans together.
        package var selfTime: Int64 = 0
        /// Of it and everything below it: what its width stands for, so that spans that ran side
        /// by side have room.
        package var weight: Int64 = 0
        package var children: [Int] = []
    }

    /// One service and name, wherever it was called.
    package struct Line: Sendable {
        package let service: String
        package let name: String
        package var count = 0
        package var total: Int64 = 0
        package var selfTime: Int64 = 0
        package var errors = 0
        /// The span that took longest.
        package var slowest: Int
    }

    private struct Key: Hashable {
        let parent: Int
        let service: String
        let name: String
    }

    /// Parents before their children.
    package let nodes: [Node]
    package let roots: [Int]
    /// By self time, the greatest first.
    package let lines: [Line]
    /// Of all spans.
    package let selfTime: Int64

    package init(_ tree: TraceTree) {
        let spans = tree.trace.spans
        var nodes: [Node] = []
        var roots: [Int] = []
        var places: [Key: Int] = [:]
        var lines: [Line] = []
        var linePlaces: [Key: Int] = [:]
        var total: Int64 = 0
        var open: [(span: Int, parent: Int?)] =
            (tree.roots + tree.orphans.flatMap { $0.children }).reversed().map { ($0, nil) }
        while let (index, parent) = open.popLast() {
            let span = spans[index]
            let own = tree.selfTimes[index]
            total += own
            let key = Key(parent: parent ?? -1, service: span.service, name: span.name)
            let node: Int
            if let known = places[key] {
                node = known
            } else {
                node = nodes.count
                places[key] = node
                nodes.append(
                    Node(
                        service: span.service,
                        name: span.name,
                        depth: parent.map { nodes[$0].depth + 1 } ?? 0,
                        parent: parent
                    )
                )
                if let parent { nodes[parent].children.append(node) } else { roots.append(node) }
            }
            nodes[node].count += 1
            nodes[node].selfTime += own
            let lineKey = Key(parent: 0, service: span.service, name: span.name)
            let line: Int
            if let known = linePlaces[lineKey] {
                line = known
            } else {
                line = lines.count
                linePlaces[lineKey] = line
                lines.append(Line(service: span.service, name: span.name, slowest: index))
            }
            lines[line].count += 1
            lines[line].total += span.duration
            lines[line].selfTime += own
            if span.isError { lines[line].errors += 1 }
            if span.duration > spans[lines[line].slowest].duration { lines[line].slowest = index }
            for child in tree.children[index].reversed() { open.append((child, node)) }
        }
        for place in nodes.indices.reversed() {
            nodes[place].weight += nodes[place].selfTime
            if let parent = nodes[place].parent { nodes[parent].weight += nodes[place].weight }
        }
        self.nodes = nodes
        self.roots = roots
        self.lines = lines.sorted {
            ($0.selfTime, $0.total, $1.name) > ($1.selfTime, $1.total, $0.name)
        }
        selfTime = total
    }
}
