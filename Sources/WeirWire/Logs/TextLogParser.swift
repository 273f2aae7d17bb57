internal import WeirCore

/// Takes lines of plain text as they are: a line is a body, and the time that of arrival.
package enum TextLogParser {
    /// Parses a whole body; empty lines are none.
    package static func parse(_ body: [UInt8], options: LogOptions) -> LogResult {
        var rows = LogRows(options)
        let bytes = body.span
        var number = 0
        var start = 0
        while start < bytes.count {
            number += 1
            let feed = ByteWords.find(UInt8(ascii: "\n"), in: bytes, start..<bytes.count)
            var end = feed
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if end > start {
                guard rows.hasRoom() else { break }
                rows.begin()
                do throws(LogError) {
                    let stream = try rows.stream([], line: number)
                    try rows.set(FieldTable.bodyName, .text, bytes.extracting(start..<end))
                    rows.commit(time: options.now, stream: stream)
                } catch {
                    rows.result.refuse(line: number, error)
                }
            }
            start = feed + 1
        }
        return rows.finished()
    }
}
