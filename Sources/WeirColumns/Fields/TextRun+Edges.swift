/// What is known of a run's texts without reading them.
extension TextRun {
    /// Whether the texts are digits with `.` between them, and nothing else.
    var isNumeric: Bool {
        switch kind {
        case .numbers(.timestamp, _): false
        case .numbers: true
        case .constant(let text): text.allSatisfy { $0 == 0x2E || $0 &- 0x30 < 10 }
        default: false
        }
    }

    func mayBegin(with byte: UInt8) -> Bool { mayTouch(byte) { $0.first } }
    func mayEnd(with byte: UInt8) -> Bool { mayTouch(byte) { $0.last } }

    private func mayTouch(_ byte: UInt8, _ edge: ([UInt8]) -> UInt8?) -> Bool {
        switch kind {
        // A variable begins with a word, so a number in it has no sign.
        case .numbers(.timestamp, _), .plain, .dictionary: true
        case .numbers: byte &- 0x30 < 10
        case .hexadecimal, .uuid: TextWords.isLowerHex(byte)
        case .constant(let text): edge(text) == byte
        }
    }
}
