extension String {
    /// The pieces between the places where `separator` stands.
    func components(separatedBy separator: String) -> [String] {
        let bytes = Array(utf8)
        let wanted = Array(separator.utf8)
        var pieces: [String] = []
        var start = 0
        var index = 0
        while index + wanted.count <= bytes.count {
            guard bytes[index] == wanted[0], bytes[index..<(index + wanted.count)] == wanted[...]
            else {
                index += 1
                continue
            }
            pieces.append(String(decoding: bytes[start..<index], as: UTF8.self))
            index += wanted.count
            start = index
        }
        pieces.append(String(decoding: bytes[start...], as: UTF8.self))
        return pieces
    }
}
