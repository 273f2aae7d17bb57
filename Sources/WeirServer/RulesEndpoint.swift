internal import WeirAlerts
internal import WeirCore
internal import WeirHTTP
internal import WeirQuery

/// `/api/v1/rules` with Prometheus's parameters, and who is told of alerts.
enum RulesEndpoint {
    static func rules(_ groups: [RuleGroupStatus], _ query: HTTPQuery) -> HTTPResponse {
        do throws(PrometheusRefusal) {
            let page = try page(query)
            guard let body = RulesJSON.rules(groups, try filter(query), page: page) else {
                throw refusal(
                    "group_next_token",
                    "invalid group_next_token '\(page?.token ?? "")'. were rule groups changed?"
                )
            }
            return .json(body)
        } catch {
            return error.answer.response
        }
    }

    /// `/api/v1/alertmanagers`: the addresses that alerts are posted to.
    static func receivers(_ webhooks: [String]) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("activeAlertmanagers")
        writer.beginArray()
        for url in webhooks {
            writer.beginObject()
            writer.member("url", url)
            writer.endObject()
        }
        writer.endArray()
        writer.key("droppedAlertmanagers")
        writer.beginArray()
        writer.endArray()
        writer.endObject()
        return PrometheusAPI.success(data: writer.bytes).response
    }

    private static func filter(_ query: HTTPQuery) throws(PrometheusRefusal) -> RulesJSON.Filter {
        var filter = RulesJSON.Filter()
        switch (query["type"] ?? "").lowercased() {
        case "": break
        case "alert": filter.isAlert = true
        case "record": filter.isAlert = false
        case let type: throw refusal("type", "not supported value \"\(type)\"")
        }
        filter.ruleNames = Set(query.all("rule_name[]"))
        filter.groupNames = Set(query.all("rule_group[]"))
        filter.files = Set(query.all("file[]"))
        filter.matcherSets = try PrometheusAPI.matchers(query.all("match[]"), parameter: nil)
        switch query["exclude_alerts"] ?? "" {
        case "", "0", "f", "F", "false", "FALSE", "False": break
        case "1", "t", "T", "true", "TRUE", "True": filter.showsAlerts = false
        case let text:
            throw refusal(
                "exclude_alerts",
                "error converting exclude_alerts: strconv.ParseBool: parsing \"\(text)\": "
                    + "invalid syntax"
            )
        }
        return filter
    }

    private static func page(_ query: HTTPQuery) throws(PrometheusRefusal) -> RulesJSON.Page? {
        let token = query["group_next_token"].flatMap { $0.isEmpty ? nil : $0 }
        guard let text = query["group_limit"], !text.isEmpty else {
            guard token == nil else {
                throw refusal(
                    "group_next_token",
                    "group_limit needs to be present in order to paginate over the groups"
                )
            }
            return nil
        }
        guard let count = Int(text) else {
            throw refusal(
                "group_limit",
                "group_limit needs to be a valid number: strconv.ParseInt: parsing \"\(text)\": "
                    + "invalid syntax"
            )
        }
        guard count > 0 else {
            throw refusal("group_limit", "group_limit needs to be greater than 0")
        }
        return RulesJSON.Page(groupsMax: count, token: token)
    }

    private static func refusal(_ parameter: String, _ reason: String) -> PrometheusRefusal {
        PrometheusRefusal(
            answer: PrometheusAPI.badData("invalid parameter \"\(parameter)\": \(reason)")
        )
    }
}
