/// One span of the shop, before it is written.
struct ShopSpan {
    enum Kind: UInt8 {
        case inner = 1
        case server = 2
        case client = 3
        case producer = 4
        case consumer = 5
    }

    enum Value {
        case text(String)
        case whole(Int)
        case decimal(Double)
        case flag(Bool)
        case texts([String])
    }

    struct Attribute {
        let name: String
        let value: Value

        init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }

        init(_ name: String, _ text: String) { self.init(name, .text(text)) }
        init(_ name: String, _ number: Int) { self.init(name, .whole(number)) }
    }

    struct Event {
        let name: String
        /// Nanoseconds, as the span's.
        let time: Int64
        let attributes: [Attribute]
    }

    let id: UInt64
    /// 0 for a root.
    let parent: UInt64
    let service: Int
    let instance: Int
    let name: String
    let kind: Kind
    /// Nanoseconds from the beginning of its trace, until the trace is placed in time.
    var start: Int64
    var end: Int64
    var attributes: [Attribute] = []
    var events: [Event] = []
    /// Nil: not failed.
    var failure: String?
    /// The id of a span of the same trace that it is linked to.
    var link: UInt64?
}
