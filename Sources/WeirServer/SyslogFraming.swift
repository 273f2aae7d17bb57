/// Cuts a TCP stream of syslog into messages: octet-counted (RFC 6587, 3.4.1) or ended by a line
/// feed or a NUL, as each message's first byte says.
///
/// A pure state machine: bytes in, messages out.
package struct SyslogFraming {
    /// What a stream may not go on after.
    package enum Failure: Error, Hashable {
        /// An octet count that is none, or beyond the limit.
        case badCount
    }

    private var buffer: [UInt8] = []
    private var start = 0
    /// No end of a line lies before this.
    private var searched = 0
    /// The rest of a line that was longer than the limit is thrown away.
    private var isSkipping = false
    private let messageBytesMax: Int

    package init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    /// Bytes that wait for the rest of their message.
    package var waitingCount: Int { buffer.count - start }

    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        if start > 0, start == buffer.count || start > 1 << 16 {
            buffer.removeSubrange(..<start)
            searched = max(0, searched - start)
            start = 0
        }
        buffer += bytes
    }

    /// The next whole message, or nil when more bytes are needed.
    ///
    /// `isEnd` says that no more bytes come: what is left is a message.
    package mutating func next(isEnd: Bool = false) throws(Failure) -> [UInt8]? {
        while start < buffer.count {
            let first = buffer[start]
            if isSkipping {
                guard let end = end(from: start) else {
                    start = buffer.count
                    return nil
                }
                start = end + 1
                isSkipping = false
                continue
            }
            if first == 0 || first == 0x0A || first == 0x0D || first == 0x20 {
                start += 1
                continue
            }
            if first >= UInt8(ascii: "1"), first <= UInt8(ascii: "9") {
                switch try counted(isEnd: isEnd) {
                case .message(let message): return message
                case .more: return nil
                case .notCounted: break
                }
            }
            if let end = end(from: start) {
                let message = Array(buffer[start..<end])
                start = end + 1
                return message
            }
            if waitingCount > messageBytesMax {
                let message = Array(buffer[start..<(start + messageBytesMax)])
                start = buffer.count
                isSkipping = true
                return message
            }
            guard isEnd else { return nil }
            let message = Array(buffer[start...])
            start = buffer.count
            return message
        }
        return nil
    }

    private enum Counted {
        case message([UInt8])
        case more
        case notCounted
    }

    /// Reads `LENGTH SP MESSAGE`.
    private mutating func counted(isEnd: Bool) throws(Failure) -> Counted {
        var cursor = start
        var count = 0
        while cursor < buffer.count, buffer[cursor] &- UInt8(ascii: "0") <= 9 {
            count = count * 10 + Int(buffer[cursor] - UInt8(ascii: "0"))
            cursor += 1
            // A line that begins with a long number is not a count.
            guard cursor - start <= 9 else { return .notCounted }
        }
        guard cursor < buffer.count else { return isEnd ? .notCounted : .more }
        guard buffer[cursor] == UInt8(ascii: " ") else { return .notCounted }
        // A message begins with its priority; a line such as "12 angry men" does not.
        guard cursor + 1 < buffer.count else { return isEnd ? .notCounted : .more }
        guard buffer[cursor + 1] == UInt8(ascii: "<") else { return .notCounted }
        guard count <= messageBytesMax else { throw .badCount }
        guard buffer.count - cursor - 1 >= count else {
            guard isEnd else { return .more }
            let message = Array(buffer[(cursor + 1)...])
            start = buffer.count
            return .message(message)
        }
        let message = Array(buffer[(cursor + 1)..<(cursor + 1 + count)])
        start = cursor + 1 + count
        return .message(message)
    }

    private mutating func end(from start: Int) -> Int? {
        let from = max(start, searched)
        if let end = buffer[from...].firstIndex(where: { $0 == 0x0A || $0 == 0 }) {
            searched = end
            return end
        }
        searched = buffer.count
        return nil
    }
}
