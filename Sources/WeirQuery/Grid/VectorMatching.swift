/// How the series of two vectors find their partners.
package struct VectorMatching: Hashable, Sendable {
    package enum Cardinality: Hashable, Sendable {
        case oneToOne
        /// `group_left`: many on the left.
        case manyToOne
        /// `group_right`: many on the right.
        case oneToMany
        /// Set operators.
        case manyToMany
    }

    package var cardinality: Cardinality
    /// Match on `labels` only, or on all but them.
    package var isOn: Bool
    package var labels: [String]
    /// Labels taken over from the one side: what `group_left (…)` names.
    package var included: [String]

    package init(
        cardinality: Cardinality = .oneToOne,
        isOn: Bool = false,
        labels: [String] = [],
        included: [String] = []
    ) {
        self.cardinality = cardinality
        self.isOn = isOn
        self.labels = labels
        self.included = included
    }
}
