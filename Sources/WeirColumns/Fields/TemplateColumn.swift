internal import WeirCore

/// Texts kept as templates and variables, read as far as a question needs: the templates alone, the
/// codes too, or the variables of some templates.
///
/// Layout: docs/format/fields.md. Used by one thread.
final class TemplateColumn {
    /// Rows of templates rarer than this keep their variables together.
    static let ownRowsMin = 8
    /// Longer texts are damage: a text with several variables is never nearly as long.
    private static let textBytesMax = PageDecoder.rawCountMax

    private let count: Int
    private let keys: BytesColumn
    /// The heads of the slots, behind the keys.
    private let headBytes: [UInt8]
    private let loadCodes: () -> [UInt8]?
    private let loadSlots: () -> [UInt8]?
    private var layout: Layout?
    /// Where each template's own text lies in its key: one stretch more than it has variables.
    private var stretches: [[Range<Int>]?] = []
    private var slotBytes: [UInt8]?
    private var decoded: [[TextValues]?] = []
    private var shared: TextValues?
    /// Whether pages that were needed could not be read.
    private(set) var isDamaged = false

    /// Where each value's variables are.
    ///
    /// A class, so that handing it on costs one count and not one per array.
    private final class Layout {
        /// Each value's template.
        let codes: TextCodes
        let variableCounts: [Int]
        /// Per template: its slots' heads, and where their bodies begin; none when it is rare.
        let slots: [[(run: TextRun, offset: Int)]]
        let sharedRun: TextRun?
        let sharedOffset: Int
        let isRare: [Bool]
        /// Each value's number among those of its template, or its first place among the shared.
        private(set) lazy var ordinals = makeOrdinals()

        init(
            codes: TextCodes,
            variableCounts: [Int],
            slots: [[(run: TextRun, offset: Int)]],
            sharedRun: TextRun?,
            sharedOffset: Int,
            isRare: [Bool]
        ) {
            self.codes = codes
            self.variableCounts = variableCounts
            self.slots = slots
            self.sharedRun = sharedRun
            self.sharedOffset = sharedOffset
            self.isRare = isRare
        }

        private func makeOrdinals() -> [Int32] {
            // The next number of each template; of rare ones, one for all, which is the last.
            let templateCount = isRare.count
            var next = [Int32](repeating: 0, count: templateCount + 1)
            let slot = isRare.indices.map { isRare[$0] ? templateCount : $0 }
            let step = isRare.indices.map { isRare[$0] ? Int32(variableCounts[$0]) : 1 }
            var made: [Int32] = []
            made.reserveCapacity(codes.count)
            for index in 0..<codes.count {
                let code = codes[index]
                made.append(next[slot[code]])
                next[slot[code]] += step[code]
            }
            return made
        }
    }

    /// Reads the templates' page of `count` values, which the caller has checked.
    ///
    /// The loaders read the codes' and the variables' pages when they are needed; nil when that
    /// fails, which they note themselves.
    init(
        count: Int,
        page: [UInt8],
        loadCodes: @escaping () -> [UInt8]?,
        loadSlots: @escaping () -> [UInt8]?
    ) throws(DecodeError) {
        self.count = count
        self.loadCodes = loadCodes
        self.loadSlots = loadSlots
        var reader = ByteReader(page.span)
        let keyCount = try reader.readCount(limit: min(count, 1 << 16))
        let run = try BytesRun(count: keyCount, from: &reader)
        let start = reader.offset
        guard reader.remaining >= run.bodyCount else {
            throw .truncated(offset: start, needed: run.bodyCount - reader.remaining)
        }
        var keys = BytesColumn()
        var scratch: [Int64] = []
        let end = start + run.bodyCount
        try run.decode(
            page.span.extracting(start..<end),
            appendingTo: &keys,
            scratch: &scratch
        )
        for key in 0..<keyCount {
            // What a writer never does, and what would let few bytes stand for many.
            guard Self.variableCount(keys[key]) <= TemplateSplitter.variablesMax else {
                throw .notCanonical(offset: start)
            }
        }
        self.keys = keys
        headBytes = Array(page[end...])
        decoded = Array(repeating: nil, count: keyCount)
        stretches = Array(repeating: nil, count: keyCount)
    }

    /// Each value's template, and where its variables are.
    private func readLayout() -> Layout? {
        if let layout { return layout }
        guard !isDamaged else { return nil }
        if let bytes = loadCodes() { layout = try? makeLayout(bytes) }
        isDamaged = layout == nil
        return layout
    }

    private func makeLayout(_ bytes: [UInt8]) throws(DecodeError) -> Layout {
        guard let codes = TextCodes(bytes, count: count, entryCount: keys.count) else {
            throw .notCanonical(offset: 0)
        }
        var counts = [Int](repeating: 0, count: keys.count)
        for index in 0..<count { counts[codes[index]] += 1 }
        let headBytes = headBytes
        var reader = ByteReader(headBytes.span)
        var slots: [[(run: TextRun, offset: Int)]] = []
        var offset = 0
        let variableCounts = (0..<keys.count).map { Self.variableCount(keys[$0]) }
        for code in 0..<keys.count {
            var own: [(run: TextRun, offset: Int)] = []
            if counts[code] >= Self.ownRowsMin {
                for _ in 0..<variableCounts[code] {
                    let run = try TextRun(count: counts[code], from: &reader)
                    own.append((run, offset))
                    offset += run.bodyCount
                }
            }
            slots.append(own)
        }
        let isRare = counts.map { $0 < Self.ownRowsMin }
        var sharedCount = 0
        for code in 0..<keys.count where isRare[code] {
            sharedCount += counts[code] * variableCounts[code]
        }
        let sharedRun = sharedCount > 0 ? try TextRun(count: sharedCount, from: &reader) : nil
        return Layout(
            codes: codes,
            variableCounts: variableCounts,
            slots: slots,
            sharedRun: sharedRun,
            sharedOffset: offset,
            isRare: isRare
        )
    }

    private static func variableCount(_ key: ArraySlice<UInt8>) -> Int {
        key.reduce(0) { $0 + ($1 == TemplateSplitter.marker ? 1 : 0) }
    }

    private func readSlotBytes() -> [UInt8]? {
        if let slotBytes { return slotBytes }
        slotBytes = loadSlots()
        if slotBytes == nil { isDamaged = true }
        return slotBytes
    }

    /// The variables of one template that is not rare, one list per place.
    private func slots(of code: Int, _ layout: Layout) -> [TextValues]? {
        if let known = decoded[code] { return known }
        guard !isDamaged, let bytes = readSlotBytes() else { return nil }
        var values: [TextValues] = []
        for (run, offset) in layout.slots[code] {
            guard offset + run.bodyCount <= bytes.count,
                let decoded = try? run.decode(
                    bytes.span.extracting(offset..<(offset + run.bodyCount))
                )
            else {
                isDamaged = true
                return nil
            }
            values.append(decoded)
        }
        decoded[code] = values
        return values
    }

    private func sharedValues(_ layout: Layout) -> TextValues? {
        if let shared { return shared }
        guard !isDamaged, let run = layout.sharedRun, let bytes = readSlotBytes() else {
            return nil
        }
        let end = layout.sharedOffset + run.bodyCount
        if end <= bytes.count {
            shared = try? run.decode(bytes.span.extracting(layout.sharedOffset..<end))
        }
        if shared == nil { isDamaged = true }
        return shared
    }

    /// The template's own text, cut at its variables: places in the keys' bytes.
    private func ownText(_ code: Int) -> [Range<Int>] {
        if let known = stretches[code] { return known }
        let range = keys.range(code)
        var found: [Range<Int>] = []
        var start = range.lowerBound
        for index in range where keys.bytes[index] == TemplateSplitter.marker {
            found.append(start..<index)
            start = index + 1
        }
        found.append(start..<range.upperBound)
        stretches[code] = found
        return found
    }

    /// Appends value `index`; nothing when the pages cannot be read.
    func append(_ index: Int, to output: inout [UInt8]) {
        guard let layout = readLayout() else { return }
        let code = layout.codes[index]
        let own = ownText(code)
        guard own.count > 1 else {
            output.append(contentsOf: keys[code])
            return
        }
        let ordinal = Int(layout.ordinals[index])
        let start = output.count
        let isRare = layout.isRare[code]
        guard let rare = isRare ? sharedValues(layout) : .constant([]),
            let values = isRare ? [] : slots(of: code, layout)
        else { return }
        for (slot, stretch) in own.enumerated() {
            output.append(contentsOf: keys.bytes[stretch])
            guard slot + 1 < own.count else { return }
            guard output.count - start <= Self.textBytesMax else {
                isDamaged = true
                return
            }
            if isRare {
                rare.append(ordinal + slot, to: &output)
            } else {
                values[slot].append(ordinal, to: &output)
            }
        }
    }

    // MARK: Asking

    /// The rows whose texts pass; none when the pages cannot be read.
    ///
    /// `indexes`: Each row's value; nil when they are 0 and up.
    func filter(_ rows: [UInt32], indexes: [Int32]?, _ test: TextTest) -> [UInt32] {
        if test.form == .equals {
            let places = places(rows.count, indexes: indexes, equalTo: test.required[0])
            guard !isDamaged else { return [] }
            guard test.isNegated else { return places.map { rows[Int($0)] } }
            guard !places.isEmpty else { return rows }
            var others: [UInt32] = []
            others.reserveCapacity(rows.count - places.count)
            var next = 0
            for place in rows.indices {
                if next < places.count, Int(places[next]) == place {
                    next += 1
                } else {
                    others.append(rows[place])
                }
            }
            return others
        }
        let search = TemplateSearch(test)
        var verdicts = (0..<keys.count).map { search.verdict(key: keys[$0], slots: nil) }
        if verdicts.allSatisfy({ $0 == .none }) { return test.isNegated ? rows : [] }
        guard let layout = readLayout() else { return [] }
        for code in verdicts.indices where verdicts[code] == .some && !layout.isRare[code] {
            verdicts[code] = search.verdict(key: keys[code], slots: layout.slots[code].map(\.run))
        }
        // By template: 0 fails, 1 passes, 2 must be looked at.
        let outcomes = verdicts.map { verdict -> UInt8 in
            switch verdict {
            case .all: test.isNegated ? 0 : 1
            case .none: test.isNegated ? 1 : 0
            case .some: 2
            }
        }
        var passing: [UInt32] = []
        var text: [UInt8] = []
        let codes = layout.codes
        for place in 0..<rows.count {
            let index = indexes.map { Int($0[place]) } ?? place
            let outcome = outcomes[codes[index]]
            guard outcome != 0 else { continue }
            if outcome == 2 {
                text.removeAll(keepingCapacity: true)
                append(index, to: &text)
                guard test.passes(text.span) else { continue }
            }
            passing.append(rows[place])
        }
        return passing
    }

    /// The places, below `count`, of the values that are `text`.
    ///
    /// They are those of its template whose variables are its own: no value is made a text for this.
    private func places(_ count: Int, indexes: [Int32]?, equalTo text: [UInt8]) -> [UInt32] {
        let (key, variables) = TemplateSplitter.parts(of: text)
        guard let code = (0..<keys.count).first(where: { keys[$0].elementsEqual(key) }),
            let layout = readLayout()
        else { return [] }
        var places: [UInt32] = []
        var ordinals: [Int32] = []
        let codes = layout.codes
        let numbers = layout.ordinals
        for place in 0..<count {
            let index = indexes.map { Int($0[place]) } ?? place
            guard codes[index] == code else { continue }
            places.append(UInt32(place))
            ordinals.append(numbers[index])
        }
        let isRare = layout.isRare[code]
        for (slot, variable) in variables.enumerated() where !places.isEmpty {
            // The variables of a rare template's text lie side by side among the shared ones.
            guard let values = isRare ? sharedValues(layout) : slots(of: code, layout)?[slot]
            else { return [] }
            let kept = values.filter(
                places.indices.map { UInt32($0) },
                indexes: isRare ? ordinals.map { $0 + Int32(slot) } : ordinals,
                .equals(variable)
            )
            guard kept.count < places.count else { continue }
            places = kept.map { places[Int($0)] }
            ordinals = kept.map { ordinals[Int($0)] }
        }
        return places
    }
}
