internal import Glibc
internal import WeirSystem

/// Removes a folder and all in it.
enum FolderRemoval {
    /// What cannot be removed stays; the folder is a temporary one.
    static func remove(_ path: String) {
        let fileSystem = HostFileSystem()
        for name in (try? fileSystem.list(path)) ?? [] {
            let entry = path + "/" + name
            // A symbolic link is unlinked, never followed.
            if unsafe unlink(entry) != 0 { remove(entry) }
        }
        unsafe rmdir(path)
    }
}
