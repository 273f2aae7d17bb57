internal import WeirCore

/// A line of a log answer that is no row.
package enum TailNote: Hashable, Sendable {
    /// Lines left out for a reader that was too slow; 0 says only that the tail lives.
    case dropped(Int)
    /// Why the answer ends here.
    case failed(String)

    private static let droppedStart = Array(#"{"_dropped":"#.utf8)
    private static let failedStart = Array(#"{"_error":"#.utf8)

    /// Nil for a row.
    package init?(json bytes: [UInt8]) {
        if bytes.starts(with: Self.droppedStart) {
            let digits = bytes[Self.droppedStart.count...].prefix { $0 >= 0x30 && $0 <= 0x39 }
            self = .dropped(Int(String(decoding: digits, as: UTF8.self)) ?? 0)
        } else if bytes.starts(with: Self.failedStart) {
            let parsed: JSONValue?
            do throws(JSONError) {
                parsed = try JSONParser.parse(bytes)
            } catch {
                parsed = nil
            }
            self = .failed(parsed?["_error"]?.string ?? "the server gave up")
        } else {
            return nil
        }
    }
}
