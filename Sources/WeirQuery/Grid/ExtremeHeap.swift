/// The `capacity` largest (or smallest) of many values, the worst of them on top.
///
/// A binary heap as Go's `container/heap` keeps it, so that of equal values the same ones stay as
/// in Prometheus.
struct ExtremeHeap {
    struct Entry {
        let value: Double
        let row: Int
    }

    private let capacity: Int
    private let isTop: Bool
    private(set) var entries: [Entry] = []

    init(capacity: Int, isTop: Bool) {
        self.capacity = capacity
        self.isTop = isTop
    }

    /// Whether `left` is worse: NaN is the worst of all.
    private func isWorse(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN { return true }
        return isTop ? left < right : left > right
    }

    mutating func offer(_ entry: Entry) {
        if entries.count < capacity {
            entries.append(entry)
            moveUp(entries.count - 1)
            return
        }
        guard let worst = entries.first?.value else { return }
        let isBetter = isTop ? worst < entry.value : worst > entry.value
        guard isBetter || (worst.isNaN && !entry.value.isNaN) else { return }
        entries[0] = entry
        moveDown(0)
    }

    private mutating func moveUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard isWorse(entries[index].value, entries[parent].value) else { return }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func moveDown(_ start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { return }
            if child + 1 < entries.count,
                isWorse(entries[child + 1].value, entries[child].value)
            {
                child += 1
            }
            guard isWorse(entries[child].value, entries[index].value) else { return }
            entries.swapAt(index, child)
            index = child
        }
    }

    /// The entries, the best first.
    var sorted: [Entry] {
        entries.sorted { left, right in
            if left.value.isNaN || right.value.isNaN {
                return right.value.isNaN && (!left.value.isNaN || left.row < right.row)
            }
            if left.value == right.value { return left.row < right.row }
            return isTop ? left.value > right.value : left.value < right.value
        }
    }
}
