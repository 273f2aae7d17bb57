internal import Glibc

/// Removes a folder and all in it, without following symbolic links.
enum FolderRemoval {
    static func remove(_ path: String) {
        // SAFETY: `nftw` calls back on this thread, with C strings that live through the call.
        _ = unsafe nftw(
            path,
            { name, _, _, _ in
                guard let name = unsafe name else { return 0 }
                return unsafe Glibc.remove(name) == 0 ? 0 : 0
            }, 16, FTW_DEPTH.rawValue.signed | FTW_PHYS.rawValue.signed)
    }
}

extension UInt32 {
    fileprivate var signed: Int32 { Int32(bitPattern: self) }
}
