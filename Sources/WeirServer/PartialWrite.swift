internal import WeirCore
internal import WeirHTTP

/// The answer to a write of which some lines were refused: 400, with what was taken and each refusal.
enum PartialWrite {
    static func response(
        reason: String,
        taken: Int,
        refusedLines: Int,
        lines: [(line: Int, reason: String)],
        extra: (inout JSONWriter) -> Void = { _ in }
    ) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("error", "partial_write")
        writer.member("reason", reason)
        writer.member("hint", "the lines named were not stored; all others were")
        extra(&writer)
        writer.member("taken", taken)
        writer.member("refused_lines", refusedLines)
        writer.key("lines")
        writer.beginArray()
        for (line, reason) in lines {
            writer.beginObject()
            writer.member("line", line)
            writer.member("reason", reason)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes, status: 400)
    }
}
