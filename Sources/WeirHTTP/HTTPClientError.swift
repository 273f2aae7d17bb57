/// Why there was no answer.
package enum HTTPClientError: Error, Hashable {
    /// No `http` or `https` URL, or one that libcurl cannot read.
    case badURL(String)
    case unreachable(url: String, reason: String)
    case timedOut(url: String, seconds: Double)
    /// `limit` is in bytes, after decoding.
    case bodyTooLarge(url: String, limit: Int)
    /// The body callback or the cancellation said stop.
    case cancelled(url: String)
}
