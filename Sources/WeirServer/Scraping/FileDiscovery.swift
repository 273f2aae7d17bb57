internal import WeirCore
internal import WeirSystem
internal import WeirYAML

/// Reads the target files of `file_sd_configs`, and remembers what they held when one cannot be read.
struct FileDiscovery {
    static let fileBytesMax = 8 << 20
    static let pathLabel = "__meta_filepath"

    private struct Known {
        var bytes: [UInt8]
        var groups: [ScrapeJob.TargetGroup]
    }

    private let fileSystem: any FileSystem
    private var known: [String: Known] = [:]
    /// Problems since they were last taken.
    private(set) var problems: [String] = []

    init(fileSystem: any FileSystem = HostFileSystem()) { self.fileSystem = fileSystem }

    mutating func takeProblems() -> [String] {
        defer { problems = [] }
        return problems
    }

    /// Whether Prometheus would take this as a file's name: one `*` at most, in its last part.
    static func isUsable(_ pattern: String) -> Bool {
        let name = pattern.lowercased()
        guard [".json", ".yml", ".yaml"].contains(where: { name.hasSuffix($0) }) else {
            return false
        }
        guard let star = pattern.firstIndex(of: "*") else { return true }
        let rest = pattern[pattern.index(after: star)...]
        return !rest.contains("*") && !rest.contains("/")
    }

    /// The groups in all files that `patterns` name.
    ///
    /// A file that cannot be read, or is no list of groups, stands for what it held before.
    mutating func groups(_ patterns: [String]) -> [ScrapeJob.TargetGroup] {
        var groups: [ScrapeJob.TargetGroup] = []
        var seen: Set<String> = []
        for path in patterns.flatMap(files) where seen.insert(path).inserted {
            groups += read(path)
        }
        return groups
    }

    private func files(_ pattern: String) -> [String] {
        guard let star = pattern.firstIndex(of: "*") else {
            return fileSystem.exists(pattern) ? [pattern] : []
        }
        let start = pattern.lastIndex(of: "/").map { pattern.index(after: $0) }
        let folder = pattern[..<(start ?? pattern.startIndex)]
        let prefix = pattern[(start ?? pattern.startIndex)..<star]
        let suffix = pattern[pattern.index(after: star)...]
        let names = (try? fileSystem.list(folder.isEmpty ? "." : String(folder))) ?? []
        return names.filter {
            $0.utf8.count >= prefix.utf8.count + suffix.utf8.count && $0.hasPrefix(prefix)
                && $0.hasSuffix(suffix)
        }.map { folder + $0 }
    }

    private mutating func read(_ path: String) -> [ScrapeJob.TargetGroup] {
        let before = known[path]
        do throws(FileError) {
            let bytes = try fileSystem.readFile(path, bytesMax: Self.fileBytesMax)
            if let before, before.bytes == bytes { return before.groups }
            // A bad text is told of once.
            known[path] = Known(bytes: bytes, groups: before?.groups ?? [])
            do throws(ScrapeConfigurationError) {
                let groups = try Self.parse(bytes, path: path)
                known[path]?.groups = groups
                return groups
            } catch {
                problems.append(error.description)
            }
        } catch {
            problems.append(error.description)
        }
        return known[path]?.groups ?? []
    }

    static func parse(
        _ bytes: [UInt8],
        path: String
    ) throws(ScrapeConfigurationError) -> [ScrapeJob.TargetGroup] {
        path.lowercased().hasSuffix(".json")
            ? try parseJSON(bytes, path: path) : try parseYAML(bytes, path: path)
    }

    private static func parseYAML(
        _ bytes: [UInt8],
        path: String
    ) throws(ScrapeConfigurationError) -> [ScrapeJob.TargetGroup] {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLParser.parse(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw ScrapeConfigurationError(path: path, line: 0, reason: "\(error)")
        }
        guard let items = root.items else {
            if root.string == nil, root.entries == nil { return [] }
            throw ScrapeConfigurationError(path: path, line: root.line, reason: "no list of groups")
        }
        var groups: [ScrapeJob.TargetGroup] = []
        var warnings: [String] = []
        for item in items {
            let section = try ScrapeSection(
                item,
                path: path,
                name: "a group",
                served: ["targets", "labels"],
                warnings: &warnings
            )
            groups.append(
                group(try section.texts("targets"), try section.pairs("labels"), path)
            )
        }
        return groups
    }

    private static func parseJSON(
        _ bytes: [UInt8],
        path: String
    ) throws(ScrapeConfigurationError) -> [ScrapeJob.TargetGroup] {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONParser.parse(bytes)
        } catch {
            throw ScrapeConfigurationError(path: path, line: 0, reason: "\(error)")
        }
        guard let items = root.array else {
            throw ScrapeConfigurationError(path: path, line: 0, reason: "no list of groups")
        }
        var groups: [ScrapeJob.TargetGroup] = []
        for item in items {
            for member in item.members ?? [] where !["targets", "labels"].contains(member.key) {
                throw ScrapeConfigurationError(
                    path: path,
                    line: 0,
                    reason: "unknown key \"\(member.key)\" in a group"
                )
            }
            let addresses = (item["targets"]?.array ?? []).map(\.string)
            let labels = (item["labels"]?.members ?? []).map {
                (name: $0.key, value: $0.value.string)
            }
            guard item.members != nil, !addresses.contains(nil),
                !labels.contains(where: { $0.value == nil })
            else {
                throw ScrapeConfigurationError(
                    path: path,
                    line: 0,
                    reason: "a group has texts as targets and labels alone"
                )
            }
            groups.append(
                group(addresses.compactMap(\.self), labels.map { ($0.name, $0.value ?? "") }, path)
            )
        }
        return groups
    }

    private static func group(
        _ addresses: [String],
        _ labels: [(name: String, value: String)],
        _ path: String
    ) -> ScrapeJob.TargetGroup {
        var all = Dictionary(labels.map { ($0.name, $0.value) }) { $1 }
        all[pathLabel] = path
        return ScrapeJob.TargetGroup(addresses: addresses, labels: all)
    }
}
