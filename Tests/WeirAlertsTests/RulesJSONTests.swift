import Testing
import WeirCore
import WeirPattern
import WeirSystem

@testable import WeirAlerts

@Suite struct RulesJSONTests {
    private static let rules = """
        groups:
          - name: g1
            interval: 1s
            rules:
              - record: a:b
                expr: vector(7)
                labels: {x: y}
              - alert: Always
                expr: vector(7.5) > 5
                for: 1m
                keep_firing_for: 30s
                labels: {severity: page, v: "{{ $value }}"}
                annotations: {summary: "v={{ $value | humanize }}"}
              - alert: Now
                expr: up == 1
          - name: g2
            schedule: "@hourly"
            rules:
              - record: broken
                expr: fails
        """

    /// As Prometheus 2.42 answers, but for `schedule` and the times.
    private static let expected = #"""
        {"status":"success","data":{"groups":[{"name":"g1","file":"r.yml","rules":[
        {"name":"a:b","query":"vector(7)","labels":{"x":"y"},"health":"ok","evaluationTime":0,
        "lastEvaluation":"2027-01-15T08:00:00Z","type":"recording"},
        {"state":"pending","name":"Always","query":"vector(7.5) > 5","duration":60,
        "keepFiringFor":30,"labels":{"severity":"page","v":"{{ $value }}"},"annotations":{
        "summary":"v={{ $value | humanize }}"},"alerts":[{"labels":{"alertname":"Always",
        "severity":"page","v":"7.5"},"annotations":{"summary":"v=7.5"},"state":"pending",
        "activeAt":"T","value":"7.5e+00"}],"health":"ok","evaluationTime":0,
        "lastEvaluation":"2027-01-15T08:00:00Z","type":"alerting"},
        {"state":"inactive","name":"Now","query":"up == 1","duration":0,"keepFiringFor":0,
        "labels":{},"annotations":{},"alerts":[],"health":"err","lastError":"no store",
        "evaluationTime":0,"lastEvaluation":"2027-01-15T08:00:00Z","type":"alerting"}],
        "interval":1,"limit":0,"evaluationTime":0,"lastEvaluation":"2027-01-15T08:00:00Z"},
        {"name":"g2","file":"r.yml","rules":[{"name":"broken","query":"fails","health":"unknown",
        "evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"}],
        "interval":0,"schedule":"@hourly","limit":0,"evaluationTime":0,
        "lastEvaluation":"0001-01-01T00:00:00Z"}]}}
        """#

    /// Takes out what depends on the machine and on the group's place in its interval.
    private static func steady(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(
                members.map { member in
                    switch member.key {
                    case "evaluationTime": JSONMember(key: member.key, value: .number("0"))
                    case "activeAt": JSONMember(key: member.key, value: .string("T"))
                    default: JSONMember(key: member.key, value: steady(member.value))
                    }
                }
            )
        case .array(let items): .array(items.map(steady))
        default: value
        }
    }

    private func engine() throws -> RuleEngine {
        let evaluator = FakeEvaluator()
        evaluator.answer("vector(7)", [([], 7)])
        evaluator.answer("vector(7.5) > 5", [([], 7.5)])
        evaluator.fail("up == 1", "no store")
        let engine = RuleEngine(
            evaluator: evaluator,
            store: nil,
            notifier: nil,
            clock: ManualClock(nanoseconds: 1_800_000_000_000_000_000)
        )
        engine.replace([try RuleFile(text: Self.rules, path: "r.yml")])
        engine.evaluateAllDue()
        return engine
    }

    @Test func rulesAreThoseOfPrometheus() throws {
        let json = try Self.json(RulesJSON.rules(try engine().groups))
        let expected = try JSONParser.parse(Array(Self.expected.utf8))
        #expect(Self.steady(json) == Self.steady(expected))
    }

    @Test func alertsAreThoseOfPrometheus() throws {
        let json = try JSONParser.parse(RulesJSON.alerts(try engine().groups))
        let alerts = try #require(json["data"]?["alerts"]?.array)
        #expect(alerts.count == 1)
        #expect(alerts[0]["labels"]?["alertname"]?.string == "Always")
        #expect(alerts[0]["value"]?.string == "7.5e+00")
        #expect(
            alerts[0].members?.map(\.key) == [
                "labels", "annotations", "state", "activeAt", "value",
            ]
        )
    }

    @Test func filtersChoose() throws {
        let groups = try engine().groups
        var filter = RulesJSON.Filter()
        filter.isAlert = true
        filter.showsAlerts = false
        let alerts = try Self.json(RulesJSON.rules(groups, filter))
        let first = alerts["data"]?["groups"]?.array?.first
        #expect(first?["rules"]?.array?.map { $0["name"]?.string } == ["Always", "Now"])
        #expect(first?["rules"]?.array?.first?["alerts"]?.array?.isEmpty == true)
        filter = RulesJSON.Filter()
        filter.ruleNames = ["broken"]
        let named = try Self.json(RulesJSON.rules(groups, filter))
        #expect(named["data"]?["groups"]?.array?.map { $0["name"]?.string } == ["g2"])
    }

    private static func json(_ body: [UInt8]?) throws -> JSONValue {
        try JSONParser.parse(try #require(body))
    }

    private static func names(_ json: JSONValue) -> [String?] {
        json["data"]?["groups"]?.array?.map { $0["name"]?.string } ?? []
    }

    @Test func matchersChooseByTheRulesOwnLabels() throws {
        let groups = try engine().groups
        let all = groups.flatMap(\.rules).map(\.rule)
        let labelled = try #require(all.first { !$0.labels.isEmpty })
        let label = try #require(labelled.labels.first)
        var filter = RulesJSON.Filter()
        filter.matcherSets = [
            [
                try CompiledMatcher(
                    LabelMatcher(name: label.name, operation: .equal, value: label.template.text)
                )
            ],
            [
                try CompiledMatcher(
                    LabelMatcher(name: "nobody", operation: .matches, value: "has.+")
                )
            ],
        ]
        let found = try Self.json(RulesJSON.rules(groups, filter))
        let rules = found["data"]?["groups"]?.array?.flatMap { $0["rules"]?.array ?? [] } ?? []
        let expected = all.filter { rule in
            rule.labels.contains {
                $0.name == label.name && $0.template.text == label.template.text
            }
        }
        #expect(rules.map { $0["name"]?.string } == expected.map(\.name))
        #expect(rules.count < all.count)
    }

    @Test func pagesShowEveryGroupOnce() throws {
        let groups = try engine().groups
        var found: [String?] = []
        var token: String?
        repeat {
            let page = RulesJSON.Page(groupsMax: 1, token: token)
            let json = try Self.json(RulesJSON.rules(groups, page: page))
            #expect(Self.names(json).count == 1)
            found += Self.names(json)
            token = json["data"]?["groupNextToken"]?.string
        } while token != nil && found.count <= groups.count
        #expect(found == groups.map(\.key.name))
        #expect(groups.count > 1)
        let lost = RulesJSON.Page(groupsMax: 1, token: "0")
        #expect(RulesJSON.rules(groups, page: lost) == nil)
    }
}
