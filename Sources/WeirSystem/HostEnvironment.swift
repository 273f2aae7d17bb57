internal import Glibc

/// The process's environment.
package enum HostEnvironment {
    /// - Returns: Nil for a variable that is not set.
    package static func value(_ name: String) -> String? {
        // SAFETY: nothing here changes the environment, so the text stays while it is copied.
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }
}
