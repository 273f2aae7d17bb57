internal import WeirCore

/// The 64-bit FNV-1a hash, which Alertmanager's fingerprints are made of.
enum FNV1a {
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    /// The fingerprint of a label set: names and values in order of names, each ended by 0xFF.
    static func fingerprint(_ labels: Labels) -> String {
        var bytes: [UInt8] = []
        let sorted = labels.pairs.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        for (name, value) in sorted {
            bytes += Array(name.utf8) + [0xFF] + Array(value.utf8) + [0xFF]
        }
        let hex = String(hash(bytes), radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }
}
