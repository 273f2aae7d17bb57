internal import WeirCore
package import WeirSystem
internal import WeirYAML

/// Why a configuration cannot be used.
///
/// The text says where the value came from.
package enum ConfigurationError: Error, Hashable {
    case unknownKey(String, place: String, nearest: String?)
    case badValue(key: String, value: String, place: String)
    case missingValue(key: String)
    case unreadable(path: String, reason: String)
    case unexpectedArgument(String)
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownKey(let key, let place, let nearest):
            "\(place): unknown setting \"\(key)\""
                + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
        case .badValue(let key, let value, let place):
            "\(place): \"\(value)\" is no value of \(key)"
        case .missingValue(let key): "--\(key) needs a value"
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .unexpectedArgument(let text): "unexpected argument \"\(text)\""
        }
    }
}

/// Puts a configuration together: flags over environment over `weir.yaml` over defaults.
package enum ConfigurationReader {
    private static let fileBytesMax = 1 << 20

    /// `arguments`: `--name value` and `--name=value`, and `--config FILE`.
    package static func read(
        arguments: [String],
        environment: [String: String],
        fileSystem: any FileSystem = HostFileSystem()
    ) throws(ConfigurationError) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        let flags = try flags(arguments)
        if let path = flags.last(where: { $0.name == "config" })?.value
            ?? environment["WEIR_CONFIG"]
        {
            try apply(file: path, to: &configuration, fileSystem)
        }
        for key in ConfigurationKey.all {
            let variable =
                "WEIR_" + key.name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
            guard let text = environment[variable] else { continue }
            guard key.set(&configuration, text) else {
                throw .badValue(key: key.name, value: text, place: variable)
            }
        }
        for (name, value) in flags where name != "config" {
            try set(name, value, place: "--\(name)", in: &configuration)
        }
        return configuration
    }

    private static func flags(
        _ arguments: [String]
    ) throws(ConfigurationError) -> [(name: String, value: String)] {
        var flags: [(name: String, value: String)] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            guard argument.hasPrefix("--") else { throw .unexpectedArgument(argument) }
            let body = argument.dropFirst(2)
            if let equals = body.firstIndex(of: "=") {
                flags.append((String(body[..<equals]), String(body[body.index(after: equals)...])))
            } else {
                index += 1
                guard index < arguments.count else { throw .missingValue(key: String(body)) }
                flags.append((String(body), arguments[index]))
            }
            index += 1
        }
        return flags
    }

    private static func apply(
        file path: String,
        to configuration: inout ServerConfiguration,
        _ fileSystem: any FileSystem
    ) throws(ConfigurationError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try fileSystem.readFile(path, bytesMax: fileBytesMax)
        } catch {
            throw .unreadable(path: path, reason: error.description)
        }
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLParser.parse(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
        for entry in root.entries ?? [] {
            let place = "\(path):\(entry.line)"
            let value: String
            if let items = entry.value.items {
                value = items.compactMap(\.string).joined(separator: ",")
            } else if let text = entry.value.string {
                value = text
            } else {
                throw .badValue(key: entry.key, value: "", place: place)
            }
            try set(entry.key, value, place: place, in: &configuration)
        }
    }

    private static func set(
        _ name: String,
        _ value: String,
        place: String,
        in configuration: inout ServerConfiguration
    ) throws(ConfigurationError) {
        guard let key = ConfigurationKey.all.first(where: { $0.name == name }) else {
            throw .unknownKey(
                name,
                place: place,
                nearest: EditDistance.nearest(to: name, among: ConfigurationKey.names)
            )
        }
        guard key.set(&configuration, value) else {
            throw .badValue(key: name, value: value, place: place)
        }
    }

    /// The whole configuration as a `weir.yaml`, with what each setting means.
    package static func print(_ configuration: ServerConfiguration) -> String {
        ConfigurationKey.all.map { key in
            var value: [UInt8] = []
            JSONWriter.appendString(key.get(configuration), to: &value)
            return "# \(key.summary)\n\(key.name): \(String(decoding: value, as: UTF8.self))\n"
        }.joined()
    }

    /// One line a setting, for `weir help serve`.
    package static var help: String {
        let defaults = ServerConfiguration()
        return ConfigurationKey.all.map { key in
            let name = "--" + key.name
            let padding = String(repeating: " ", count: max(1, 32 - name.count))
            let value = key.get(defaults)
            return "  \(name)\(padding)\(key.summary)"
                + (value.isEmpty ? "" : " (\(value))")
        }.joined(separator: "\n")
    }
}
