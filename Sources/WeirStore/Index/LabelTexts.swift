internal import WeirCore

/// Values of a label, or names of labels: as bytes, ascending, each once.
package struct LabelTexts: Sendable {
    private var texts: [ArraySlice<UInt8>] = []

    package init() {}

    /// Adds a text that follows the others.
    mutating func append(_ text: ArraySlice<UInt8>) { texts.append(text) }

    /// Adds the value of `label`, or the names of all labels when it is nil; `sort` is called after.
    mutating func append(_ label: String?, of stream: Labels) {
        guard let label else {
            stream.forEachPair { name, _ in append(unsorted: stream.bytes[name]) }
            return
        }
        if let range = stream.valueRange(of: label) { append(unsorted: stream.bytes[range]) }
    }

    /// Neighbours share most labels, so the text that came last is not added again.
    private mutating func append(unsorted text: ArraySlice<UInt8>) {
        guard texts.last.map({ !$0.elementsEqual(text) }) ?? true else { return }
        texts.append(text)
    }

    /// Puts the texts in order, each once.
    mutating func sort() {
        texts = Set(texts).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The texts as strings, in ascending order of their bytes.
    package var strings: [String] { texts.map { String(decoding: $0, as: UTF8.self) } }

    /// Takes in other texts.
    package mutating func formUnion(_ other: Self) {
        guard !texts.isEmpty else {
            self = other
            return
        }
        var merged: [ArraySlice<UInt8>] = []
        merged.reserveCapacity(texts.count + other.texts.count)
        var place = 0
        for text in other.texts {
            while place < texts.count, texts[place].lexicographicallyPrecedes(text) {
                merged.append(texts[place])
                place += 1
            }
            if place < texts.count, texts[place].elementsEqual(text) { place += 1 }
            merged.append(text)
        }
        merged.append(contentsOf: texts[place...])
        texts = merged
    }
}
