/// Where the store tells of what an operator should know.
///
/// May be called from any thread.
package typealias StoreLog = @Sendable (_ message: String) -> Void
