internal import CGlibc

/// The C allocator's habits, which decide how much memory a process seems to use.
package enum Allocator {
    /// Keeps large buffers of a busy server from being mapped and zeroed anew each time, and bounds
    /// the arenas that threads spread over.
    ///
    /// Call before threads start.
    package static func tune() {
        mallopt(M_ARENA_MAX, 4)
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 32 << 20)
    }

    /// Gives memory that is free back to the system: after a burst of work.
    package static func trim() { malloc_trim(0) }
}
