import Testing
import WeirCore
import WeirQuery

@testable import WeirServer

/// LogQL asked of batches as they arrive.
@Suite struct LogQLFollowFilterTests {
    private static let batch = logBatch([
        (1, ["service": "a"], [("", .text, "one error"), ("level", .text, "error")]),
        (2, ["service": "b"], [("", .text, "two error"), ("n", .number, "7")]),
        (3, ["service": "a"], [("", .text, #"{"status":503}"#)]),
        (4, ["service": "a"], [("", .text, "four"), ("n", .number, "12")]),
    ])

    @Test(arguments: [
        (#"{service="a"}"#, [1, 3, 4]), (#"{service=~".+"} |= "error""#, [1, 2]),
        (#"{service="a"} | level="error""#, [1]), (#"{service=~"a|b"} | n > 5"#, [2, 4]),
        (#"{service="c"}"#, []), (#"{service="a"} | json | status >= 500"#, [3]),
        (#"{service="a"} != "one" | line_format "x""#, [3, 4]),
    ])
    func theRowsThatAQueryYieldsAreFound(query: String, times: [Int64]) throws {
        guard case .logs(let parsed) = try LogQL.parse(query) else {
            Issue.record("not a log query")
            return
        }
        let found = try LogQLFollowFilter(parsed).rows(of: Self.batch)
        #expect(found.rows.map { found.batch.times[Int($0)] } == times)
    }

    @Test func whatStagesMakeIsShown() throws {
        guard
            case .logs(let parsed) = try LogQL.parse(
                #"{service="a"} |= "503" | json | line_format "status {{.status}}""#
            )
        else { return }
        let found = try LogQLFollowFilter(parsed).rows(of: Self.batch)
        let text = String(
            decoding: JSONLinesOutput.encode(found.batch, found.rows[...]),
            as: UTF8.self
        )
        #expect(
            text.hasSuffix(
                #""_stream":{"service":"a"},"_msg":"status 503","status":"503"}"# + "\n"
            )
        )
    }
}
