internal import Glibc

/// The bounds of exponential buckets, to the last bit as Prometheus has them.
enum HistogramBounds {
    /// The upper bound of bucket `index` of the positive side.
    static func upper(_ index: Int32, schema: Int8) -> Double {
        let exponent: Int
        var fraction = 1.0
        if schema < 0 {
            exponent = Int(index) << Int(-schema)
        } else {
            exponent = Int(index) >> Int(schema)
            let place = Int(index) & ((1 << Int(schema)) - 1)
            fraction = fractions[place << (8 - Int(schema))]
        }
        // The bound of the last bucket of numbers; above it is a bucket of infinity.
        if fraction == 1, exponent == 1024 { return .greatestFiniteMagnitude }
        return scalbn(fraction, Int32(clamping: exponent))
    }

    /// 2^(i/256): rounded correctly, then lowered by the units in the last place by which
    /// Prometheus's table is off, plus one, as digits.
    private static let fractions: [Double] = {
        let shortfalls: StaticString = """
            1111112111211111112311222222222211211121122211221122102211221122\
            1111112222332132112111211112111111121011213311221222112121332222\
            2121223322322122222222323233323311221121223321332233212232332232\
            2243223233433343333333444455435422322333324422333243223333543344
            """
        return shortfalls.withUTF8Buffer { digits in
            unsafe digits.enumerated().map { place, digit in
                let exact = exp2(Double(place) / 256)
                return exact - (Double(digit) - 49) * exact.ulp
            }
        }
    }()
}
