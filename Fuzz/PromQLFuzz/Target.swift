import WeirCore
import WeirQuery

/// libFuzzer entry point: any text parses or throws; what parses prints to text that parses to the
/// same; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzPromQL(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    let expression: PromQLExpression
    do throws(QueryError) {
        expression = try PromQLParser.parse(text)
    } catch {
        _ = error.message(query: text)
        return 0
    }
    let printed = PromQLPrinter.print(expression)
    guard printed.utf8.count <= PromQLParser.lengthMax else { return 0 }
    guard (try? PromQLParser.parse(printed)) == expression else {
        fatalError("printing changed the expression: \(printed)")
    }
    return 0
}
