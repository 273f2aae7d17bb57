import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// Real senders of logs, unmodified, against the real server: what was sent is found, field by
    /// field.
    @Suite struct LogClientTests {
        private static let second: Int64 = 1_700_000_000
        private static var isSkipped: Bool { ClientScript.isSkipped }

        /// The rows of a query as sorted `name=value` lists, oldest first; values are JSON text.
        private static func rows(_ client: WeirClient, _ query: String) throws -> [String] {
            let response = try client.get(
                "/api/v1/logs/query?query=\(PercentEncoding.encode(query))"
                    + "&start=0&direction=forward&limit=1000"
            )
            try #require(
                response.status == 200,
                "\(query): \(String(decoding: response.body, as: UTF8.self))"
            )
            return try response.body.split(separator: 0x0A).map { line in
                let members = try JSONParser.parse(Array(line)).members ?? []
                return members.map { member in
                    var writer = JSONWriter()
                    writer.value(member.value)
                    return "\(member.key)=\(writer.text)"
                }.sorted().joined(separator: " ")
            }
        }

        private static func port(_ server: WeirProcess, _ name: String) throws -> Int {
            let line = try #require(
                server.log.split(separator: "\n").first { $0.contains("syslog: \(name) port ") }
            )
            return try #require(Int(line.split(separator: " ").last ?? ""))
        }

        /// Without the time of arrival, which no test can know.
        private static func timeless(_ rows: [String]) -> [String] {
            rows.map { row in
                row.split(separator: " ").map { $0.hasPrefix("_time=") ? "_time=…" : $0 }
                    .joined(separator: " ")
            }
        }

        @Test(.disabled(if: isSkipped)) func documentsOfElasticsearchsClientComeBack() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            try ClientScript.run("elasticsearch_logs.py", [server.base, "\(Self.second)"])
            let client = WeirClient(server)
            for name in ["es-plain", "es-gzip"] {
                let expected = (0..<5).map { number in
                    #"_msg="\#(name) number \#(number) says \"ünïcode\"\n" "#
                        + #"_stream={"index":"\#(name)","service.name":"shop"} "#
                        + #"_time="2023-11-14T22:13:2\#(number)Z" "#
                        + #"log.level="\#(number % 2 == 1 ? "error" : "info")" "#
                        + #"n=\#(number) ok=true ratio=0.5 tags=["a","b"]"#
                }
                let found = try Self.rows(client, #"{index="\#(name)"} |= "number""#)
                #expect(found == expected)
                let beside = try Self.rows(client, #"{index="\#(name)"} |= "beside""#)
                #expect(beside.count == 1)
            }
            #expect(server.terminate().code == 0)
        }

        /// What was sent is what is found, also after the rows went to disk and the server started
        /// anew, and beside what was refused.
        @Test func linesOfJSONComeBack() throws {
            let folder = try TemporaryDirectory()
            let body =
                Array(
                    #"""
                    {"service":"web","host":"a","time":"2023-11-14T22:13:20.123456789Z","level":"warn","message":"héllo \"you\"\u0000","n":1.50,"big":12345678901234567890,"ok":false,"none":null,"http":{"status":404,"path":"/x"},"tags":["a", {"b":1}]}
                    not json
                    {"service":"web","host":"a","ts":1700000001,"msg":"second
                    {"service":"web","host":"a","ts":1700000002,"time":"0001-01-01T00:00:00Z"}
                    {"service":"web","host":"a","ts":1700000003,"msg":"
                    """#.utf8
                ) + [0xFF] + Array("\"}\n".utf8)
            let expected = [
                #"_msg="héllo \"you\"\u0000" _stream={"host":"a","service":"web"} "#
                    + #"_time="2023-11-14T22:13:20.123456789Z" big=12345678901234567890 "#
                    + #"http.path="/x" http.status=404 level="warn" n=1.50 ok=false "#
                    + #"tags=["a",{"b":1}]"#,
                #"_msg="�" _stream={"host":"a","service":"web"} _time="2023-11-14T22:13:23Z""#,
            ]
            var server = try WeirProcess(data: "\(folder.path)/data")
            var client = WeirClient(server)
            let answer = try JSONParser.parse(try client.post("/api/v1/logs", body).body)
            #expect(answer["taken"]?.int == 2)
            #expect(answer["refusals"]?.array?.map { $0["line"]?.int } == [2, 3, 4])
            #expect(try Self.rows(client, #"{service="web"}"#) == expected)
            #expect(try client.post("/api/v1/admin/flush").status == 200)
            #expect(try Self.rows(client, #"{service="web"}"#) == expected)
            #expect(server.terminate().code == 0)
            server = try WeirProcess(data: "\(folder.path)/data")
            client = WeirClient(server)
            #expect(try Self.rows(client, #"{service="web"}"#) == expected)
            #expect(server.terminate().code == 0)
        }

        @Test(.disabled(if: isSkipped)) func recordsOfOpenTelemetryComeBack() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            try ClientScript.run("otlp_logs.py", [server.base, "\(Self.second)"])
            let client = WeirClient(server)
            for name in ["otlp-plain", "otlp-gzip"] {
                let stream =
                    #"_stream={"deployment.environment.name":"test","#
                    + #""service.instance.id":"one","service.name":"\#(name)"}"#
                let found = try Self.rows(client, #"{service_name="\#(name)"}"#)
                try #require(found.count == 2)
                for part in [
                    #"_msg="disk failed \"sda\"""#, stream,
                    #"_time="2023-11-14T22:13:20.000000001Z""#, "build.number=7", "count=-17",
                    #"disk="sda""#, "fatal=false", "flags=1", "ratio=0.5",
                    #"scope.name="shop.logger""#, #"scope.version="1.2.3""#,
                    "severity_number=17", #"severity_text="ERROR""#,
                    #"span_id="cdcdcdcdcdcdcdcd""#,
                    #"trace_id="abababababababababababababababab""#,
                ] {
                    #expect(found[0].contains(part), "\(part) in \(found[0])")
                }
                for part in [
                    #"_msg="{\"k\":\"v\",\"n\":3}""#, stream,
                    #"_time="2023-11-14T22:13:20.000000002Z""#, #"list=["a","b"]"#,
                    "severity_number=13",
                ] {
                    #expect(found[1].contains(part), "\(part) in \(found[1])")
                }
                #expect(!found[1].contains("trace_id"))
            }
            #expect(server.terminate().code == 0)
        }

        @Test(.disabled(if: isSkipped)) func linesPushedAsToLokiComeBack() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            try ClientScript.run("loki_push.py", [server.base, "\(Self.second)"])
            let client = WeirClient(server)
            for name in ["loki-json", "loki-gzip", "loki-proto"] {
                #expect(
                    try Self.rows(client, #"{app="\#(name)"}"#) == [
                        #"_msg="level=info msg=\"\#(name) one\"" _stream={"app":"\#(name)"} "#
                            + #"_time="2023-11-14T22:13:20Z""#,
                        #"_msg="two \"quoted\"\nlines" _stream={"app":"\#(name)"} "#
                            + #"_time="2023-11-14T22:13:20.000000001Z" trace_id="abc""#,
                    ]
                )
            }
            #expect(server.terminate().code == 0)
        }

        @Test(.disabled(if: isSkipped)) func messagesOfSysLogHandlerComeBack() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(
                data: "\(folder.path)/data",
                ["--syslog-udp", "127.0.0.1:0", "--syslog-tcp", "127.0.0.1:0"]
            )
            try ClientScript.run(
                "syslog_handler.py",
                [
                    "127.0.0.1", "\(try Self.port(server, "UDP"))",
                    "\(try Self.port(server, "TCP"))",
                ]
            )
            let client = WeirClient(server)
            for name in ["udp", "tcp"] {
                var found: [String] = []
                try EndToEnd.eventually("both messages are there") {
                    found = try Self.rows(client, #"{app="app-\#(name)"}"#)
                    return found.count == 2
                }
                let more = name == "udp" ? #"\nand a second line"# : ""
                #expect(
                    Set(Self.timeless(found)) == [
                        #"_msg="hello" _stream={"app":"app-\#(name)"} _time=… "#
                            + #"facility="local0" procid="42" severity="info""#,
                        #"_msg="bad ünïcode\#(more)" _stream={"app":"app-\#(name)"} _time=… "#
                            + #"facility="local0" procid="42" severity="error""#,
                    ]
                )
            }
            #expect(server.terminate().code == 0)
        }

        /// Debian's rsyslog, reading a socket and forwarding in both of its formats.
        @Test(.disabled(if: isSkipped)) func messagesOfRsyslogComeBack() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(
                data: "\(folder.path)/data",
                ["--syslog-udp", "127.0.0.1:0", "--syslog-tcp", "127.0.0.1:0"]
            )
            let udp = try Self.port(server, "UDP")
            let tcp = try Self.port(server, "TCP")
            let configuration = """
                global(workDirectory="\(folder.path)")
                module(load="imuxsock" SysSock.Use="off")
                input(type="imuxsock" Socket="\(folder.path)/log" CreatePath="on")
                action(type="omfwd" target="127.0.0.1" port="\(udp)" protocol="udp"
                    template="RSYSLOG_TraditionalForwardFormat")
                action(type="omfwd" target="127.0.0.1" port="\(tcp)" protocol="tcp"
                    TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
                """
            let path = "\(folder.path)/rsyslog.conf"
            try HostFileSystem().openForWriting(path).write(Array(configuration.utf8), at: 0)
            // A copy, since AppArmor holds the one in its place to the files of the system.
            let program = "\(folder.path)/rsyslogd"
            let process = try #require(
                ChildProcess(
                    "/bin/sh",
                    [
                        "-c",
                        "cp /usr/sbin/rsyslogd \(program) && exec \(program) -n -f \(path) "
                            + "-i \(folder.path)/pid",
                    ],
                    environment: ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"],
                    outputPath: "\(folder.path)/rsyslog.log"
                )
            )
            defer { process.stop() }
            try EndToEnd.eventually("rsyslog listens") {
                LoopbackSender.send(
                    datagram: Array("<133>shop[77]: wheels ünïcode 17".utf8),
                    path: "\(folder.path)/log"
                )
            }
            let client = WeirClient(server)
            var found: [String] = []
            try EndToEnd.eventually("the message is there twice") {
                found = try Self.rows(client, #"{app="shop"} |= "wheels""#)
                return found.count == 2
            }
            for row in found {
                for part in [
                    #"facility="local0""#, #"severity="notice""#, #"procid="77""#, #""host":""#,
                    #"wheels ünïcode 17""#,
                ] {
                    #expect(row.contains(part), "\(part) in \(row)")
                }
            }
            #expect(server.terminate().code == 0)
        }
    }
}
