/// Gathers lines into request bodies of a fixed number of lines.
struct LineBodies {
    private(set) var bodies: [[UInt8]] = []
    private(set) var lineCount = 0
    private var current: [UInt8] = []
    private var linesInCurrent = 0
    private let linesPerBody: Int
    private let capacity: Int

    init(linesPerBody: Int, lineBytes: Int) {
        self.linesPerBody = linesPerBody
        capacity = linesPerBody * lineBytes
        current.reserveCapacity(capacity)
    }

    mutating func append(_ bytes: [UInt8]) { current.append(contentsOf: bytes) }
    mutating func append(_ byte: UInt8) { current.append(byte) }
    mutating func append(_ text: String) { current.append(contentsOf: text.utf8) }

    mutating func append(_ number: Int) {
        if number >= 0, number < 10 {
            current.append(UInt8(ascii: "0") + UInt8(number))
        } else {
            append(String(number))
        }
    }

    /// Ends the line with its time, in nanoseconds.
    mutating func endLine(at time: Int64) {
        append(UInt8(ascii: " "))
        append(Int(time))
        append(UInt8(ascii: "\n"))
        lineCount += 1
        linesInCurrent += 1
        if linesInCurrent == linesPerBody { cut() }
    }

    mutating func finish() -> [[UInt8]] {
        if linesInCurrent > 0 { cut() }
        return bodies
    }

    private mutating func cut() {
        bodies.append(current)
        current = []
        current.reserveCapacity(capacity)
        linesInCurrent = 0
    }
}
