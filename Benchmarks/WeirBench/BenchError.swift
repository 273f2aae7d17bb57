/// Why a figure could not be measured.
enum BenchError: Error, Hashable {
    case usage(String)
    case system(call: String, code: Int32)
    case cannotStart(program: String)
    case notReady(program: String, seconds: Double, log: String)
    case request(path: String, reason: String)
    case answer(path: String, status: Int, body: String)
}

extension BenchError: CustomStringConvertible {
    var description: String {
        switch self {
        case .usage(let reason): reason
        case .system(let call, let code): "\(call): error \(code)"
        case .cannotStart(let program): "cannot start \(program)"
        case .notReady(let program, let seconds, let log):
            "\(program) was not ready within \(seconds) s; its log: \(log)"
        case .request(let path, let reason): "\(path): \(reason)"
        case .answer(let path, let status, let body): "\(path) answered \(status): \(body)"
        }
    }
}
