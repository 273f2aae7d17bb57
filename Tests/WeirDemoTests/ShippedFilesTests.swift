import Testing
import WeirAlerts
import WeirDemo
import WeirQuery
import WeirSystem
import WeirTUI

@Suite struct ShippedFilesTests {
    /// The package's folder, from where this file is.
    private static let package = #filePath.split(separator: "/").dropLast(3)
        .reduce("") { $0 + "/" + $1 }

    /// Two moments of the shop, so that names can be looked up in it.
    private static let shopNames: Set<String> = {
        let shop = ShopSimulator(seed: 1, startSeconds: 1000, anchorSeconds: 1000)
        var bytes: [UInt8] = []
        shop.appendLines(to: &bytes)
        var names: Set<String> = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let measurement = parts[0].split(separator: ",").first else {
                continue
            }
            for field in parts[1].split(separator: ",") {
                names.insert("\(measurement)_\(field.prefix { $0 != "=" })")
            }
        }
        return names
    }()

    private static func checkLogQL(_ expression: String) -> String? {
        do throws(QueryError) {
            _ = try LogQL.parse(expression)
            return nil
        } catch {
            return error.logQLMessage(query: expression)
        }
    }

    private static func check(_ expression: String) -> String? {
        do throws(QueryError) {
            try PromQL.check(expression)
            return nil
        } catch {
            return error.message(query: expression)
        }
    }

    /// Words of an expression that are names of the shop's measurements but of no series.
    private static func unknownNames(_ expression: String) -> [String] {
        let measurements = ["http", "queue", "cache", "db", "node", "shop", "service"]
        // Strings hold label values, braces hold labels.
        var outside = ""
        var depth = 0
        for character in expression {
            if "{[".contains(character) { depth += 1 }
            if depth == 0 { outside.append(character) }
            if "}]".contains(character) { depth -= 1 }
        }
        let words = outside.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
        return words.map(String.init).filter { word in
            measurements.contains { word.hasPrefix($0 + "_") } && !shopNames.contains(word)
        }
    }

    @Test func dashboardsLintWithoutAFinding() throws {
        let folder = Self.package + "/dashboards"
        let library = try DashboardLibrary(folder: folder)
        #expect(
            library.entries.map(\.name) == [
                "hosts", "latency", "logs", "queues-and-caches", "shop", "traces", "weir",
            ]
        )
        let findings = DashboardLinter.lint(path: folder)
        #expect(findings.map(\.description) == [])
    }

    @Test func queriesOfDashboardsParseAndAskForSeriesThatAreThere() throws {
        let library = try DashboardLibrary(folder: Self.package + "/dashboards")
        for dashboard in library.entries.compactMap(\.dashboard) {
            let scope = QueryScope(
                from: 0,
                to: 3_600_000,
                now: 3_600_000,
                intervalMilliseconds: dashboard.intervalMilliseconds,
                variables: dashboard.variables.map {
                    QueryScope.VariableValue(name: $0.name, value: ".*", isPattern: true)
                }
            )
            for panel in dashboard.panels {
                for query in panel.queries {
                    let text = scope.expand(query.expression, stepMilliseconds: 30_000)
                    if query.language == .traceql { continue }
                    guard query.language == .promql else {
                        #expect(Self.checkLogQL(text) == nil, "\(dashboard.name), \(panel.title)")
                        continue
                    }
                    #expect(Self.check(text) == nil, "\(dashboard.name), \(panel.title)")
                    #expect(Self.unknownNames(text) == [], "\(dashboard.name), \(panel.title)")
                }
            }
        }
    }

    @Test func dashboardsFitAScreenOf120By40() throws {
        let library = try DashboardLibrary(folder: Self.package + "/dashboards")
        for dashboard in library.entries.compactMap(\.dashboard) {
            let height = DashboardLayout(dashboard, width: 120).height
            #expect(height <= 36, "\(dashboard.name)")
        }
    }

    @Test(arguments: ["logs", "shop", "traces", "weir"])
    func rulesAreSound(_ name: String) throws {
        let path = Self.package + "/rules/\(name).yaml"
        let bytes = try HostFileSystem().readFile(path, bytesMax: 1 << 20)
        let file = try RuleFile(text: String(decoding: bytes, as: UTF8.self), path: path)
        let rules = file.groups.flatMap { group in group.rules.map { (group.language, $0) } }
        #expect(!rules.isEmpty)
        for (language, rule) in rules {
            if language == .logql {
                #expect(Self.checkLogQL(rule.expression) == nil, "\(rule.name)")
            } else {
                #expect(Self.check(rule.expression) == nil, "\(rule.name)")
                #expect(Self.unknownNames(rule.expression) == [], "\(rule.name)")
            }
            guard rule.isAlert else { continue }
            #expect(rule.annotations.contains { $0.name == "summary" }, "\(rule.name)")
            #expect(rule.labels.contains { $0.name == "severity" }, "\(rule.name)")
        }
    }

    @Test func oneGroupOfTheShopRunsOnASchedule() throws {
        let path = Self.package + "/rules/shop.yaml"
        let bytes = try HostFileSystem().readFile(path, bytesMax: 1 << 20)
        let file = try RuleFile(text: String(decoding: bytes, as: UTF8.self), path: path)
        #expect(file.groups.contains { $0.schedule != nil })
    }
}
