/// The decoded `name=value` items of a query string or of a form body, in their order.
package struct HTTPQuery: Hashable, Sendable {
    /// One item; a name without `=` has the empty value.
    package struct Item: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The most items read; what follows them is ignored.
    package static let itemsMax = 10_000
    package static let empty = HTTPQuery(items: [])

    package let items: [Item]

    package init(items: [Item]) { self.items = items }

    /// Reads `a=1&b=x+y%20z`, as `application/x-www-form-urlencoded` writes it.
    package init(parsing bytes: some Collection<UInt8>) {
        var items: [Item] = []
        for part in bytes.split(separator: UInt8(ascii: "&")) {
            guard items.count < Self.itemsMax else { break }
            let name = part.prefix { $0 != UInt8(ascii: "=") }
            let value = part.dropFirst(name.count + 1)
            items.append(
                Item(
                    name: PercentEncoding.decode(name, plusIsSpace: true),
                    value: PercentEncoding.decode(value, plusIsSpace: true)
                )
            )
        }
        self.items = items
    }

    /// The first value of `name`, or nil.
    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    /// Every value of `name`, in order: for `match[]` and its kind.
    package func all(_ name: String) -> [String] {
        items.filter { $0.name == name }.map(\.value)
    }

    /// Both sets of items, `other`'s last.
    package func appending(_ other: HTTPQuery) -> HTTPQuery {
        HTTPQuery(items: items + other.items)
    }
}
