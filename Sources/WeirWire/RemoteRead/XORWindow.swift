/// Where the bits lie in which a value differs from the one before.
struct XORWindow {
    private var leading = 0
    private var trailing = 0
    private var isSet = false

    mutating func append(_ value: Double, after previous: Double, to writer: inout BitWriter) {
        let difference = value.bitPattern ^ previous.bitPattern
        guard difference != 0 else {
            writer.append(bit: false)
            return
        }
        writer.append(bit: true)
        // Five bits hold the leading zeros.
        let newLeading = min(difference.leadingZeroBitCount, 31)
        let newTrailing = difference.trailingZeroBitCount
        if isSet, newLeading >= leading, newTrailing >= trailing {
            writer.append(bit: false)
            writer.append(difference >> UInt64(trailing), count: 64 - leading - trailing)
            return
        }
        (leading, trailing, isSet) = (newLeading, newTrailing, true)
        let width = 64 - newLeading - newTrailing
        writer.append(bit: true)
        writer.append(UInt64(newLeading), count: 5)
        // 64 is written as 0.
        writer.append(UInt64(width & 63), count: 6)
        writer.append(difference >> UInt64(newTrailing), count: width)
    }
}
