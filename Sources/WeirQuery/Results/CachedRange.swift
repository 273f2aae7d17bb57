internal import WeirCore

/// The answer to an expression over an interval of steps, kept for later queries.
struct CachedRange: Sendable {
    /// Steps that were evaluated together, and the notes made meanwhile.
    struct Part: Sendable {
        let steps: Range<Int64>
        let notes: QueryNotes
        /// Whether all the steps that were evaluated are still in it: else some of the notes may have
        /// been about others.
        let isWhole: Bool

        /// What is left of it within `limits`; nil when nothing is.
        func clamped(to limits: Range<Int64>) -> Part? {
            let left = steps.clamped(to: limits)
            guard !left.isEmpty else { return nil }
            return Part(steps: left, notes: notes, isWhole: isWhole && left == steps)
        }
    }

    let table: RangeTable
    /// Ascending; together they are all of the table's steps.
    let parts: [Part]
    /// What is true of the source as far as the answer reflects it.
    let version: SampleVersion
    let orderHash: Int
    let metrics: Set<String>

    /// Bytes.
    var cost: Int {
        table.byteCount + metrics.reduce(0) { $0 + $1.utf8.count + 32 }
            + parts.reduce(0) { total, part in
                part.notes.places.keys.reduce(total + 64) { $0 + $1.text.utf8.count + 64 }
            } + 256
    }

    /// Parts one after the other, those joined that need not be told apart.
    static func joined(_ parts: [Part]) -> [Part] {
        var result: [Part] = []
        for part in parts {
            guard let last = result.last else {
                result.append(part)
                continue
            }
            let isSilent = last.notes.isEmpty && part.notes.isEmpty
            guard isSilent || !last.isWhole && !part.isWhole else {
                result.append(part)
                continue
            }
            var notes = last.notes
            notes.formUnion(part.notes)
            result[result.count - 1] = Part(
                steps: last.steps.lowerBound..<part.steps.upperBound,
                notes: notes,
                isWhole: isSilent
            )
        }
        return result
    }

    /// The notes that evaluating `window` at once would have made.
    ///
    /// - Returns: Nil when that cannot be told: notes of steps outside may be among them.
    static func notes(of parts: [Part], in window: Range<Int64>) -> QueryNotes? {
        var certain = QueryNotes()
        var possible: [QueryNotes] = []
        for part in parts where part.steps.overlaps(window) {
            if part.notes.isEmpty { continue }
            let isInside = part.steps.clamped(to: window) == part.steps
            guard part.isWhole, isInside else {
                possible.append(part.notes)
                continue
            }
            for (note, place) in part.notes.places {
                guard (certain.places[note] ?? place) == place else { return nil }
            }
            certain.formUnion(part.notes)
        }
        return possible.allSatisfy(certain.contains) ? certain : nil
    }
}
