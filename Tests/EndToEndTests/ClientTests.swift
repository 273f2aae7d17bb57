import Testing
import WeirCore
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// The real clients of InfluxDB, as PyPI has them, against the real server.
    ///
    /// `WEIR_SKIP_CLIENTS=1` leaves them out where there is no way to PyPI.
    @Suite struct ClientTests {
        private static let second: Int64 = 1_790_000_000

        private static var isSkipped: Bool { ClientScript.isSkipped }

        /// The one sample of `expression`, as text, with its labels but for the name.
        private static func sample(
            _ client: WeirClient,
            _ expression: String,
            atMilliseconds: Int64 = second * 1000
        ) throws -> String {
            // A range selector gives the sample as it is kept, with its own time.
            let result = try client.query(
                "\(expression)[1ms]",
                atMilliseconds: atMilliseconds
            )
            try #require(result.count == 1, "\(expression): \(result)")
            let labels = (result[0]["metric"]?.members ?? [])
                .filter { $0.key != "__name__" }
                .map { "\($0.key)=\($0.value.string ?? "")" }
            let values = try #require(result[0]["values"]?.array)
            try #require(values.count == 1, "\(expression): \(values)")
            return (labels.sorted() + [values[0].array?.last?.string ?? ""]).joined(separator: "|")
        }

        @Test(.disabled(if: isSkipped)) func pointsOfInfluxDBClient2ComeBackExactly() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            try ClientScript.run("influxdb_v2_points.py", [server.base, "\(Self.second)"])
            let client = WeirClient(server)
            let tags = #"host=web 01|path=/a,b=c|place=Zürich 北京 🌊|quote=say "hi"|"#
            for name in ["v2", "v2_gz"] {
                for (field, value) in [
                    ("float", "0.1"), ("int", "-42"), ("large", "9007199254740992"),
                    ("up", "1"), ("down", "0"),
                ] {
                    #expect(try Self.sample(client, "\(name)_\(field)") == tags + value)
                }
                #expect(try client.query("\(name)_note").isEmpty)
                for (unit, value) in [
                    ("ns", "1000000000"), ("us", "1000000"), ("ms", "1000"), ("s", "1"),
                ] {
                    let found = try Self.sample(client, "\(name)_precision_v{unit=\"\(unit)\"}")
                    #expect(found == "unit=\(unit)|\(value)")
                }
                #expect(try Self.sample(client, "\(name)_unsigned_v") == "18446744073709552000")
                #expect(try Self.sample(client, "\(name)_dictionary_v") == "kept=yes|1e-300")
            }
            let samples = try client.samples(
                "v2_batch_v[10s]",
                atMilliseconds: Self.second * 1000 + 9000
            )
            #expect(
                samples.sorted { $0.time < $1.time }.map(\.value)
                    == (0..<2345).map { Double($0) + 0.5 }
            )
            #expect(
                samples.map(\.time).sorted() == (0..<2345).map { Self.second * 1000 + Int64($0) }
            )
            #expect(try Self.sample(client, "v2_good_v") == "7")
            #expect(server.terminate().code == 0)
        }

        @Test(.disabled(if: isSkipped)) func pointsOfInfluxDBClient1ComeBackExactly() throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/data")
            let parts = server.address.split(separator: ":")
            try ClientScript.run(
                "influxdb_v1_points.py",
                [String(parts[0]), String(parts[1]), "\(Self.second)"]
            )
            let client = WeirClient(server)
            let tags = "host=web 01|path=/a,b=c|place=Zürich 北京 🌊|"
            for name in ["v1", "v1_gz"] {
                for (field, value) in [("float", "0.1"), ("int", "9"), ("up", "1")] {
                    let found = try Self.sample(
                        client,
                        "\(name)_\(field)",
                        atMilliseconds: Self.second * 1000 + 123
                    )
                    #expect(found == tags + value)
                }
                #expect(try client.query("\(name)_note").isEmpty)
                for (unit, value) in [
                    ("n", "1000000000"), ("u", "1000000"), ("ms", "1000"), ("s", "1"),
                ] {
                    let found = try Self.sample(client, "\(name)_precision_v{unit=\"\(unit)\"}")
                    #expect(found == "unit=\(unit)|\(value)")
                }
                let samples = try client.samples(
                    "\(name)_many_v[10s]",
                    atMilliseconds: Self.second * 1000 + 9000
                )
                #expect(samples.map(\.value) == (0..<1200).map { Double($0) + 0.5 })
                #expect(samples.map(\.time) == (0..<1200).map { Self.second * 1000 + Int64($0) })
            }
            #expect(server.terminate().code == 0)
        }
    }
}
