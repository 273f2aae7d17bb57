package import WeirCore

/// Series in groups by their labels.
package struct LabelGroups {
    /// The group of each series.
    package private(set) var groupOf: [Int] = []
    /// The labels of each group, in order of first appearance.
    package private(set) var labels: [Labels] = []

    package init(_ series: [Labels], _ grouping: Grouping) {
        let key = GroupKey(grouping)
        var known: [Labels: Int] = [:]
        groupOf.reserveCapacity(series.count)
        // Looked up where it is: only the first of a group takes it along.
        var own: [UInt8] = []
        for one in series {
            own.removeAll(keepingCapacity: true)
            key.append(of: one, to: &own)
            if let group = known[Labels(trusted: own)] {
                groupOf.append(group)
            } else {
                known[Labels(trusted: own)] = labels.count
                groupOf.append(labels.count)
                labels.append(Labels(trusted: own))
            }
        }
    }
}

/// The part of a label set that names its group.
package struct GroupKey {
    private let names: LabelNames
    private let isWithout: Bool

    package init(_ grouping: Grouping) {
        isWithout = grouping.isWithout
        names = LabelNames(
            grouping.labels + (grouping.isWithout ? [Labels.metricNameLabel] : [])
        )
    }

    package func of(_ labels: Labels) -> Labels {
        var bytes: [UInt8] = []
        append(of: labels, to: &bytes)
        return Labels(trusted: bytes)
    }

    /// Appends the canonical bytes.
    func append(of labels: Labels, to bytes: inout [UInt8]) {
        labels.appendPairs(named: names, !isWithout, to: &bytes)
    }
}
