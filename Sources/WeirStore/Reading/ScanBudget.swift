/// What a reader is charged, and may be stopped by.
///
/// Called from several threads.
package protocol ScanBudget: Sendable {
    /// Called before rows are decoded.
    ///
    /// - Returns: False to stop: the scan then throws `StoreError.budget`.
    func charge(rows: Int, blocks: Int, bytes: Int) -> Bool
    /// A segment could not be read; the answer goes on without it.
    func noteQuarantined(path: String)
}
