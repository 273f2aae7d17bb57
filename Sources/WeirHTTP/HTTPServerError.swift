/// Why a server does not start.
package enum HTTPServerError: Error, Hashable {
    /// Not of the form `host:port`.
    case badAddress(String)
    /// `reason` is the system's: in use, not permitted, no such address.
    case cannotListen(address: String, reason: String)
    /// A certificate without a key, or the other way round, or not PEM.
    case badTLS(reason: String)
    /// The daemon did not start: no threads or descriptors left, or GnuTLS refused the key pair.
    case cannotStart(reason: String)
}
