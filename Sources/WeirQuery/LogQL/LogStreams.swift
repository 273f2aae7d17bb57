internal import Synchronization
internal import WeirCore

/// The streams of a selection and what their labels are called in LogQL.
final class LogStreams: Sendable {
    let labels: [Labels]
    private let columns = Mutex<[String: Column]>([:])

    /// One label's value in every stream.
    struct Column: Sendable {
        /// Nil where a stream lacks the label.
        let values: [[UInt8]?]
        let isAbsent: Bool
        let isComplete: Bool
    }

    init(_ labels: [Labels]) { self.labels = labels }

    /// The pairs of one stream under the names that LogQL gives them.
    static func pairs(_ labels: Labels) -> [(name: String, value: String)] {
        labels.pairs.map { (LogNames.sanitized($0.name), $0.value) }
    }

    func column(_ name: String) -> Column {
        if let known = columns.withLock({ $0[name] }) { return known }
        var values: [[UInt8]?] = []
        values.reserveCapacity(labels.count)
        for one in labels {
            if let range = one.valueRange(of: name) {
                values.append(Array(one.bytes[range]))
            } else if name.utf8.contains(UInt8(ascii: "_")),
                let pair = one.pairs.first(where: { LogNames.sanitized($0.name) == name })
            {
                values.append(Array(pair.value.utf8))
            } else {
                values.append(nil)
            }
        }
        let column = Column(
            values: values,
            isAbsent: values.allSatisfy { $0 == nil },
            isComplete: values.allSatisfy { $0 != nil }
        )
        columns.withLock { $0[name] = column }
        return column
    }
}
