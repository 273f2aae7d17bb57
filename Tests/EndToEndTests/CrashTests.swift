import Glibc
import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// Kills the server with -9 at random moments under load of metrics, logs and spans, many times
    /// over.
    ///
    /// `WEIR_CRASH_ROUNDS` sets the number of rounds, `WEIR_CRASH_SEED` the seed.
    @Suite struct CrashTests {
        /// Small budgets, so that checkpoints and merges come often.
        private static let settings = [
            "--memory-rows-max", "3000000", "--flush-interval", "1s",
        ]

        @Test func acknowledgedSamplesRowsAndSpansSurviveKillExactlyOnce() throws {
            let rounds = EndToEnd.environment("WEIR_CRASH_ROUNDS").flatMap { Int($0) } ?? 25
            let seed = EndToEnd.environment("WEIR_CRASH_SEED").flatMap { UInt64($0) } ?? 1
            let folder = try TemporaryDirectory()
            let data = "\(folder.path)/data"
            let start = HostClock().nowMilliseconds() - 4 * 3_600_000
            let writers = (0..<3).map {
                CrashWriter(
                    number: $0,
                    startMilliseconds: start,
                    seed: seed &+ UInt64($0) &* 1_000_003
                )
            }
            let logWriters = (0..<2).map {
                CrashLogWriter(
                    number: $0,
                    startMilliseconds: start,
                    seed: seed &+ UInt64($0) &* 7_000_003
                )
            }
            let spanWriters = (0..<2).map {
                CrashSpanWriter(
                    number: $0,
                    startMilliseconds: start,
                    seed: seed &+ UInt64($0) &* 9_000_003
                )
            }
            var random = SplitMix64(seed: seed)
            for round in 0..<rounds {
                if Int.random(in: 0..<6, using: &random) == 0 {
                    // Killed while it starts, with a journal to replay.
                    let process = try WeirProcess.start(
                        data: data,
                        Self.settings,
                        logPath: "\(data).log"
                    )
                    Self.pause(milliseconds: Int.random(in: 0...250, using: &random))
                    process.stop()
                }
                try Self.runRound(data: data, writers, logWriters, spanWriters, &random)
                let refusals =
                    writers.flatMap(\.refusals) + logWriters.flatMap(\.refusals)
                    + spanWriters.flatMap(\.refusals)
                try #require(refusals.isEmpty, "seed \(seed) round \(round): \(refusals)")
            }
            try Self.settle(data: data, writers, logWriters, spanWriters)
            let samples = writers.reduce(0) { $0 + $1.acknowledgedSamples }
            let rows = logWriters.reduce(0) { $0 + $1.acknowledgedRows }
            var missing = 0
            var doubled = 0
            var missingRows = 0
            var doubledRows = 0
            let spans = spanWriters.reduce(0) { $0 + $1.acknowledgedSpans }
            var missingSpans = 0
            var doubledSpans = 0
            for isMerged in [false, true] {
                let server = try WeirProcess(data: data, Self.settings)
                let client = WeirClient(server)
                if isMerged { #expect(try client.post("/api/v1/admin/merge").status == 200) }
                for writer in writers {
                    let finding = try writer.verify(client)
                    missing += finding.missing
                    doubled += finding.doubled
                    #expect(
                        finding.missing == 0 && finding.doubled == 0 && finding.wrong == 0
                            && finding.unsent == 0,
                        "seed \(seed), writer \(writer.number), merged \(isMerged): \(finding)"
                    )
                }
                for writer in logWriters {
                    let finding = try writer.verify(client)
                    missingRows += finding.missing
                    doubledRows += finding.doubled
                    #expect(
                        finding.isClean,
                        "seed \(seed), log writer \(writer.number), merged \(isMerged): \(finding)"
                    )
                }
                for writer in spanWriters {
                    let finding = try writer.verify(client)
                    missingSpans += finding.missing
                    doubledSpans += finding.doubled
                    #expect(
                        finding.isClean,
                        "seed \(seed), span writer \(writer.number), merged \(isMerged): \(finding)"
                    )
                }
                #expect(try client.json("/api/v1/status")["quarantined"]?.array == [])
                #expect(server.terminate().code == 0, "\(server.log.suffix(2000))")
            }
            let check = try EndToEnd.run(
                ["check", data],
                outputPath: "\(folder.path)/check.txt"
            )
            #expect(check.code == 0, "\(check.output)")
            #expect(!check.output.contains("missing"), "\(check.output)")
            print(
                "crash: \(rounds) rounds, \(samples) acknowledged samples, "
                    + "\(missing) missing, \(doubled) doubled"
            )
            print(
                "crash of logs: \(rounds) rounds, \(rows) acknowledged rows, "
                    + "\(missingRows) missing, \(doubledRows) doubled"
            )
            print(
                "crash of spans: \(rounds) rounds, \(spans) acknowledged spans, "
                    + "\(missingSpans) missing, \(doubledSpans) doubled"
            )
        }

        /// Waits as a moment of the seed's choosing; what happens then does not depend on it.
        private static func pause(milliseconds: Int) {
            Thread.sleep(nanoseconds: Int64(milliseconds) * 1_000_000)
        }

        /// Serves, writes, flushes and merges, and kills.
        private static func runRound(
            data: String,
            _ writers: [CrashWriter],
            _ logWriters: [CrashLogWriter],
            _ spanWriters: [CrashSpanWriter],
            _ random: inout SplitMix64
        ) throws {
            let server = try WeirProcess(data: data, settings)
            let base = server.base
            // What was acknowledged before the kill is there once the server is up again.
            let client = WeirClient(server)
            for writer in spanWriters {
                let finding = try writer.verify(client, last: 10)
                #expect(finding.isClean, "span writer \(writer.number): \(finding)")
            }
            var threads = writers.map { writer in
                Thread(name: "writer") { writer.run(base, sendsNew: true) }
            }
            threads += logWriters.map { writer in
                Thread(name: "log writer") { writer.run(base, sendsNew: true) }
            }
            threads += spanWriters.map { writer in
                Thread(name: "span writer") { writer.run(base, sendsNew: true) }
            }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                pause(milliseconds: Int.random(in: 10...400, using: &random))
                let action = ["flush", "flush", "merge", nil].randomElement(using: &random)
                guard let action = action ?? nil else { continue }
                threads.append(
                    Thread(name: "admin") {
                        _ = try? WeirClient(base).post("/api/v1/admin/\(action)")
                    }
                )
            }
            pause(milliseconds: Int.random(in: 0...60, using: &random))
            server.kill()
            for thread in threads { thread.join() }
        }

        /// Serves until every batch is acknowledged.
        private static func settle(
            data: String,
            _ writers: [CrashWriter],
            _ logWriters: [CrashLogWriter],
            _ spanWriters: [CrashSpanWriter]
        ) throws {
            let server = try WeirProcess(data: data, settings)
            let base = server.base
            var threads = writers.map { writer in
                Thread(name: "writer") { writer.run(base, sendsNew: false) }
            }
            threads += logWriters.map { writer in
                Thread(name: "log writer") { writer.run(base, sendsNew: false) }
            }
            threads += spanWriters.map { writer in
                Thread(name: "span writer") { writer.run(base, sendsNew: false) }
            }
            for thread in threads { thread.join() }
            for writer in writers {
                #expect(writer.batches.allSatisfy { $0.acknowledged != nil })
                #expect(writer.refusals.isEmpty, "\(writer.refusals)")
            }
            for writer in logWriters {
                #expect(writer.batches.allSatisfy { $0.acknowledged != nil })
                #expect(writer.refusals.isEmpty, "\(writer.refusals)")
            }
            for writer in spanWriters {
                #expect(writer.batches.allSatisfy { $0.isAcknowledged })
                #expect(writer.refusals.isEmpty, "\(writer.refusals)")
            }
            #expect(server.terminate().code == 0, "\(server.log.suffix(2000))")
        }
    }
}
