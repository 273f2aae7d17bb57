internal import WeirTerminal

/// Checks dashboard files beyond what loading them does.
package enum DashboardLinter {
    /// One thing to tell about a file.
    package struct Finding: Hashable, Sendable {
        package enum Severity: String, Sendable {
            case error
            case warning
        }

        package let path: String
        package let line: Int?
        package let severity: Severity
        package let text: String

        /// As compilers write it: `path:line: severity: text`.
        package var description: String {
            let place = line.map { "\(path):\($0)" } ?? path
            return "\(place): \(severity.rawValue): \(text)"
        }
    }

    /// Checks one text.
    package static func lint(_ text: String, path: String) -> [Finding] {
        let dashboard: Dashboard
        do throws(DashboardError) {
            dashboard = try DashboardLoader.load(text, name: path)
        } catch {
            return [Finding(path: path, line: error.line, severity: .error, text: error.text)]
        }
        return warnings(dashboard).map {
            Finding(path: path, line: nil, severity: .warning, text: $0)
        }
    }

    /// Checks a file, or every dashboard of a folder.
    package static func lint(path: String) -> [Finding] {
        if let library = try? DashboardLibrary(folder: path) {
            guard !library.entries.isEmpty else {
                return [
                    Finding(
                        path: path,
                        line: nil,
                        severity: .error,
                        text: "no dashboard (*.yaml) in this folder"
                    )
                ]
            }
            return library.entries.flatMap { lint(file: $0.path) }
        }
        return lint(file: path)
    }

    private static func lint(file: String) -> [Finding] {
        do throws(DashboardError) {
            return lint(try DashboardLibrary.text(file), path: file)
        } catch {
            return [Finding(path: file, line: nil, severity: .error, text: error.text)]
        }
    }

    private static func warnings(_ dashboard: Dashboard) -> [String] {
        var warnings: [String] = []
        let queries = dashboard.panels.flatMap { $0.queries.map { $0.expression } }
        var used = Set(queries.flatMap { TemplateText.names(in: $0) })
        for variable in dashboard.variables {
            if case .labelValues(_, let match?) = variable.source {
                used.formUnion(TemplateText.names(in: match))
            }
        }
        for variable in dashboard.variables where !used.contains(variable.name) {
            warnings.append("variable `\(variable.name)` is not used")
        }
        for variable in dashboard.variables where variable.hasAll {
            for query in queries {
                for form in ["=\"$\(variable.name)\"", "=\"${\(variable.name)}\""]
                where query.contains(form) {
                    warnings.append(
                        "`$\(variable.name)` may stand for all values: use `=~` in \(query)"
                    )
                }
            }
        }
        var titles: Set<String> = []
        for panel in dashboard.panels where !titles.insert(panel.title).inserted {
            warnings.append("two panels are called `\(panel.title)`")
        }
        for panel in dashboard.panels {
            let values = panel.thresholds.map { $0.value }
            if values != values.sorted() {
                warnings.append("thresholds of `\(panel.title)` are not in ascending order")
            }
            if !panel.asksForRange, panel.reduction != .last {
                warnings.append("`reduce` of `\(panel.title)` has no effect on this kind")
            }
        }
        return warnings
    }
}
