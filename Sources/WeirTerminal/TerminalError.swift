/// Why a terminal could not be used.
package enum TerminalError: Error, Hashable {
    /// There is no terminal: input or output is a file or a pipe.
    case notATerminal
    case system(call: String, errno: Int32)
    /// Another part of this process holds the terminal.
    case inUse
}
