internal import Glibc
internal import Synchronization

/// Where other threads leave messages for the one that draws.
///
/// Its descriptor becomes readable, so that one `poll` waits for it and for the terminal.
package final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    /// Readable when there is something to take.
    package let descriptor: Int32
    private let writeDescriptor: Int32

    package init() throws(TerminalError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .system(call: "pipe", errno: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        writeDescriptor = ends[1]
    }

    deinit {
        close(descriptor)
        close(writeDescriptor)
    }

    /// Leaves a message.
    ///
    /// From any thread.
    package func post(_ message: Message) {
        let isFirst = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        guard isFirst else { return }
        var byte: UInt8 = 1
        // SAFETY: `write` reads one byte. A full pipe already wakes the reader.
        _ = unsafe write(writeDescriptor, &byte, 1)
    }

    /// Takes all there is, in the order it came.
    package func takeAll() -> [Message] {
        var bytes = [UInt8](repeating: 0, count: 64)
        // SAFETY: `read` writes at most the buffer's count of bytes.
        _ = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe read(descriptor, buffer.baseAddress, buffer.count)
        }
        return messages.withLock { messages in
            let taken = messages
            messages = []
            return taken
        }
    }
}
