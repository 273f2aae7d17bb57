extension RandomAccessCollection {
    /// The first index whose element satisfies `isInSecondPart`, which must be false for a prefix
    /// and true for the rest.
    ///
    /// O(log n).
    package func partitioningIndex<Failure: Error>(
        where isInSecondPart: (Element) throws(Failure) -> Bool
    ) throws(Failure) -> Index {
        var low = startIndex
        var length = count
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if try isInSecondPart(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}
