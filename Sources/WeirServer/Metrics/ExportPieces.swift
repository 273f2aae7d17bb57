/// The text of an export on its way to its client.
///
/// Some samples' text is in memory at a time, however long their series' is: labels are repeated with
/// each sample, so a series' text can be thousands of times what its samples take.
struct ExportPieces {
    /// Bytes from which on a piece is written.
    static let pieceBytes = 64 << 10

    /// What is not written yet.
    var bytes: [UInt8] = []
    private let write: ([UInt8]) -> Bool

    /// `write` says whether the client still reads.
    init(_ write: @escaping ([UInt8]) -> Bool) { self.write = write }

    /// Writes what there is when it is a whole piece.
    ///
    /// Called after each sample, a piece is too long by one sample's text at most.
    ///
    /// - Returns: Whether the client still reads.
    mutating func writeWhole() -> Bool {
        bytes.count < Self.pieceBytes || writeRest()
    }

    /// Writes what there is.
    ///
    /// - Returns: Whether the client still reads.
    mutating func writeRest() -> Bool {
        guard !bytes.isEmpty else { return true }
        defer { bytes.removeAll(keepingCapacity: true) }
        return write(bytes)
    }
}
