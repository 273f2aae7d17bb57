import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// An alert rule from its file to the webhook.
    @Suite struct AlertTests {
        /// Keeps what is posted to it.
        private final class Receiver: HTTPHandler {
            let bodies = Monitor<[[UInt8]]>([])

            func accept(_ head: HTTPRequestHead) -> HTTPAdmission { .read(bodyBytesMax: 1 << 20) }

            func handle(_ exchange: HTTPExchange) {
                let body = exchange.takeBody()
                bodies.update { $0.append(body) }
                exchange.respond(.empty(200))
            }
        }

        private static let rules = """
            groups:
              - name: shop
                interval: 1s
                rules:
                  - alert: LoadIsHigh
                    expr: shop_load > 5
                    for: 1s
                    labels: {severity: page}
                    annotations: {summary: "load is {{ $value }} on {{ $labels.host }}"}
                  - alert: LoadIsHighForLong
                    expr: shop_load > 5
                    for: 1h
                  - record: shop:load:double
                    expr: shop_load * 2
            """

        private static func pendingSince(_ client: WeirClient) throws -> String? {
            try client.json("/api/v1/alerts")["data"]?["alerts"]?.array?.first {
                $0["labels"]?["alertname"]?.string == "LoadIsHighForLong"
            }?["activeAt"]?.string
        }

        @Test func alertFiresToTheWebhookAndARestartKeepsFor() throws {
            let folder = try TemporaryDirectory()
            let path = "\(folder.path)/rules.yml"
            try HostFileSystem().openForWriting(path).write(Array(Self.rules.utf8), at: 0)
            let receiver = Receiver()
            let sink = try HTTPServer(
                HTTPServerConfiguration(listen: "127.0.0.1:0"),
                handler: receiver
            )
            defer { sink.stop(drainSeconds: 1) }
            let arguments = [
                "--rules", path, "--webhooks", "http://\(sink.address)/hook", "--group-wait", "0s",
            ]
            let server = try WeirProcess(data: "\(folder.path)/data", arguments)
            let client = WeirClient(server)
            let now = HostClock().nowMilliseconds()
            #expect(try client.write("shop,host=a load=9 \(now)\n").status == 204)
            let body = try #require(
                receiver.bodies.wait(timeoutNanoseconds: 60_000_000_000) { $0.first }
            )
            let message = try JSONParser.parse(body)
            #expect(message["status"]?.string == "firing")
            let alert = try #require(message["alerts"]?.array?.first)
            #expect(alert["labels"]?["alertname"]?.string == "LoadIsHigh")
            #expect(alert["labels"]?["severity"]?.string == "page")
            #expect(alert["annotations"]?["summary"]?.string == "load is 9 on a")
            try EndToEnd.eventually("ALERTS and the recorded series are stored") {
                try client.value("ALERTS{alertname=\"LoadIsHigh\",alertstate=\"firing\"}") == 1
                    && client.value("shop:load:double") == 18
            }
            let since = try #require(try Self.pendingSince(client))
            #expect(server.terminate().code == 0, "\(server.log)")
            let again = try WeirProcess(data: "\(folder.path)/data", arguments)
            var found: String?
            try EndToEnd.eventually("the pending alert is back") {
                found = try Self.pendingSince(WeirClient(again))
                return found != nil
            }
            #expect(found == since)
            #expect(again.terminate().code == 0)
        }
    }
}
