/// One condition on one label, as PromQL and LogQL write it: `name="value"`, `!=`, `=~`, `!~`.
///
/// A label that is absent has the empty value, as in Prometheus.
package struct LabelMatcher: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case notMatches = "!~"
    }

    package let name: String
    package let operation: Operation
    package let value: String

    package init(name: String, operation: Operation, value: String) {
        self.name = name
        self.operation = operation
        self.value = value
    }
}
