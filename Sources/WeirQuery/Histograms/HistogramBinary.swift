internal import WeirCore

/// Binary operators where an operand is a histogram.
extension GridBinary {
    /// What one element comes to; neither: the element is dropped.
    struct Element {
        var number = Double.absent
        var histogram: FloatHistogram?
        /// Why it is dropped.
        var note: HistogramNote?
    }

    /// One of the operands at least is a histogram; the other may be a number.
    ///
    /// What has no meaning is dropped.
    private func combine(
        _ left: FloatHistogram?,
        _ leftNumber: Double,
        _ right: FloatHistogram?,
        _ rightNumber: Double
    ) -> Element {
        switch (left, right) {
        case (let left?, let right?):
            switch operation {
            case .add, .subtract:
                var result = left
                do throws(HistogramMismatch) {
                    if operation == .add {
                        try result.add(right)
                    } else {
                        try result.subtract(right)
                    }
                } catch {
                    return Element(note: .incompatibleLayout(operation: operation.rawValue))
                }
                return Element(histogram: result.compacted())
            case .equal, .notEqual:
                let holds = left.equals(right) == (operation == .equal)
                if returnsBool { return Element(number: holds ? 1 : 0) }
                return Element(histogram: holds ? left : nil)
            default: break
            }
        case (let left?, nil):
            if operation == .multiply {
                return Element(histogram: left.multiplied(by: rightNumber).compacted())
            }
            if operation == .divide {
                return Element(histogram: left.divided(by: rightNumber).compacted())
            }
        case (nil, let right?):
            if operation == .multiply {
                return Element(histogram: right.multiplied(by: leftNumber).compacted())
            }
        case (nil, nil): return Element()
        }
        return Element(
            note: .incompatibleTypes(
                left: left == nil ? "float" : "histogram",
                operation: operation.rawValue,
                right: right == nil ? "float" : "histogram"
            )
        )
    }

    /// A vector's histograms with a scalar.
    func histograms(
        of vector: SeriesGrid,
        scalar: [Double],
        isScalarLeft: Bool
    ) throws(QueryError) -> HistogramCells? {
        try vector.histograms?.mapped { histogram, _, step in
            let element =
                isScalarLeft
                ? combine(nil, scalar[step], histogram, 0)
                : combine(histogram, 0, nil, scalar[step])
            if let note = element.note { context.note(note, at: place) }
            return element.histogram
        }
    }

    /// Fills in the steps of matched pairs at which one side is a histogram.
    ///
    /// Of what is dropped at one step the last pair's reason is told, in the order of `ranks`.
    func combineHistograms(
        _ left: SeriesGrid,
        _ right: SeriesGrid,
        pairs: [(left: Int, right: Int)],
        ranks: [Int],
        into numbers: GridBuffer
    ) throws(QueryError) -> HistogramCells? {
        guard left.histograms != nil || right.histograms != nil else { return nil }
        let result = HistogramCells(steps: left.steps, context: context)
        var notes = [(rank: Int, note: HistogramNote)?](repeating: nil, count: left.steps)
        for (row, pair) in pairs.enumerated() {
            if row & 255 == 0 { try context.check() }
            let leftBoxes = left.histograms?.row(pair.left)
            let rightBoxes = right.histograms?.row(pair.right)
            guard leftBoxes != nil || rightBoxes != nil else { continue }
            var found = [HistogramCells.Box?](repeating: nil, count: left.steps)
            for step in 0..<left.steps {
                let own = leftBoxes?[step]?.histogram
                let other = rightBoxes?[step]?.histogram
                guard own != nil || other != nil, left.isPresent(pair.left, step),
                    right.isPresent(pair.right, step)
                else { continue }
                let element = combine(
                    own,
                    left.values[pair.left, step],
                    other,
                    right.values[pair.right, step]
                )
                if let note = element.note, notes[step].map({ $0.rank <= ranks[row] }) ?? true {
                    notes[step] = (ranks[row], note)
                }
                numbers[row, step] = element.number
                found[step] = element.histogram.map(HistogramCells.Box.init)
            }
            try result.set(row, found)
        }
        for case (_, let note)? in notes { context.note(note, at: place) }
        return result
    }
}
