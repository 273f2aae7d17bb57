/// Which spans stand in a relation to others of their trace.
final class SpanRelations {
    private let load: () -> [Int32]
    private lazy var parents = load()
    /// What was marked in the round `round`; older marks do not count.
    private lazy var marks = [UInt32](repeating: 0, count: parents.count)
    private var round: UInt32 = 0

    /// `parents`: The row of each row's parent, -1 without one; asked once a relation is.
    init(parents: @escaping () -> [Int32]) { load = parents }

    /// The rows of `right` that stand in `relation` to a row of `left`; both ascend.
    func related(
        _ relation: TraceQLSpansetOperator,
        _ left: [UInt32],
        _ right: [UInt32]
    ) -> [UInt32] {
        switch relation {
        case .child:
            mark(left)
            return right.filter { row in
                let parent = parents[Int(row)]
                return parent >= 0 && isMarked(Int(parent))
            }
        case .parent:
            mark(left.compactMap { parents[Int($0)] < 0 ? nil : UInt32(parents[Int($0)]) })
            return right.filter { isMarked(Int($0)) }
        case .descendant: return descendants(left, right)
        case .ancestor:
            round += 1
            for row in left {
                var parent = parents[Int(row)]
                while parent >= 0, !isMarked(Int(parent)) {
                    marks[Int(parent)] = round
                    parent = parents[Int(parent)]
                }
            }
            return right.filter { isMarked(Int($0)) }
        case .sibling:
            var counts: [Int32: Int] = [:]
            for row in left where parents[Int(row)] >= 0 {
                counts[parents[Int(row)], default: 0] += 1
            }
            mark(left)
            return right.filter { row in
                let count = counts[parents[Int(row)]] ?? 0
                return count > (isMarked(Int(row)) ? 1 : 0)
            }
        default: return []
        }
    }

    /// The relation seen from the other side.
    static func inverse(_ relation: TraceQLSpansetOperator) -> TraceQLSpansetOperator {
        switch relation {
        case .child: .parent
        case .parent: .child
        case .descendant: .ancestor
        case .ancestor: .descendant
        default: relation
        }
    }

    private func mark(_ rows: [UInt32]) {
        round += 1
        for row in rows { marks[Int(row)] = round }
    }

    private func isMarked(_ row: Int) -> Bool { marks[row] == round }

    private func descendants(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        mark(left)
        // All on one way up have the same answer, so no way is gone twice.
        var answers: [Int: Bool] = [:]
        var path: [Int] = []
        return right.filter { row in
            path.removeAll(keepingCapacity: true)
            var here = Int(row)
            var answer = false
            while true {
                if let known = answers[here] {
                    answer = known
                    break
                }
                path.append(here)
                let parent = parents[here]
                guard parent >= 0 else { break }
                if isMarked(Int(parent)) {
                    answer = true
                    break
                }
                here = Int(parent)
            }
            for one in path { answers[one] = answer }
            return answer
        }
    }
}
