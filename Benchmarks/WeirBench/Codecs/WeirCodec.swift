import WeirColumns
import WeirCore

/// What Weir writes.
///
/// Head and body of each run end to end: in a segment they lie in two pages.
struct WeirCodec: SeriesCodec {
    let name = "Weir's runs"

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        var head: [UInt8] = []
        var body: [UInt8] = []
        var scratch = EncodingScratch()
        FloatRun.encode(values.span, head: &head, body: &body, scratch: &scratch)
        UInt64(head.count).appendVarint(to: &bytes)
        bytes.append(contentsOf: head)
        bytes.append(contentsOf: body)
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        let headCount = Int(VarintCodec.varint(bytes, at: &place))
        let span = bytes.span
        let head = span.extracting(place..<(place + headCount))
        place += headCount
        var reader = ByteReader(head)
        var scratch: [Int64] = []
        do throws(DecodeError) {
            let run = try FloatRun(count: count, from: &reader)
            let body = span.extracting(place..<(place + run.bodyCount))
            place += run.bodyCount
            try run.decode(body, appendingTo: &values, scratch: &scratch)
        } catch {
            preconditionFailure("a run does not read what it wrote: \(error)")
        }
    }
}
