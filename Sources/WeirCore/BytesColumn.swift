/// Many byte strings in one run of bytes, at most 4 GiB together.
package struct BytesColumn: Hashable, Sendable {
    /// Where each string ends in `bytes`; it starts where the one before ends.
    package private(set) var ends: [UInt32] = []
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Strings that lie end to end in `bytes`; nil when the ends do not ascend to its count.
    package init?(ends: [UInt32], bytes: [UInt8]) {
        var previous: UInt32 = 0
        for end in ends {
            guard end >= previous else { return nil }
            previous = end
        }
        guard Int(previous) == bytes.count else { return nil }
        self.ends = ends
        self.bytes = bytes
    }

    @inlinable package var count: Int { ends.count }

    /// Where string `row` lies in `bytes`.
    @inlinable
    package func range(_ row: Int) -> Range<Int> {
        (row == 0 ? 0 : Int(ends[row - 1]))..<Int(ends[row])
    }

    package subscript(row: Int) -> ArraySlice<UInt8> { bytes[range(row)] }

    /// Whether one of the strings is `value`.
    package func holds(_ value: [UInt8]) -> Bool {
        let (bytes, wanted) = (bytes.span, value.span)
        var start = 0
        for end in ends {
            defer { start = Int(end) }
            guard Int(end) - start == wanted.count else { continue }
            var index = 0
            while index < wanted.count, bytes[start + index] == wanted[index] { index += 1 }
            if index == wanted.count { return true }
        }
        return false
    }

    package mutating func append(_ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
        ends.append(UInt32(bytes.count))
    }

    package mutating func append(_ value: Span<UInt8>) {
        let count = value.count
        bytes.append(addingCapacity: count) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, initializedCount in
                unsafe value.withUnsafeBufferPointer { source in
                    guard let to = target.baseAddress, let from = source.baseAddress else { return }
                    // SAFETY: both have room for `count` bytes.
                    unsafe to.update(from: from, count: count)
                    initializedCount = count
                }
            }
        }
        ends.append(UInt32(bytes.count))
    }

    /// Appends strings that lie end to end in `texts`.
    ///
    /// - Returns: False, and nothing is appended, when the lengths do not add up to its count.
    package mutating func append(_ texts: Span<UInt8>, lengths: [Int64]) -> Bool {
        let start = bytes.count
        let count = ends.count
        var end = start
        let limit = start + texts.count
        ends.reserveCapacity(count + lengths.count)
        for length in lengths {
            guard length >= 0, length <= Int64(limit - end) else {
                ends.removeLast(ends.count - count)
                return false
            }
            end += Int(length)
            ends.append(UInt32(end))
        }
        guard end == limit else {
            ends.removeLast(ends.count - count)
            return false
        }
        unsafe texts.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        return true
    }

    /// Appends string `row` of `other`.
    package mutating func append(_ row: Int, of other: BytesColumn) {
        let source = other.bytes
        append(source.span.extracting(other.range(row)))
    }

    /// Appends bytes to the string appended last.
    package mutating func extendLast(_ value: Span<UInt8>) {
        unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        ends[ends.count - 1] = UInt32(bytes.count)
    }

    /// Makes room for so many strings and bytes at once.
    ///
    /// Not for each of many appends: room that is made exactly grows no faster than it is asked for.
    package mutating func reserveCapacity(strings: Int, bytes byteCount: Int) {
        ends.reserveCapacity(strings)
        bytes.reserveCapacity(byteCount)
    }

    /// Appends all strings of `other`.
    package mutating func append(contentsOf other: BytesColumn) {
        let base = UInt32(bytes.count)
        bytes.append(contentsOf: other.bytes)
        for end in other.ends { ends.append(base + end) }
    }

    /// The strings of `other` at `indexes`, in that order.
    package init(gathering indexes: ArraySlice<UInt32>, of other: BytesColumn) {
        let first = indexes.startIndex
        ends.reserveCapacity(indexes.count)
        var total = 0
        for index in indexes {
            total += other.range(Int(index)).count
            ends.append(UInt32(total))
        }
        let (ends, source) = (ends, other.ends)
        bytes.append(addingCapacity: total) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, initializedCount in
                unsafe other.bytes.withUnsafeBufferPointer { bytes in
                    guard let to = target.baseAddress, let from = bytes.baseAddress else { return }
                    var end = 0
                    for place in 0..<indexes.count {
                        let index = Int(indexes[first &+ place])
                        let start = index == 0 ? 0 : Int(source[index &- 1])
                        let count = Int(source[index]) &- start
                        // SAFETY: `ends` of both columns ascend to the counts of their bytes, and
                        // the target has room for the sum of the counts.
                        unsafe (to + end).update(from: from + start, count: count)
                        end = Int(ends[place])
                    }
                    initializedCount = end
                }
            }
        }
    }

    package mutating func removeLast() {
        ends.removeLast()
        bytes.removeLast(bytes.count - Int(ends.last ?? 0))
    }

    package mutating func removeAll() {
        ends.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    package mutating func reserve(count: Int, byteCount: Int) {
        ends.reserveCapacity(count)
        bytes.reserveCapacity(byteCount)
    }
}
