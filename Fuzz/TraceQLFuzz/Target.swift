import WeirCore
import WeirQuery

/// libFuzzer entry point: any text parses or throws; what parses prints to text that parses to the
/// same; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzTraceQL(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    let query: TraceQLQuery
    do throws(QueryError) {
        query = try TraceQLParser.parse(text)
    } catch {
        _ = error.logQLMessage(query: text)
        return 0
    }
    let printed = TraceQLPrinter.print(query)
    guard printed.utf8.count <= TraceQLParser.lengthMax else { return 0 }
    guard (try? TraceQLParser.parse(printed)) == query else {
        fatalError("printing changed the query: \(printed)")
    }
    return 0
}
