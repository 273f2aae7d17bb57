import Testing
import WeirCore
import WeirHTTP
import WeirTestSupport

extension EndToEnd {
    /// `weir trace`, `weir traces` and `weir exemplars` against a real server.
    @Suite struct TraceCommandTests {
        private static let id = "4bf92f3577b34da6a3ce929d0e0e4710"
        private static let span = [
            "--since", "2026-01-02T00:00:00Z", "--until", "2026-01-03T00:00:00Z",
        ]

        /// 2026-01-02T03:04:05Z and so many milliseconds.
        private static func time(_ milliseconds: Int) -> String {
            "\(1_767_323_045_000 + milliseconds)000000"
        }

        private static func one(
            _ span: String,
            _ parent: String,
            _ name: String,
            _ kind: Int,
            _ from: Int,
            _ to: Int,
            _ rest: String = ""
        ) -> String {
            #"{"traceId":"\#(id)","spanId":"\#(span)","parentSpanId":"\#(parent)","name":"\#(name)","#
                + #""kind":\#(kind),"startTimeUnixNano":"\#(time(from))","#
                + #""endTimeUnixNano":"\#(time(to))"\#(rest)}"#
        }

        private static let body: String = {
            func spans(_ service: String, _ spans: [String]) -> String {
                #"{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"\#(service)"}}]},"#
                    + #""scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}"#
            }
            let failed = #","status":{"code":2,"message":"no \"card\""}"#
            let web = spans(
                "web",
                [
                    one("00000000000000a1", "", "GET /", 2, 0, 100),
                    one("00000000000000a2", "00000000000000a1", "POST pay", 3, 10, 90),
                ]
            )
            let pay = spans(
                "pay",
                [one("00000000000000b1", "00000000000000a2", "POST pay", 2, 20, 80, failed)]
            )
            return #"{"resourceSpans":[\#(web),\#(pay)]}"#
        }()

        private static let waterfall = """
            trace \(id)  2026-01-02 03:04:05.000 UTC
            web GET /  100ms  3 spans  2 services  1 error
              span                         time │0                100ms│
              ▾ web GET /                 100ms ███━━━━━━━━━━━━━━━━━━███
              └ ▾ web POST pay             80ms   ███━━━━━━━━━━━━━━███
            !   └ pay POST pay             60ms     ████████████████

            """

        private static let cases: [(arguments: [String], code: Int32, output: String)] = [
            (["trace", id, "--width", "60"], 0, waterfall),
            (
                ["trace", id, "--width", "60", "--span", "00000000000000b1"], 0,
                """
                trace \(id)  2026-01-02 03:04:05.000 UTC
                web GET /  100ms  3 spans  2 services  1 error
                  span                         time │20ms              80ms│
                ! pay POST pay                 60ms ████████████████████████

                span 00000000000000b1  pay POST pay  server
                  error  no "card"

                """
            ),
            (["trace", "beef"], 1, ""), (["trace", "no id"], 2, ""), (["trace"], 2, ""),
            (["trace", id, "--width", "3"], 2, ""), (["trace", id, "--span", "77777"], 1, ""),
            (
                ["traces", "{status=error}"] + span, 0,
                """
                trace                             start                    duration  root       spans  errors  matched  services
                \(id)  2026-01-02 03:04:05.000  100ms     web GET /      3       1        1  web 2, pay 1!

                """
            ),
            (["traces", #"{resource.service.name="none"}"#] + span, 0, "no traces in this time\n"),
            (["traces", "{broken"] + span, 2, ""), (["traces", "--sort", "size"], 2, ""),
            (["exemplars"], 2, ""), (["exemplars", "rate("], 2, ""),
            (["exemplars", "nothing"] + span, 0, "no exemplars in this time\n"),
        ]

        @Test func commandsPrintWhatWasAskedFor() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let answer = try WeirClient(server).post(
                "/v1/traces",
                Array(Self.body.utf8),
                headers: [("Content-Type", "application/json")]
            )
            #expect(answer.status == 200)
            for one in Self.cases {
                let found = try EndToEnd.run(
                    one.arguments + ["--base", server.base],
                    outputPath: "\(folder.path)/output"
                )
                #expect(found.code == one.code, "\(one.arguments)")
                // Why something was refused is said by the server.
                if one.code == 0 { #expect(found.output == one.output, "\(one.arguments)") }
            }
            #expect(server.terminate().code == 0)
        }
    }
}
