import Glibc
import Testing
import WeirCore
import WeirSystem

@testable import WeirAlerts

@Suite struct RuleLoopTests {
    private func temporaryFolder() throws -> String {
        let folder = "/tmp/weir-loop-\(getpid())-\(Stopwatch.monotonicNanoseconds())"
        try HostFileSystem().createDirectories(folder)
        return folder
    }

    private func write(_ text: String, to path: String) throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        try HostFileSystem()
            .writeFileAtomically(Array(text.utf8), to: path, inDirectory: folder)
    }

    private func remove(_ folder: String) {
        let files = HostFileSystem()
        for name in (try? files.list(folder)) ?? [] { try? files.removeFile("\(folder)/\(name)") }
        try? files.removeDirectory(folder)
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<5000 {
            if condition() { return true }
            Thread.sleep(nanoseconds: 2_000_000)
        }
        return false
    }

    private static func rules(_ name: String) -> String {
        "groups:\n- name: \(name)\n  interval: 1h\n  rules:\n  - record: \(name)\n    expr: x\n"
    }

    @Test func filesAreTakenUpAndBadOnesKeepTheirOldRules() throws {
        let folder = try temporaryFolder()
        defer { remove(folder) }
        try write(Self.rules("a"), to: "\(folder)/a.yml")
        try write(Self.rules("b"), to: "\(folder)/b.yaml")
        try write("not: rules", to: "\(folder)/c.txt")
        let evaluator = FakeEvaluator()
        let clock = ManualClock(nanoseconds: 1_800_000_000_000_000_000)
        let engine = RuleEngine(evaluator: evaluator, store: nil, notifier: nil, clock: clock)
        let loop = RuleLoop(
            engine: engine,
            notifier: nil,
            files: RuleFileSet(paths: [folder, "\(folder)/missing.yml"]),
            clock: clock
        )
        let first = loop.reload()
        #expect(first.groupCount == 2)
        #expect(first.problems.map(\.path) == ["\(folder)/missing.yml"])
        #expect(engine.groups.map(\.key.name) == ["a", "b"])
        try write("groups: 5", to: "\(folder)/a.yml")
        try write(Self.rules("bb"), to: "\(folder)/b.yaml")
        let second = loop.reload()
        #expect(second.problems.contains { $0.reason == "groups is no list" })
        #expect(engine.groups.map(\.key.name) == ["a", "bb"])
        try HostFileSystem().removeFile("\(folder)/a.yml")
        loop.reload()
        #expect(engine.groups.map(\.key.name) == ["bb"])
    }

    @Test func theThreadsEvaluateNotifyAndStop() throws {
        let folder = try temporaryFolder()
        defer { remove(folder) }
        let text = """
            groups:
              - name: a
                interval: 1h
                rules:
                  - alert: Down
                    expr: up == 0
              - name: b
                interval: 1h
                rules:
                  - record: y
                    expr: x
            """
        try write(text, to: "\(folder)/a.yml")
        let evaluator = FakeEvaluator()
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        let clock = ManualClock(nanoseconds: 1_800_000_000_000_000_000)
        let sender = FakeSender()
        var configuration = NotificationConfiguration(
            receivers: [NotificationReceiver(name: "hook", url: "http://x/")]
        )
        configuration.groupWaitMilliseconds = 0
        let notifier = Notifier(configuration: configuration, sender: sender, store: nil)
        let engine = RuleEngine(evaluator: evaluator, store: nil, notifier: notifier, clock: clock)
        let loop = RuleLoop(
            engine: engine,
            notifier: notifier,
            files: RuleFileSet(paths: [folder]),
            clock: clock
        )
        loop.start()
        #expect(eventually { engine.groups.allSatisfy { $0.lastEvaluation != nil } })
        #expect(eventually { sender.takeSent().first?["status"]?.string == "firing" })
        loop.stop()
        loop.stop()
        #expect(engine.groups.count == 2)
    }
}
