/// How a request's body is packed on its way.
enum BodyEncoding: String, Hashable, Sendable {
    case identity
    case gzip
    case deflate

    /// Reads a `Content-Encoding`; nil for one that is not known.
    init?(header: String?) {
        switch header?.lowercased().filter({ !$0.isWhitespace }) {
        case nil, "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default: return nil
        }
    }
}
