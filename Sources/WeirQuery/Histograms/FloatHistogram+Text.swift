/// A histogram as text, as Prometheus writes it.
extension FloatHistogram {
    /// `{"count":"…","sum":"…","buckets":[[rule,"lower","upper","count"],…]}`: the members of
    /// Prometheus's HTTP API.
    ///
    /// A rule says which bounds belong to the bucket: 0 the upper, 1 the lower, 2 none, 3 both.
    func appendJSON(to bytes: inout [UInt8]) {
        func put(_ text: StaticString) { bytes.append(contentsOf: text.description.utf8) }
        func put(_ number: Double) {
            put("\"")
            NumberText.appendSample(number, to: &bytes)
            put("\"")
        }
        put("{\"count\":")
        put(count)
        put(",\"sum\":")
        put(sum)
        var isFirst = true
        for bucket in allBuckets() where bucket.count != 0 {
            put(isFirst ? ",\"buckets\":[[" : ",[")
            isFirst = false
            switch (bucket.includesLower, bucket.includesUpper) {
            case (false, true): put("0,")
            case (true, false): put("1,")
            case (false, false): put("2,")
            case (true, true): put("3,")
            }
            put(bucket.lower)
            put(",")
            put(bucket.upper)
            put(",")
            put(bucket.count)
            put("]")
        }
        if !isFirst { put("]") }
        put("}")
    }

    /// `{count:3, sum:2.5, (0.5,1]:3}`: buckets from the lowest up, empty ones left out.
    package var text: String {
        var text = "{count:\(Self.text(count)), sum:\(Self.text(sum))"
        func append(_ bucket: HistogramBucket) {
            guard bucket.count != 0 else { return }
            text += bucket.includesLower ? ", [" : ", ("
            text += Self.text(bucket.lower) + "," + Self.text(bucket.upper)
            text += bucket.includesUpper ? "]:" : "):"
            text += Self.text(bucket.count)
        }
        for place in negative.indexes.indices.reversed() {
            append(bucket(negative.indexes[place], negative.counts[place], isPositive: false))
        }
        if !hasCustomBounds { append(zeroBucket) }
        for place in positive.indexes.indices {
            append(bucket(positive.indexes[place], positive.counts[place], isPositive: true))
        }
        return text + "}"
    }

    /// The shortest text that reads back, scientific from 1e6 and below 1e-4, as C's `%g`.
    private static func text(_ number: Double) -> String {
        var bytes: [UInt8] = []
        let magnitude = number.magnitude
        if magnitude != 0, number.isFinite, magnitude < 1e-4 || magnitude >= 1e6 {
            NumberText.appendScientific(number, to: &bytes)
        } else {
            NumberText.appendPlain(number, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
