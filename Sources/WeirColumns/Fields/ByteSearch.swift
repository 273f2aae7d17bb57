internal import CGlibc

/// Finds bytes in bytes.
package enum ByteSearch {
    /// The first place of `needle` in `bytes`, or nil; 0 for an empty needle.
    package static func firstIndex(of needle: Span<UInt8>, in bytes: Span<UInt8>) -> Int? {
        guard needle.count > 0 else { return 0 }
        guard needle.count <= bytes.count else { return nil }
        return unsafe bytes.withUnsafeBufferPointer { haystack in
            unsafe needle.withUnsafeBufferPointer { needle -> Int? in
                guard let start = haystack.baseAddress, let wanted = needle.baseAddress else {
                    return nil
                }
                // SAFETY: memmem reads within both counts and returns a place in `haystack`.
                guard let found = unsafe memmem(start, haystack.count, wanted, needle.count) else {
                    return nil
                }
                return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(start)
            }
        }
    }
}
