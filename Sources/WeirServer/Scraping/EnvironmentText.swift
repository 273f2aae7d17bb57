/// Texts of a configuration file in which `$NAME` and `${NAME}` stand for the environment's variables,
/// and `$$` for a dollar sign, as Prometheus reads them in `external_labels`.
enum EnvironmentText {
    /// What is not set is empty; a dollar sign before no name stays.
    static func expand(_ text: String, _ value: (String) -> String?) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            index += 1
            let next = bytes[index]
            if next == UInt8(ascii: "{") {
                let end = bytes[index...].firstIndex(of: UInt8(ascii: "}"))
                // Braces that hold nothing or do not close are left out.
                guard let end else {
                    index += 1
                    continue
                }
                let name = bytes[(index + 1)..<end]
                if !name.isEmpty { append(name, to: &result, value) }
                index = end + 1
            } else if isSpecial(next) {
                append(bytes[index...index], to: &result, value)
                index += 1
            } else {
                let end = bytes[index...].firstIndex { !isName($0) } ?? bytes.count
                if end == index {
                    result.append(UInt8(ascii: "$"))
                } else {
                    append(bytes[index..<end], to: &result, value)
                }
                index = end
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func append(
        _ name: ArraySlice<UInt8>,
        to result: inout [UInt8],
        _ value: (String) -> String?
    ) {
        let name = String(decoding: name, as: UTF8.self)
        result += name == "$" ? Array("$".utf8) : Array((value(name) ?? "").utf8)
    }

    /// A name of one byte, whatever follows.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "*#$@!?-".utf8.contains(byte)
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
