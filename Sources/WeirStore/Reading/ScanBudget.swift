/// What a reader is charged, and may be stopped by.
///
/// Called from several threads.
package protocol ScanBudget: Sendable {
    /// Called before rows are decoded.
    ///
    /// - Returns: False to stop: the scan then throws `StoreError.budget`.
    func charge(rows: Int, blocks: Int, bytes: Int) -> Bool
    /// Asks for memory for what helps to read, and can be done without; given back with `release`.
    ///
    /// - Returns: False when there is none; that is no reason to stop.
    func reserveSpare(bytes: Int) -> Bool
    /// Asks for memory that reading cannot do without; given back with `release`.
    ///
    /// - Returns: False to stop.
    func reserve(bytes: Int) -> Bool
    func release(bytes: Int)
    /// A segment could not be read; the answer goes on without it.
    func noteQuarantined(path: String)
}

extension ScanBudget {
    package func reserve(bytes: Int) -> Bool { reserveSpare(bytes: bytes) }
}

/// Of what the store reads for itself.
struct OwnBudget: ScanBudget {
    func charge(rows: Int, blocks: Int, bytes: Int) -> Bool { true }
    func reserveSpare(bytes: Int) -> Bool { true }
    func release(bytes: Int) {}
    func noteQuarantined(path: String) {}
}
