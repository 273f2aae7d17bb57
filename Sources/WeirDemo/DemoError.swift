/// Why the demo cannot go on.
package enum DemoError: Error, Hashable {
    /// The server could not be started, or ended by itself; `log` is the end of what it said.
    case server(reason: String, log: String)
    /// A request was refused or not answered.
    case request(path: String, reason: String)
    case folder(path: String, reason: String)
}

extension DemoError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .server(let reason, let log):
            "the server \(reason)" + (log.isEmpty ? "" : "; it said:\n\(log)")
        case .request(let path, let reason): "\(path): \(reason)"
        case .folder(let path, let reason): "\(path): \(reason)"
        }
    }
}
