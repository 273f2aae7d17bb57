internal import WeirCore

/// Two ascending lists of label sets as one: series with plain samples, and series with histograms.
struct JointSeries: Sendable {
    /// In ascending order, whichever kind of samples a series has.
    let labels: [Labels]
    /// The series that each of the first list is; nil where they are the same.
    let plainOf: [Int]?
    /// The series that each of the second list is.
    let histogramsOf: [Int]

    init(plain: [Labels], histograms: [Labels]) {
        guard !histograms.isEmpty else {
            (labels, plainOf, histogramsOf) = (plain, nil, [])
            return
        }
        var labels: [Labels] = []
        var plainOf: [Int] = []
        var histogramsOf: [Int] = []
        for own in histograms {
            while plainOf.count < plain.count, plain[plainOf.count] < own {
                labels.append(plain[plainOf.count])
                plainOf.append(labels.count - 1)
            }
            if plainOf.count < plain.count, plain[plainOf.count] == own {
                plainOf.append(labels.count)
            }
            histogramsOf.append(labels.count)
            labels.append(own)
        }
        while plainOf.count < plain.count {
            labels.append(plain[plainOf.count])
            plainOf.append(labels.count - 1)
        }
        (self.labels, self.plainOf, self.histogramsOf) = (labels, plainOf, histogramsOf)
    }
}
