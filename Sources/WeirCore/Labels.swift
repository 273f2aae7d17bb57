internal import Glibc

/// A set of label pairs in canonical form: the identity of one stream.
///
/// Held as one run of bytes, so that hashing, comparing and storing need no decoding: for each
/// pair, in ascending byte order of name, `varint(name length) name varint(value length) value`.
/// The metric name `__name__` is written with an empty name, which makes it shortest and first:
/// every stream of one metric shares a byte prefix. Pairs with an empty value do not exist, as in
/// Prometheus. Layout: docs/format/labels.md, version 1.
package struct Labels: Hashable, Sendable {
    /// The canonical bytes.
    package let bytes: [UInt8]

    package static let metricNameLabel = "__name__"
    /// The most bytes that journal and segments hold of one set: whoever takes labels in refuses more.
    package static let bytesMax = 64 << 10
    package static let empty = Labels(trusted: [])

    /// Wraps bytes that are known to be canonical: they came from another `Labels`.
    package init(trusted bytes: [UInt8]) { self.bytes = bytes }

    /// Builds the canonical form.
    ///
    /// Of pairs with the same name the last wins; empty values vanish.
    package init(_ pairs: some Sequence<(String, String)>) {
        var byName: [String: String] = [:]
        for (name, value) in pairs { byName[name] = value }
        self.init(unique: byName)
    }

    /// Puts a metric name before the canonical bytes of labels that have none.
    package init(metricName name: String, before labels: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.utf8.count + labels.count + 4)
        Self.append(name: "", value: name, to: &bytes)
        bytes.append(contentsOf: labels)
        self.bytes = bytes
    }

    package init(_ pairs: KeyValuePairs<String, String>) {
        self.init(pairs.map { ($0.key, $0.value) })
    }

    private init(unique byName: [String: String]) {
        var pairs: [(name: String, value: String)] = []
        pairs.reserveCapacity(byName.count)
        for (name, value) in byName where !value.isEmpty {
            pairs.append((name == Self.metricNameLabel ? "" : name, value))
        }
        pairs.sort { Self.bytesPrecede($0.name, $1.name) }
        var bytes: [UInt8] = []
        for pair in pairs { Self.append(name: pair.name, value: pair.value, to: &bytes) }
        self.bytes = bytes
    }

    private static func bytesPrecede(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func append(name: String, value: String, to bytes: inout [UInt8]) {
        UInt64(name.utf8.count).appendVarint(to: &bytes)
        bytes.append(contentsOf: name.utf8)
        UInt64(value.utf8.count).appendVarint(to: &bytes)
        bytes.append(contentsOf: value.utf8)
    }

    /// All bytes at once: the default compares them one by one.
    package static func == (left: Labels, right: Labels) -> Bool {
        let count = left.bytes.count
        guard count == right.bytes.count else { return false }
        // SAFETY: both buffers hold `count` bytes.
        return unsafe left.bytes.withUnsafeBytes { left in
            unsafe right.bytes.withUnsafeBytes { right in
                guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else {
                    return true
                }
                return unsafe leftStart == rightStart
                    || memcmp(leftStart, rightStart, count) == 0
            }
        }
    }

    /// Eight bytes at a time: the hasher itself is slow for what is long.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(unsafe bytes.withUnsafeBytes { unsafe Self.hash($0) })
    }

    /// A number of this process alone, so that nobody outside can tell which labels collide.
    private static let secret = UInt64.random(in: .min ... .max)

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = mix(secret ^ UInt64(bytes.count), 0x9E37_79B9_7F4A_7C15)
        var index = 0
        while index &+ 8 <= bytes.count {
            // SAFETY: index + 8 <= bytes.count.
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            hash = mix(hash ^ word, secret | 1)
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < bytes.count {
            rest = rest &<< 8 | UInt64(unsafe bytes[index])
            index &+= 1
        }
        return mix(hash ^ rest, 0xA076_1D64_78BD_642F)
    }

    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// Checks bytes that came from outside (a file, the network) and wraps them.
    ///
    /// - Throws: `DecodeError` when lengths run past the end, or names are not in strictly
    ///   ascending order, or a value is empty.
    package init(validating bytes: [UInt8]) throws(DecodeError) {
        var cursor = LabelsCursor(bytes)
        var previous: Range<Int>?
        while let pair = try cursor.next() {
            if let previous, !bytes[previous].lexicographicallyPrecedes(bytes[pair.name]) {
                throw .notCanonical(offset: pair.name.lowerBound)
            }
            guard !pair.value.isEmpty else { throw .notCanonical(offset: pair.value.lowerBound) }
            previous = pair.name
        }
        self.bytes = bytes
    }

    /// The number of pairs, the metric name among them.
    ///
    /// O(pairs).
    package var count: Int {
        var cursor = LabelsCursor(bytes)
        var count = 0
        while (try? cursor.next()) != nil { count += 1 }
        return count
    }

    /// The pairs in canonical order: the metric name first, as `__name__`.
    package var pairs: [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        forEachPair { name, value in
            pairs.append(
                (
                    name.isEmpty ? Self.metricNameLabel : Self.text(bytes, name),
                    Self.text(bytes, value)
                )
            )
        }
        return pairs
    }

    /// Calls `body` with the byte ranges of each name (empty for `__name__`) and value.
    package func forEachPair(_ body: (_ name: Range<Int>, _ value: Range<Int>) -> Void) {
        var cursor = LabelsCursor(bytes)
        while let pair = try? cursor.next() { body(pair.name, pair.value) }
    }

    /// The byte range of the value of `name`, or nil.
    package func valueRange(of name: String) -> Range<Int>? {
        let isMetricName = name == Self.metricNameLabel
        let wanted = name.utf8.span
        let bytes = bytes
        let span = bytes.span
        var cursor = LabelsCursor(bytes)
        while let pair = try? cursor.next() {
            if isMetricName {
                return pair.name.isEmpty ? pair.value : nil
            }
            guard pair.name.count == wanted.count, !pair.name.isEmpty else { continue }
            var index = 0
            while index < wanted.count, span[pair.name.lowerBound &+ index] == wanted[index] {
                index &+= 1
            }
            if index == wanted.count { return pair.value }
        }
        return nil
    }

    /// The value of `name`, or nil.
    package subscript(name: String) -> String? {
        valueRange(of: name).map { Self.text(bytes, $0) }
    }

    /// The value of `__name__`, or nil.
    package var metricName: String? { self[Self.metricNameLabel] }

    /// Without the named labels.
    ///
    /// `__name__` may be named.
    package func dropping(_ names: Set<String>) -> Labels {
        filtered { !names.contains($0) }
    }

    /// With only the named labels.
    package func keeping(_ names: Set<String>) -> Labels {
        filtered { names.contains($0) }
    }

    /// Appends the canonical bytes of the pairs whose names are among `names`, or with `isKept` false of
    /// the others.
    package func appendPairs(
        named names: LabelNames,
        _ isKept: Bool,
        to output: inout [UInt8]
    ) {
        let bytes = bytes
        let span = bytes.span
        var cursor = LabelsCursor(bytes)
        var start = 0
        while let pair = try? cursor.next() {
            if names.contains(span.extracting(pair.name)) == isKept {
                output.append(contentsOf: bytes[start..<pair.value.upperBound])
            }
            start = pair.value.upperBound
        }
    }

    /// Without `__name__`.
    ///
    /// O(bytes), with no decoding.
    package var droppingMetricName: Labels {
        var cursor = LabelsCursor(bytes)
        guard let first = try? cursor.next(), first.name.isEmpty else { return self }
        return Labels(trusted: Array(bytes[first.value.upperBound...]))
    }

    /// With `name` set to `value`; an empty value removes it.
    package func setting(_ name: String, to value: String) -> Labels {
        Labels(pairs.map { ($0.name, $0.value) } + [(name, value)])
    }

    private func filtered(_ isKept: (String) -> Bool) -> Labels {
        var kept: [UInt8] = []
        var cursor = LabelsCursor(bytes)
        var start = 0
        while let pair = try? cursor.next() {
            let name = pair.name.isEmpty ? Self.metricNameLabel : Self.text(bytes, pair.name)
            if isKept(name) { kept.append(contentsOf: bytes[start..<pair.value.upperBound]) }
            start = pair.value.upperBound
        }
        return Labels(trusted: kept)
    }

    private static func text(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}

extension Labels: Comparable {
    /// Canonical byte order: streams of one metric are neighbours.
    package static func < (left: Labels, right: Labels) -> Bool {
        let count = min(left.bytes.count, right.bytes.count)
        // SAFETY: both buffers hold at least `count` bytes.
        let order: CInt = unsafe left.bytes.withUnsafeBytes { left in
            unsafe right.bytes.withUnsafeBytes { right in
                guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else {
                    return 0
                }
                return unsafe memcmp(leftStart, rightStart, count)
            }
        }
        return order != 0 ? order < 0 : left.bytes.count < right.bytes.count
    }
}

extension Labels: CustomStringConvertible {
    /// As Prometheus writes it: `name{label="value", …}`.
    package var description: String {
        var text = metricName ?? ""
        let rest = pairs.filter { $0.name != Self.metricNameLabel }
        guard !rest.isEmpty || text.isEmpty else { return text }
        text += "{"
        for (index, pair) in rest.enumerated() {
            if index > 0 { text += ", " }
            text += pair.name + "="
            var quoted: [UInt8] = []
            JSONWriter.appendString(pair.value, to: &quoted)
            text += String(decoding: quoted, as: UTF8.self)
        }
        return text + "}"
    }
}

/// Walks canonical label bytes without copying them out.
package struct LabelsCursor {
    private let bytes: [UInt8]
    private var offset = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next pair's byte ranges, or nil at the end.
    package mutating func next() throws(DecodeError) -> (name: Range<Int>, value: Range<Int>)? {
        guard offset < bytes.count else { return nil }
        let name = try readRun()
        let value = try readRun()
        return (name, value)
    }

    private mutating func readRun() throws(DecodeError) -> Range<Int> {
        var length: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard offset < bytes.count else { throw .truncated(offset: offset, needed: 1) }
            let byte = bytes[offset]
            offset += 1
            length |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
            guard shift <= 28 else { throw .varintOverflow(offset: offset) }
        }
        guard length <= UInt64(bytes.count - offset) else {
            throw .truncated(offset: offset, needed: Int(length) - (bytes.count - offset))
        }
        let range = offset..<(offset + Int(length))
        offset = range.upperBound
        return range
    }
}
