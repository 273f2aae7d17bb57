import Glibc
import Testing
import WeirCore
import WeirStore
import WeirSystem

@testable import WeirAlerts

@Suite struct SQLiteRuleStateStoreTests {
    private static func alert(_ job: String, phase: AlertPhase, value: Double) -> ActiveAlert {
        ActiveAlert(
            labels: Labels([("alertname", "A"), ("job", job)]),
            annotations: [NamedText(name: "summary", value: "\"quoted\"\n\(job)")],
            phase: phase,
            value: value,
            activeAt: 1000,
            firedAt: phase == .pending ? nil : 2000,
            resolvedAt: phase == .inactive ? 3000 : nil,
            keepFiringSince: nil
        )
    }

    @Test func stateIsFoundAgainInTheFile() throws {
        let folder = "/tmp/weir-rules-\(getpid())-\(Stopwatch.monotonicNanoseconds())"
        let files = HostFileSystem()
        try files.createDirectories(folder)
        defer {
            for name in (try? files.list(folder)) ?? [] {
                try? files.removeFile("\(folder)/\(name)")
            }
            try? files.removeDirectory(folder)
        }
        let key = RuleGroupKey(file: "a.yml", name: "g")
        let strange = Double(bitPattern: 0x7FF0_0000_0000_0002)
        let record = RuleGroupRecord(
            lastEvaluation: 42,
            alerts: [
                "r1": [
                    Self.alert("a", phase: .pending, value: strange),
                    Self.alert("b", phase: .firing, value: -0.0),
                    Self.alert("c", phase: .inactive, value: .infinity),
                ],
                "r2": [Self.alert("a", phase: .firing, value: 1)],
            ]
        )
        do {
            let database = try SQLiteDatabase(path: "\(folder)/catalog.sqlite")
            let store = try SQLiteRuleStateStore(database: database)
            #expect(try store.loadGroup(key) == nil)
            try store.saveGroup(key, record)
        }
        let changed = RuleGroupRecord(
            lastEvaluation: 43,
            alerts: ["r1": [Self.alert("b", phase: .inactive, value: 5)]]
        )
        do {
            let database = try SQLiteDatabase(path: "\(folder)/catalog.sqlite")
            let store = try SQLiteRuleStateStore(database: database)
            #expect(try store.loadGroup(key) == record)
            #expect(try store.loadGroup(RuleGroupKey(file: "a.yml", name: "h")) == nil)
            try store.saveGroup(key, changed)
        }
        let database = try SQLiteDatabase(path: "\(folder)/catalog.sqlite")
        let store = try SQLiteRuleStateStore(database: database)
        #expect(try store.loadGroup(key) == changed)
        #expect(try database.query("SELECT count(*) FROM rule_alerts") == [[.integer(1)]])
    }

    @Test func onlyChangesAreWritten() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        let store = try SQLiteRuleStateStore(database: database)
        let key = RuleGroupKey(file: "a.yml", name: "g")
        var record = RuleGroupRecord(
            lastEvaluation: 1,
            alerts: ["r": [Self.alert("a", phase: .firing, value: 1)]]
        )
        try store.saveGroup(key, record)
        let before = try database.query("SELECT total_changes()")
        record.lastEvaluation = 2
        try store.saveGroup(key, record)
        let after = try database.query("SELECT total_changes()")
        #expect((after[0][0].integer ?? 0) - (before[0][0].integer ?? 0) == 1)
    }
}
