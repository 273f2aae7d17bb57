/// Names of labels, to be looked for in the bytes of label sets.
package struct LabelNames: Hashable, Sendable {
    /// As they stand there: `__name__` is empty.
    private let names: [[UInt8]]

    package init(_ names: some Sequence<String>) {
        self.names = names.filter { !$0.isEmpty }
            .map { $0 == Labels.metricNameLabel ? [] : Array($0.utf8) }
    }

    /// Whether a name, as it stands in a label set's bytes, is one of them.
    func contains(_ name: Span<UInt8>) -> Bool {
        for known in names where Self.areEqual(known.span, name) { return true }
        return false
    }

    private static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }
}
