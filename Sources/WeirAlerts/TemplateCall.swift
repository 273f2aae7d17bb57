extension TemplateFunctions {
    /// A function's name and arguments, with checked access to them.
    struct Call {
        let name: String
        let arguments: [TemplateValue]

        func expect(_ count: Int) throws(TemplateError) {
            guard arguments.count == count else {
                throw TemplateError(
                    reason: "wrong number of args for \(name): want \(count) got \(arguments.count)"
                )
            }
        }

        private func argument(_ index: Int) throws(TemplateError) -> TemplateValue {
            guard index < arguments.count else {
                throw TemplateError(
                    reason: "wrong number of args for \(name): want at least \(index + 1)"
                        + " got \(arguments.count)"
                )
            }
            return arguments[index]
        }

        private func wrongType(_ wanted: String, _ value: TemplateValue) -> TemplateError {
            TemplateError(
                reason: "\(name): wrong type for value; expected \(wanted); got \(value.kind)"
            )
        }

        func string(_ index: Int) throws(TemplateError) -> String {
            let value = try argument(index)
            guard case .string(let text) = value else { throw wrongType("string", value) }
            return text
        }

        /// For use where another kind of error is thrown: the count was checked.
        func checkedString(_ index: Int) -> String {
            if index < arguments.count, case .string(let text) = arguments[index] { return text }
            return arguments.indices.contains(index) ? arguments[index].text : ""
        }

        func list(_ index: Int) throws(TemplateError) -> [TemplateValue] {
            let value = try argument(index)
            guard case .list(let items) = value else { throw wrongType("query result", value) }
            return items
        }

        func sample(
            _ index: Int
        ) throws(TemplateError) -> (labels: [String: String], value: Double) {
            let value = try argument(index)
            guard case .sample(let labels, let number) = value else {
                throw wrongType("sample", value)
            }
            return (labels, number)
        }

        /// The only argument as a number; a text that reads as one will do.
        func number() throws(TemplateError) -> Double {
            try expect(1)
            switch arguments[0] {
            case .float(let number): return number
            case .int(let number): return Double(number)
            case .string(let text):
                if let number = Double(text) { return number }
                throw TemplateError(reason: "\(name): \(GoFormat.quoted(text)) is no number")
            default: throw wrongType("number", arguments[0])
            }
        }

        func length() throws(TemplateError) -> Int {
            switch arguments[0] {
            case .string(let text): return text.utf8.count
            case .labels(let labels): return labels.count
            case .map(let map): return map.count
            case .list(let items): return items.count
            default: throw TemplateError(reason: "len of type \(arguments[0].kind)")
            }
        }

        func index() throws(TemplateError) -> TemplateValue {
            var value = try argument(0)
            for key in arguments.dropFirst() {
                switch (value, key) {
                case (.labels(let labels), .string(let name)): value = .string(labels[name] ?? "")
                case (.map(let map), .string(let name)): value = map[name] ?? .none
                case (.list(let items), .int(let position)):
                    guard items.indices.contains(position) else {
                        throw TemplateError(reason: "index out of range: \(position)")
                    }
                    value = items[position]
                case (.string(let text), .int(let position)):
                    let bytes = Array(text.utf8)
                    guard bytes.indices.contains(position) else {
                        throw TemplateError(reason: "index out of range: \(position)")
                    }
                    value = .int(Int(bytes[position]))
                default:
                    throw TemplateError(reason: "cannot index \(value.kind) with \(key.kind)")
                }
            }
            return value
        }

        func slice() throws(TemplateError) -> String {
            let bytes = Array(try string(0).utf8)
            var ends = [0, bytes.count]
            for (position, value) in arguments.dropFirst().enumerated() {
                guard position < 2, case .int(let end) = value else {
                    throw TemplateError(reason: "cannot slice string so")
                }
                ends[position] = end
            }
            guard ends[0] >= 0, ends[0] <= ends[1], ends[1] <= bytes.count else {
                throw TemplateError(reason: "slice out of range: \(ends[0]):\(ends[1])")
            }
            return String(decoding: bytes[ends[0]..<ends[1]], as: UTF8.self)
        }

        /// As Go prints: a space between operands when neither is a text, or always.
        func printed(spaces: Bool) -> String {
            var text = ""
            for (index, value) in arguments.enumerated() {
                if index > 0 {
                    var isBetweenOthers = true
                    if case .string = value { isBetweenOthers = false }
                    if case .string = arguments[index - 1] { isBetweenOthers = false }
                    if spaces || isBetweenOthers { text += " " }
                }
                text += value.text
            }
            return text
        }

        func sorted(by label: String) throws(TemplateError) -> [TemplateValue] {
            var keyed: [(key: String, offset: Int, value: TemplateValue)] = []
            for (offset, value) in try list(1).enumerated() {
                guard case .sample(let labels, _) = value else { throw wrongType("sample", value) }
                keyed.append((labels[label] ?? "", offset, value))
            }
            keyed.sort { ($0.key, $0.offset) < ($1.key, $1.offset) }
            return keyed.map(\.value)
        }

        func compare() throws(TemplateError) -> Bool {
            guard arguments.count >= 2, name == "eq" || arguments.count == 2 else {
                throw TemplateError(
                    reason: "wrong number of args for \(name): got \(arguments.count)"
                )
            }
            if name == "eq" {
                for other in arguments.dropFirst() where try order(arguments[0], other) == 0 {
                    return true
                }
                return false
            }
            guard let order = try order(arguments[0], arguments[1]) else { return name == "ne" }
            switch name {
            case "ne": return order != 0
            case "lt": return order < 0
            case "le": return order <= 0
            case "gt": return order > 0
            default: return order >= 0
            }
        }

        /// Below, at or above 0; nil where a NaN is compared.
        ///
        /// Unlike Go, whole numbers and floats may be compared with each other.
        private func order(
            _ left: TemplateValue,
            _ right: TemplateValue
        ) throws(TemplateError) -> Int? {
            switch (left, right) {
            case (.string(let left), .string(let right)):
                return left == right ? 0 : left < right ? -1 : 1
            case (.int(let left), .int(let right)):
                return left == right ? 0 : left < right ? -1 : 1
            case (.bool(let left), .bool(let right)) where name == "eq" || name == "ne":
                return left == right ? 0 : 1
            case (.none, .none) where name == "eq" || name == "ne": return 0
            default: break
            }
            guard let left = Self.double(left), let right = Self.double(right) else {
                throw TemplateError(
                    reason: "error calling \(name): incompatible types for comparison"
                )
            }
            if left.isNaN || right.isNaN { return nil }
            return left == right ? 0 : left < right ? -1 : 1
        }

        private static func double(_ value: TemplateValue) -> Double? {
            switch value {
            case .float(let number): number
            case .int(let number): Double(number)
            default: nil
            }
        }
    }
}
