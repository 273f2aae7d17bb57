import WeirCore
import WeirQuery

/// Entry point of libFuzzer: any text parses as LogQL or throws, and so do words as people type
/// them.
///
/// What parses prints to text that parses and prints the same; nothing traps.
@c(LLVMFuzzerTestOneInput)
public func fuzzLogQL(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let bytes = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let text = unsafe String(decoding: bytes, as: UTF8.self)
    _ = try? LogText.parse(text)
    let expression: LogQLExpression
    do throws(QueryError) {
        expression = try LogQL.parse(text)
    } catch {
        _ = error.logQLMessage(query: text)
        return 0
    }
    let printed = LogQLPrinter.print(expression)
    guard printed.utf8.count <= 16_384 else { return 0 }
    guard let again = try? LogQL.parse(printed), LogQLPrinter.print(again) == printed else {
        fatalError("printing changed the expression: \(printed)")
    }
    return 0
}
