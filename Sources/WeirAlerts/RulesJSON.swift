internal import WeirCore
package import WeirPattern

/// The bodies of `/api/v1/rules` and `/api/v1/alerts`, in Prometheus's JSON.
package enum RulesJSON {
    /// Which rules are shown.
    package struct Filter: Sendable {
        /// Nil for both kinds.
        package var isAlert: Bool?
        /// Empty for all.
        package var ruleNames: Set<String> = []
        package var groupNames: Set<String> = []
        package var files: Set<String> = []
        /// Rules whose own labels all matchers of one of the sets take; empty for all.
        package var matcherSets: [[CompiledMatcher]] = []
        package var showsAlerts = true

        package init() {}

        fileprivate func takes(_ rule: Rule) -> Bool {
            (isAlert == nil || isAlert == rule.isAlert)
                && (ruleNames.isEmpty || ruleNames.contains(rule.name)) && matches(rule)
        }

        private func matches(_ rule: Rule) -> Bool {
            guard !matcherSets.isEmpty else { return true }
            let labels = Labels(rule.labels.map { ($0.name, $0.template.text) })
            return matcherSets.contains { set in
                set.allSatisfy { (try? $0.matches(labels)) ?? false }
            }
        }
    }

    /// The part of the groups that is shown.
    package struct Page: Sendable {
        package let groupsMax: Int
        /// The token that the page before ended with; nil for the first page.
        package let token: String?

        package init(groupsMax: Int, token: String?) {
            self.groupsMax = groupsMax
            self.token = token
        }
    }

    /// What a page that begins with the group is asked for by.
    private static func token(of key: RuleGroupKey) -> String {
        String(FNV1a.hash(Array("\(key.file);\(key.name)".utf8)), radix: 16)
    }

    /// - Returns: Nil when no group has the page's token any more.
    package static func rules(
        _ groups: [RuleGroupStatus],
        _ filter: Filter = Filter(),
        page: Page? = nil
    ) -> [UInt8]? {
        var rest = groups[...]
        if let token = page?.token {
            guard let first = groups.firstIndex(where: { Self.token(of: $0.key) == token }) else {
                return nil
            }
            rest = groups[first...]
        }
        var shown = 0
        var nextToken: String?
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginObject()
        writer.key("groups")
        writer.beginArray()
        for group in rest {
            guard filter.groupNames.isEmpty || filter.groupNames.contains(group.key.name),
                filter.files.isEmpty || filter.files.contains(group.key.file)
            else { continue }
            let rules = group.rules.filter { filter.takes($0.rule) }
            if rules.isEmpty { continue }
            guard shown < page?.groupsMax ?? .max else {
                nextToken = token(of: group.key)
                break
            }
            shown += 1
            write(group, rules, showsAlerts: filter.showsAlerts, to: &writer)
        }
        writer.endArray()
        if let nextToken { writer.member("groupNextToken", nextToken) }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    package static func alerts(_ groups: [RuleGroupStatus]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginObject()
        writer.key("alerts")
        writer.beginArray()
        for group in groups {
            for rule in group.rules {
                for alert in rule.alerts { write(alert, to: &writer) }
            }
        }
        writer.endArray()
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func write(
        _ group: RuleGroupStatus,
        _ rules: [RuleStatus],
        showsAlerts: Bool,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("name", group.key.name)
        writer.member("file", group.key.file)
        writer.key("rules")
        writer.beginArray()
        for rule in rules { write(rule, showsAlerts: showsAlerts, to: &writer) }
        writer.endArray()
        seconds("interval", group.schedule == nil ? group.intervalMilliseconds : 0, to: &writer)
        if let schedule = group.schedule { writer.member("schedule", schedule) }
        writer.member("limit", group.limit)
        writer.member("evaluationTime", group.evaluationSeconds)
        writer.member("lastEvaluation", time(group.lastEvaluation))
        writer.endObject()
    }

    private static func write(
        _ status: RuleStatus,
        showsAlerts: Bool,
        to writer: inout JSONWriter
    ) {
        let rule = status.rule
        writer.beginObject()
        switch rule.kind {
        case .recording:
            writer.member("name", rule.name)
            writer.member("query", status.query)
            if !rule.labels.isEmpty { templates("labels", rule.labels, to: &writer) }
        case .alerting(let hold, let keep):
            writer.member("state", status.phase.rawValue)
            writer.member("name", rule.name)
            writer.member("query", status.query)
            seconds("duration", hold, to: &writer)
            seconds("keepFiringFor", keep, to: &writer)
            templates("labels", rule.labels, to: &writer)
            templates("annotations", rule.annotations, to: &writer)
            writer.key("alerts")
            writer.beginArray()
            if showsAlerts { for alert in status.alerts { write(alert, to: &writer) } }
            writer.endArray()
        }
        writer.member("health", status.health.rawValue)
        if let error = status.lastError { writer.member("lastError", error) }
        writer.member("evaluationTime", status.evaluationSeconds)
        writer.member("lastEvaluation", time(status.lastEvaluation))
        writer.member("type", rule.isAlert ? "alerting" : "recording")
        writer.endObject()
    }

    private static func write(_ alert: ActiveAlert, to writer: inout JSONWriter) {
        writer.beginObject()
        let labels = alert.labels.pairs.map { NamedText(name: $0.name, value: $0.value) }
        texts("labels", labels, to: &writer)
        texts("annotations", alert.annotations, to: &writer)
        writer.member("state", alert.phase.rawValue)
        writer.member("activeAt", TimeText.rfc3339(milliseconds: alert.activeAt))
        if let since = alert.keepFiringSince {
            writer.member("keepFiringSince", TimeText.rfc3339(milliseconds: since))
        }
        writer.member("value", GoFormat.scientific(alert.value))
        writer.endObject()
    }

    private static func time(_ milliseconds: Int64?) -> String {
        milliseconds.map { TimeText.rfc3339(milliseconds: $0) } ?? Timestamps.zero
    }

    private static func seconds(
        _ name: String,
        _ milliseconds: Int64,
        to writer: inout JSONWriter
    ) {
        if milliseconds % 1000 == 0 {
            writer.member(name, Int(milliseconds / 1000))
        } else {
            writer.member(name, Double(milliseconds) / 1000)
        }
    }

    private static func templates(
        _ name: String,
        _ templates: [Rule.NamedTemplate],
        to writer: inout JSONWriter
    ) {
        texts(
            name,
            templates.map { NamedText(name: $0.name, value: $0.template.text) },
            to: &writer
        )
    }

    private static func texts(_ name: String, _ pairs: [NamedText], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginObject()
        for pair in pairs.sorted(by: { $0.name < $1.name }) { writer.member(pair.name, pair.value) }
        writer.endObject()
    }
}
