internal import WeirCore

/// Finds what serves a method and a path: `GET /api/v1/label/{name}/values`.
///
/// `{name}` stands for one segment; `{rest...}`, only at the end, for all that follow. A path
/// without parameters wins over one with. `HEAD` is served by `GET`'s route.
package struct Router<Route: Sendable>: Sendable {
    /// What a lookup found.
    package enum Match: Sendable {
        case found(Route, parameters: [String: String])
        /// The path is known, the method is not; `allowed` is for the `Allow` header.
        case wrongMethod(allowed: String)
        /// `nearest` is the known path most like it, if any is.
        case notFound(nearest: String?)
    }

    private struct Entry: Sendable {
        let pattern: String
        let segments: [Substring]
        var routes: [(method: String, route: Route)]
    }

    /// Entries without parameters, by path.
    private var fixed: [String: Int] = [:]
    private var entries: [Entry] = []
    private var parameterised: [Int] = []

    package init() {}

    /// Adds a route.
    ///
    /// Of two with the same method and pattern the last counts.
    package mutating func add(_ methods: String..., at pattern: String, _ route: Route) {
        let index: Int
        if let known = entries.firstIndex(where: { $0.pattern == pattern }) {
            index = known
        } else {
            index = entries.count
            entries.append(
                Entry(pattern: pattern, segments: Self.segments(pattern), routes: [])
            )
            if pattern.contains("{") {
                parameterised.append(index)
            } else {
                fixed[pattern] = index
            }
        }
        for method in methods {
            entries[index].routes.removeAll { $0.method == method }
            entries[index].routes.append((method, route))
        }
    }

    /// All patterns, in the order they were added.
    package var patterns: [String] { entries.map(\.pattern) }

    /// Finds the route of a decoded path.
    ///
    /// `segments`: Those of the path, where it had escaped slashes in it; nil: as they are cut.
    package func match(
        method: String,
        path: String,
        segments: @autoclosure () -> [String]? = nil
    ) -> Match {
        guard let (entry, parameters) = find(path, segments) else {
            return .notFound(nearest: nearest(to: path))
        }
        let wanted =
            method == "HEAD" && !entry.routes.contains { $0.method == "HEAD" }
            ? "GET" : method
        if let found = entry.routes.first(where: { $0.method == wanted }) {
            return .found(found.route, parameters: parameters)
        }
        var allowed = entry.routes.map(\.method)
        if allowed.contains("GET"), !allowed.contains("HEAD") { allowed.append("HEAD") }
        if !allowed.contains("OPTIONS") { allowed.append("OPTIONS") }
        return .wrongMethod(allowed: allowed.joined(separator: ", "))
    }

    /// The answer where there is no route: 404 with the nearest path, 405 with `Allow`, or 204
    /// with `Allow` for OPTIONS; nil where there is one.
    package func refusal(
        method: String,
        path: String,
        segments: @autoclosure () -> [String]? = nil
    ) -> HTTPResponse? {
        switch match(method: method, path: path, segments: segments()) {
        case .found: return nil
        case .wrongMethod(let allowed):
            if method == "OPTIONS" { return .empty(204).adding("Allow", allowed) }
            return HTTPResponse.error(
                405,
                error: "method_not_allowed",
                reason: "\(method) is not served at \(path)",
                hint: "use \(allowed)"
            )
            .adding("Allow", allowed)
        case .notFound(let nearest):
            return .error(
                404,
                error: "not_found",
                reason: "nothing is served at \(path)",
                hint: nearest.map { "did you mean \($0)?" } ?? "see docs/api.md for what is served"
            )
        }
    }

    private func find(
        _ path: String,
        _ cut: () -> [String]?
    ) -> (Entry, [String: String])? {
        if let index = fixed[path] { return (entries[index], [:]) }
        if path.count > 1, path.hasSuffix("/"), let index = fixed[String(path.dropLast())] {
            return (entries[index], [:])
        }
        guard !parameterised.isEmpty else { return nil }
        let segments = cut()?.map { $0[...] } ?? Self.segments(path)
        for index in parameterised {
            if let parameters = Self.bind(entries[index].segments, to: segments) {
                return (entries[index], parameters)
            }
        }
        return nil
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: true)
    }

    private static func bind(
        _ pattern: [Substring],
        to segments: [Substring]
    ) -> [String: String]? {
        var parameters: [String: String] = [:]
        for (index, part) in pattern.enumerated() {
            guard part.hasPrefix("{"), part.hasSuffix("}") else {
                guard index < segments.count, segments[index] == part else { return nil }
                continue
            }
            let name = part.dropFirst().dropLast()
            if name.hasSuffix("...") {
                parameters[String(name.dropLast(3))] =
                    segments[min(index, segments.count)...].joined(separator: "/")
                return parameters
            }
            guard index < segments.count else { return nil }
            parameters[String(name)] = String(segments[index])
        }
        return pattern.count == segments.count ? parameters : nil
    }

    /// The pattern least unlike `path`, when it is not too unlike.
    private func nearest(to path: String) -> String? {
        let path = path.count > 200 ? String(path.prefix(200)) : path
        let scored = entries.map { entry in
            // A parameter may be anything, so its name must not count.
            let fixed = entry.segments.map { $0.hasPrefix("{") ? "" : $0 }.joined(separator: "/")
            return (entry.pattern, EditDistance.between(path, "/" + fixed))
        }
        guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(3, path.count / 3) else {
            return nil
        }
        return best.0
    }
}
