/// Turns the bytes of a terminal into events, however they are split.
///
/// Everything decided depends on the bytes alone, never on where one read ended; only an escape
/// that might begin a sequence waits, until more comes or `flush` says that the time is over.
/// Memory is bounded: `sequenceBytesMax` and `pasteBytesMax`; what is longer is dropped.
/// Sources: ECMA-48, xterm's control sequences, the kitty keyboard protocol.
package struct InputParser {
    package static let sequenceBytesMax = 4096
    package static let pasteBytesMax = 1 << 20

    private var pending: [UInt8] = []
    private var paste: [UInt8]?
    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    package init() {}

    /// Whether bytes wait for more: then `flush` is due after the escape timeout.
    package var isWaiting: Bool { !pending.isEmpty && paste == nil }

    /// Takes in what was read.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [InputEvent] {
        pending.append(contentsOf: bytes)
        var events: [InputEvent] = []
        run(isFinal: false, into: &events)
        return events
    }

    /// Nothing more came: an escape that waited was the Escape key.
    package mutating func flush() -> [InputEvent] {
        var events: [InputEvent] = []
        run(isFinal: true, into: &events)
        return events
    }

    private enum Step {
        case needsMore
        /// So many bytes are used up, and may have meant something.
        case took(Int, InputEvent?)
    }

    private mutating func run(isFinal: Bool, into events: inout [InputEvent]) {
        var offset = 0
        while offset < pending.count {
            if paste != nil {
                guard takePaste(from: &offset, into: &events) else { break }
                continue
            }
            switch step(pending[offset...], isFinal: isFinal) {
            case .needsMore:
                pending.removeFirst(offset)
                return
            case .took(let count, let event):
                offset += count
                if let event { events.append(event) }
            }
        }
        pending.removeFirst(min(offset, pending.count))
    }

    /// Moves bytes into the paste until its end mark.
    ///
    /// Returns false when more must come.
    private mutating func takePaste(from offset: inout Int, into events: inout [InputEvent]) -> Bool
    {
        var collected = paste ?? []
        while offset < pending.count {
            let rest = pending.count - offset
            if pending[offset] == 0x1B {
                let mark = Self.pasteEnd
                let length = min(rest, mark.count)
                if pending[offset..<(offset + length)].elementsEqual(mark.prefix(length)) {
                    guard length == mark.count else {
                        paste = collected
                        return false
                    }
                    offset += mark.count
                    paste = nil
                    events.append(.paste(String(decoding: collected, as: UTF8.self)))
                    return true
                }
            }
            if collected.count < Self.pasteBytesMax { collected.append(pending[offset]) }
            offset += 1
        }
        paste = collected
        return true
    }

    private mutating func step(_ bytes: ArraySlice<UInt8>, isFinal: Bool) -> Step {
        let first = bytes[bytes.startIndex]
        if first == 0x1B { return escapeStep(bytes, isFinal: isFinal) }
        if first < 0x20 || first == 0x7F { return .took(1, .key(Self.controlKey(first))) }
        switch Self.scalar(bytes, isFinal: isFinal) {
        case .none: return .needsMore
        case .some((let scalar, let count)):
            return .took(count, .key(KeyPress(.character(scalar))))
        }
    }

    private static func controlKey(_ byte: UInt8) -> KeyPress {
        switch byte {
        case 0x00: return KeyPress(.character(" "), .control)
        case 0x08, 0x7F: return KeyPress(.backspace)
        case 0x09: return KeyPress(.tab)
        case 0x0A, 0x0D: return KeyPress(.enter)
        case 0x01...0x1A:
            return KeyPress(.character(Unicode.Scalar(byte + 0x60)), .control)
        default: return KeyPress(.character(Unicode.Scalar(byte + 0x40)), .control)
        }
    }

    /// The first scalar and its length; a replacement character for the longest bad prefix; nil when the
    /// bytes so far are a good beginning.
    private static func scalar(
        _ bytes: ArraySlice<UInt8>,
        isFinal: Bool
    ) -> (Unicode.Scalar, Int)? {
        let start = bytes.startIndex
        let first = bytes[start]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length: Int
        // The second byte's bounds rule out overlong forms, surrogates and what is past U+10FFFF.
        var secondBounds: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { secondBounds = 0xA0...0xBF }
            if first == 0xED { secondBounds = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { secondBounds = 0x90...0xBF }
            if first == 0xF4 { secondBounds = 0x80...0x8F }
        default: return ("\u{FFFD}", 1)
        }
        var value = UInt32(first) & (0xFF >> UInt32(length + 1))
        for index in 1..<length {
            guard start + index < bytes.endIndex else {
                return isFinal ? ("\u{FFFD}", index) : nil
            }
            let byte = bytes[start + index]
            let bounds = index == 1 ? secondBounds : 0x80...0xBF
            guard bounds.contains(byte) else { return ("\u{FFFD}", index) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    private mutating func escapeStep(_ bytes: ArraySlice<UInt8>, isFinal: Bool) -> Step {
        let start = bytes.startIndex
        guard bytes.count > 1 else {
            return isFinal ? .took(1, .key(KeyPress(.escape))) : .needsMore
        }
        switch bytes[start + 1] {
        case UInt8(ascii: "["): return controlSequence(bytes, isFinal: isFinal)
        case UInt8(ascii: "O"):
            guard bytes.count > 2 else {
                return isFinal ? .took(2, .key(KeyPress(.character("O"), .alt))) : .needsMore
            }
            guard let key = Self.letterKey(bytes[start + 2]) else { return .took(3, nil) }
            return .took(3, .key(KeyPress(key)))
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"),
            UInt8(ascii: "X"):
            return stringSequence(bytes, isFinal: isFinal)
        case 0x1B: return .took(1, .key(KeyPress(.escape)))
        default:
            switch step(bytes[(start + 1)...], isFinal: isFinal) {
            case .needsMore: return .needsMore
            case .took(let count, .key(var press)?):
                press.modifiers.insert(.alt)
                return .took(count + 1, .key(press))
            case .took(let count, let event): return .took(count + 1, event)
            }
        }
    }

    private static func letterKey(_ byte: UInt8) -> Key? {
        switch byte {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "M"): .enter
        case UInt8(ascii: "P")...UInt8(ascii: "S"): .function(Int(byte - UInt8(ascii: "P")) + 1)
        default: nil
        }
    }

    private mutating func controlSequence(_ bytes: ArraySlice<UInt8>, isFinal: Bool) -> Step {
        let body = bytes.startIndex + 2
        var index = body
        while index < bytes.endIndex, (0x20...0x3F).contains(bytes[index]) { index += 1 }
        guard index < bytes.endIndex else {
            if bytes.count > Self.sequenceBytesMax { return .took(bytes.count, nil) }
            guard isFinal else { return .needsMore }
            // Alt and `[`, when nothing else came; an unfinished sequence is dropped.
            return bytes.count == 2
                ? .took(2, .key(KeyPress(.character("["), .alt))) : .took(bytes.count, nil)
        }
        let final = bytes[index]
        // A control byte inside aborts the sequence and is looked at anew.
        guard (0x40...0x7E).contains(final) else { return .took(index - bytes.startIndex, nil) }
        let count = index - bytes.startIndex + 1
        let body8 = bytes[body..<index]
        if final == UInt8(ascii: "~"), body8.elementsEqual("200".utf8) {
            paste = []
            return .took(count, nil)
        }
        return .took(count, ControlSequence(body8, final: final).event)
    }

    private func stringSequence(_ bytes: ArraySlice<UInt8>, isFinal: Bool) -> Step {
        let start = bytes.startIndex
        var index = start + 2
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == 0x07 {
                return .took(
                    index - start + 1,
                    ControlSequence.answer(toString: bytes[start..<index])
                )
            }
            if byte == 0x1B {
                guard index + 1 < bytes.endIndex else { break }
                let isEnded = bytes[index + 1] == UInt8(ascii: "\\")
                return .took(
                    index - start + (isEnded ? 2 : 0),
                    isEnded ? ControlSequence.answer(toString: bytes[start..<index]) : nil
                )
            }
            index += 1
        }
        if bytes.count > Self.sequenceBytesMax { return .took(bytes.count, nil) }
        guard isFinal else { return .needsMore }
        guard bytes.count == 2 else { return .took(bytes.count, nil) }
        return .took(2, .key(KeyPress(.character(Unicode.Scalar(bytes[start + 1])), .alt)))
    }
}
