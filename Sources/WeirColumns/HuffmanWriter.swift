internal import CDeflate

/// Writes zlib streams whose blocks have Huffman codes only, and no matches.
///
/// It is what zlib's `Z_HUFFMAN_ONLY` does, for a third of the work: see docs/decisions/008.
/// Format: RFC 1950, RFC 1951 (dynamic codes).
struct HuffmanWriter {
    /// Symbols of a block: what comes after may have another distribution.
    private static let blockBytesMax = 1 << 15
    private static let endOfBlock = 256
    private static let codeBitsMax = 15
    /// The order in which the lengths of the code of code lengths are written.
    private static let lengthOrder: [Int] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    private var counts = [UInt32](repeating: 0, count: 257)
    private var lengths = [UInt8](repeating: 0, count: 257)
    /// A symbol's code, its first bit lowest, and above 16 bits its length.
    private var codes = [UInt32](repeating: 0, count: 257)
    private var tree = CodeLengths()
    private var output: [UInt8] = []
    private var bits: UInt64 = 0
    private var bitCount: UInt64 = 0

    init() {}

    /// Compresses `bytes`.
    ///
    /// - Returns: A zlib stream shorter than `limit` bytes, or nil.
    mutating func compress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        output.removeAll(keepingCapacity: true)
        (bits, bitCount) = (0, 0)
        // 32 KiB of window, which is not used; the check bits make the header a multiple of 31.
        output.append(0x78)
        output.append(0x01)
        var start = 0
        repeat {
            let end = min(bytes.count, start + Self.blockBytesMax)
            writeBlock(bytes.span.extracting(start..<end), isLast: end == bytes.count)
            guard output.count < limit else { return nil }
            start = end
        } while start < bytes.count
        flush()
        let checksum = unsafe bytes.withUnsafeBufferPointer {
            unsafe libdeflate_adler32(1, $0.baseAddress, $0.count)
        }
        for shift in [24, 16, 8, 0] as [UInt32] {
            output.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        return output.count < limit ? output : nil
    }

    private mutating func writeBlock(_ bytes: Span<UInt8>, isLast: Bool) {
        count(bytes)
        tree.assign(counts, bitsMax: Self.codeBitsMax, to: &lengths)
        put(isLast ? 1 : 0, 1)
        guard isWorthCoding(bytes.count) else { return store(bytes) }
        put(2, 2)
        writeLengths()
        makeCodes()
        encode(bytes)
        let end = codes[Self.endOfBlock]
        put(UInt64(end & 0xFFFF), UInt64(end >> 16))
    }

    /// Whether codes save anything; their lengths take some 40 bytes.
    private func isWorthCoding(_ byteCount: Int) -> Bool {
        var codedBits = 0
        for symbol in 0..<256 { codedBits += Int(counts[symbol]) * Int(lengths[symbol]) }
        return codedBits + 8 * 40 < byteCount * 8
    }

    /// Writes a block as it is: at most 65,535 bytes.
    private mutating func store(_ bytes: Span<UInt8>) {
        put(0, 2)
        flush()
        let count = UInt16(truncatingIfNeeded: bytes.count)
        for half in [count, ~count] {
            output.append(UInt8(truncatingIfNeeded: half))
            output.append(UInt8(truncatingIfNeeded: half >> 8))
        }
        // SAFETY: the buffer is copied inside the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
    }

    private mutating func count(_ bytes: Span<UInt8>) {
        // Four tallies, so that equal bytes side by side need not wait for one another.
        var tallies = [UInt32](repeating: 0, count: 1024)
        var tally = tallies.mutableSpan
        var index = 0
        while index &+ 4 <= bytes.count {
            // SAFETY: index + 3 < bytes.count; each place is below 1024.
            unsafe tally[unchecked: Int(bytes[unchecked: index])] &+= 1
            unsafe tally[unchecked: 256 | Int(bytes[unchecked: index &+ 1])] &+= 1
            unsafe tally[unchecked: 512 | Int(bytes[unchecked: index &+ 2])] &+= 1
            unsafe tally[unchecked: 768 | Int(bytes[unchecked: index &+ 3])] &+= 1
            index &+= 4
        }
        while index < bytes.count {
            tally[Int(bytes[index])] &+= 1
            index &+= 1
        }
        for symbol in 0..<256 {
            counts[symbol] =
                tallies[symbol] &+ tallies[256 | symbol] &+ tallies[512 | symbol]
                &+ tallies[768 | symbol]
        }
        counts[Self.endOfBlock] = 1
    }

    /// Writes how long each symbol's code is: lengths, runs of equal ones and of zeros, themselves
    /// in Huffman codes.
    private mutating func writeLengths() {
        // One distance code, of one bit, that is never used: some readers want one.
        let all = lengths + [1]
        var runs: [(symbol: Int, extra: UInt64, extraBits: UInt64)] = []
        var index = 0
        while index < all.count {
            let length = all[index]
            var end = index + 1
            while end < all.count, all[end] == length { end += 1 }
            var count = end - index
            index = end
            if length == 0 {
                while count >= 11 {
                    let taken = min(count, 138)
                    runs.append((18, UInt64(taken - 11), 7))
                    count -= taken
                }
                if count >= 3 {
                    runs.append((17, UInt64(count - 3), 3))
                    count = 0
                }
            } else {
                runs.append((Int(length), 0, 0))
                count -= 1
                while count >= 3 {
                    let taken = min(count, 6)
                    runs.append((16, UInt64(taken - 3), 2))
                    count -= taken
                }
            }
            for _ in 0..<count { runs.append((Int(length), 0, 0)) }
        }
        var runCounts = [UInt32](repeating: 0, count: 19)
        for run in runs { runCounts[run.symbol] += 1 }
        var runLengths = [UInt8](repeating: 0, count: 19)
        tree.assign(runCounts, bitsMax: 7, to: &runLengths)
        let runCodes = Self.codes(runLengths)
        var written = 19
        while written > 4, runLengths[Self.lengthOrder[written - 1]] == 0 { written -= 1 }
        put(0, 5)
        put(0, 5)
        put(UInt64(written - 4), 4)
        for symbol in Self.lengthOrder[..<written] { put(UInt64(runLengths[symbol]), 3) }
        for run in runs {
            let code = runCodes[run.symbol]
            put(UInt64(code & 0xFFFF), UInt64(code >> 16))
            put(run.extra, run.extraBits)
        }
    }

    private mutating func makeCodes() { codes = Self.codes(lengths) }

    /// Canonical codes of these lengths, their first bit lowest.
    private static func codes(_ lengths: [UInt8]) -> [UInt32] {
        var counts = [UInt32](repeating: 0, count: codeBitsMax + 2)
        for length in lengths where length > 0 { counts[Int(length)] += 1 }
        var next = [UInt32](repeating: 0, count: codeBitsMax + 2)
        var code: UInt32 = 0
        for length in 1...codeBitsMax {
            code = (code + counts[length - 1]) << 1
            next[length] = code
        }
        return lengths.map { length in
            guard length > 0 else { return 0 }
            let code = next[Int(length)]
            next[Int(length)] += 1
            var reversed: UInt32 = 0
            for bit in 0..<UInt32(length) {
                reversed |= (code >> bit & 1) << (UInt32(length) - 1 - bit)
            }
            return reversed | UInt32(length) << 16
        }
    }

    private mutating func encode(_ bytes: Span<UInt8>) {
        // At most 15 bits a byte.
        let capacity = bytes.count * 2 + 16
        var (bits, bitCount) = (bits, bitCount)
        let codes = codes
        let table = codes.span
        output.append(addingCapacity: capacity) { free in
            for index in 0..<bytes.count {
                // SAFETY: index < bytes.count; a byte is below 257.
                let code = unsafe table[unchecked: Int(bytes[unchecked: index])]
                bits |= UInt64(code & 0xFFFF) &<< bitCount
                bitCount &+= UInt64(code &>> 16)
                if bitCount >= 32 {
                    free.append(UInt8(truncatingIfNeeded: bits))
                    free.append(UInt8(truncatingIfNeeded: bits &>> 8))
                    free.append(UInt8(truncatingIfNeeded: bits &>> 16))
                    free.append(UInt8(truncatingIfNeeded: bits &>> 24))
                    bits &>>= 32
                    bitCount &-= 32
                }
            }
        }
        (self.bits, self.bitCount) = (bits, bitCount)
    }

    /// Writes at most 16 bits, the lowest first.
    private mutating func put(_ value: UInt64, _ count: UInt64) {
        bits |= value &<< bitCount
        bitCount &+= count
        while bitCount >= 8 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits &>>= 8
            bitCount &-= 8
        }
    }

    private mutating func flush() {
        if bitCount > 0 { output.append(UInt8(truncatingIfNeeded: bits)) }
        (bits, bitCount) = (0, 0)
    }
}

/// Finds the lengths of Huffman codes.
private struct CodeLengths {
    private var leaves: [UInt64] = []
    private var weights: [UInt32] = []
    private var parents: [Int32] = []
    private var depths: [UInt8] = []

    /// Gives each symbol that occurs a code length of at most `bitsMax`, and the others 0.
    ///
    /// One symbol alone gets a code of one bit.
    mutating func assign(_ counts: [UInt32], bitsMax: Int, to lengths: inout [UInt8]) {
        leaves.removeAll(keepingCapacity: true)
        for (symbol, count) in counts.enumerated() {
            lengths[symbol] = 0
            if count > 0 { leaves.append(UInt64(count) << 16 | UInt64(symbol)) }
        }
        guard leaves.count > 1 else {
            for leaf in leaves { lengths[Int(leaf & 0xFFFF)] = 1 }
            return
        }
        leaves.sort()
        join()
        // How many codes have each length; those that are too long come up to the limit.
        var lengthCounts = [Int](repeating: 0, count: bitsMax + 1)
        for leaf in leaves.indices { lengthCounts[min(Int(depths[leaf]), bitsMax)] += 1 }
        var excess = -(1 << bitsMax)
        for length in 1...bitsMax { excess += lengthCounts[length] << (bitsMax - length) }
        // Too many codes: a shorter one is made longer until they fit.
        while excess > 0 {
            var length = bitsMax - 1
            while lengthCounts[length] == 0 { length -= 1 }
            lengthCounts[length] -= 1
            lengthCounts[length + 1] += 1
            excess -= 1 << (bitsMax - length - 1)
        }
        // Too few: readers refuse codes that leave bits without a meaning.
        while excess < 0, lengthCounts[bitsMax] > 0 {
            lengthCounts[bitsMax] -= 1
            lengthCounts[bitsMax - 1] += 1
            excess += 1
        }
        // The rarest symbols get the longest codes.
        var next = 0
        for length in stride(from: bitsMax, through: 1, by: -1) {
            for _ in 0..<lengthCounts[length] {
                lengths[Int(leaves[next] & 0xFFFF)] = UInt8(length)
                next += 1
            }
        }
    }

    /// Joins the two lightest of leaves and nodes again and again, and notes how deep each lies.
    private mutating func join() {
        let leafCount = leaves.count
        let nodeCount = leafCount * 2 - 1
        weights.removeAll(keepingCapacity: true)
        for leaf in leaves { weights.append(UInt32(truncatingIfNeeded: leaf >> 16)) }
        parents = [Int32](repeating: 0, count: nodeCount)
        var (leaf, node) = (0, leafCount)
        func lightest() -> Int {
            if node == weights.count || (leaf < leafCount && weights[leaf] <= weights[node]) {
                leaf += 1
                return leaf - 1
            }
            node += 1
            return node - 1
        }
        while weights.count < nodeCount {
            let first = lightest()
            let second = lightest()
            parents[first] = Int32(weights.count)
            parents[second] = Int32(weights.count)
            weights.append(weights[first] &+ weights[second])
        }
        depths = [UInt8](repeating: 0, count: nodeCount)
        for place in stride(from: nodeCount - 2, through: 0, by: -1) {
            depths[place] = min(depths[Int(parents[place])], 254) + 1
        }
    }
}
