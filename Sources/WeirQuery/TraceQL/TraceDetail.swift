internal import WeirColumns
internal import WeirCore

/// One trace with all that is known of its spans.
package struct TraceDetail {
    /// Spans that an answer holds at most; of more the earliest.
    package static let spansMax = 50_000

    /// What a field is to a span.
    enum Role {
        case span
        case resource
        case scope
        case other
    }

    /// A field of a row: which column, and which of its values.
    struct Place {
        let column: Int32
        let index: Int32
    }

    let table: TraceTable
    package let id: TraceID
    /// How many spans there are; rows beyond `spansMax` are not shown.
    package let total: Int
    /// How many are shown.
    package let spanCount: Int
    let columns: [FieldColumn]
    /// Without prefixes, for attributes.
    let names: [String]
    let roles: [Role]
    /// The attributes of each row.
    let spanAttributes: [[Place]]
    let scopeAttributes: [[Place]]
    /// Each set of resource attributes once.
    let resources: [[Place]]
    let resourceOfRow: [Int]

    package var isPartial: Bool { total > spanCount }

    /// Reads a trace, wherever its spans lie.
    ///
    /// - Returns: Nil when there is none.
    package static func load(
        _ id: TraceID,
        times: ClosedRange<Int64> = .min ... .max,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) -> TraceDetail? {
        let selection = try source.select([], times: times, context: context)
        let loader = TraceLoader(selection: selection, context: context)
        let (table, _) = try loader.load([id], fields: nil)
        return table.rowCount > 0 ? TraceDetail(table, id) : nil
    }

    init(_ table: TraceTable, _ id: TraceID) {
        self.table = table
        self.id = id
        total = table.rowCount
        let count = min(total, Self.spansMax)
        spanCount = count
        let columns = table.fields.columns
        self.columns = columns
        var names: [String] = []
        var roles: [Role] = []
        for column in columns {
            let (role, prefix): (Role, String) =
                if column.name.utf8.starts(with: SpanField.spanPrefix.utf8) {
                    (.span, SpanField.spanPrefix)
                } else if column.name.utf8.starts(with: SpanField.resourcePrefix.utf8) {
                    (.resource, SpanField.resourcePrefix)
                } else if column.name.utf8.starts(with: SpanField.scopePrefix.utf8) {
                    (.scope, SpanField.scopePrefix)
                } else {
                    (.other, "")
                }
            roles.append(role)
            names.append(
                String(decoding: column.name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
            )
        }
        self.names = names
        self.roles = roles
        var spans = [[Place]](repeating: [], count: count)
        var scopes = spans
        var resourceRows = spans
        let order = columns.indices.sorted {
            names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8)
        }
        for number in order {
            for (index, row) in columns[number].rows.enumerated() {
                guard Int(row) < count else { break }
                let place = Place(column: Int32(number), index: Int32(index))
                switch roles[number] {
                case .span: spans[Int(row)].append(place)
                case .scope: scopes[Int(row)].append(place)
                case .resource: resourceRows[Int(row)].append(place)
                case .other: break
                }
            }
        }
        spanAttributes = spans
        scopeAttributes = scopes
        var known: [[UInt8]: Int] = [:]
        var resources: [[Place]] = []
        var resourceOfRow: [Int] = []
        resourceOfRow.reserveCapacity(count)
        var key: [UInt8] = []
        for row in 0..<count {
            key.removeAll(keepingCapacity: true)
            for place in resourceRows[row] {
                let column = columns[Int(place.column)]
                let value = column.values[Int(place.index)]
                UInt64(place.column).appendVarint(to: &key)
                key.append(column.kind(at: Int(place.index)))
                UInt64(value.count).appendVarint(to: &key)
                key.append(contentsOf: value)
            }
            if let number = known[key] {
                resourceOfRow.append(number)
            } else {
                known[key] = resources.count
                resourceOfRow.append(resources.count)
                resources.append(resourceRows[row])
            }
        }
        self.resources = resources
        self.resourceOfRow = resourceOfRow
    }

    func name(_ place: Place) -> String { names[Int(place.column)] }

    func kind(_ place: Place) -> FieldKind {
        FieldKind(rawValue: columns[Int(place.column)].kinds[Int(place.index)]) ?? .text
    }

    func value(_ place: Place) -> ArraySlice<UInt8> {
        columns[Int(place.column)].values[Int(place.index)]
    }

    func string(_ name: String, _ row: Int) -> String? { table.string(name, row) }

    func integer(_ name: String, _ row: Int) -> Int64? {
        table.text(name, row).flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
    }

    func service(_ row: Int) -> String? { table.string(SpanField.service, row) }

    /// A JSON field as a tree; nil when the span lacks it.
    func json(_ name: String, _ row: Int) -> JSONValue? {
        table.text(name, row).flatMap { try? JSONParser.parse(Array($0)) }
    }

    func events(_ row: Int) -> [JSONValue] { json(SpanField.events, row)?.array ?? [] }
    func links(_ row: Int) -> [JSONValue] { json(SpanField.links, row)?.array ?? [] }

    func end(_ row: Int) -> Int64 {
        let (sum, overflow) = table.times[row].addingReportingOverflow(table.durations[row])
        return overflow ? .max : sum
    }
}
