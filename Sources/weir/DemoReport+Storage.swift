import WeirCore
import WeirDemo

extension DemoReport {
    /// What the rows of a signal with fields take on disk, and what their back-fill was.
    ///
    /// `signal` is named as in the server's status; `row`, `rows` and `allRows` are what one row is
    /// called, many are, and many are where nothing says which signal is spoken of; `wire` is what
    /// they were sent as. False, and noted as missing, when there are none on disk.
    mutating func printStorage(
        _ signal: String,
        row: String,
        rows name: String,
        allRows: String,
        wire: String,
        _ backfill: ShopPusher.Backfill
    ) throws(DemoError) -> Bool {
        let status = try get("/api/v1/status")
        let signals = (status["signals"]?.array ?? []).filter { $0["signal"]?.string == signal }
        func total(_ name: String) -> Int {
            signals.reduce(0) { $0 + Int($1[name]?.double ?? 0) }
        }
        let rows = total("segment_rows")
        let bytes = total("segment_bytes")
        guard rows > 0, bytes > 0 else {
            missing.append("/api/v1/status tells of no \(allRows) on disk")
            return false
        }
        let perRow = Double(backfill.bytes) / Double(max(1, backfill.samples))
        Self.printPair("\(name) on disk", Self.grouped(rows))
        Self.printPair("in memory", Self.grouped(total("memory_rows")))
        Self.printPair("bytes on disk", Self.grouped(bytes))
        Self.printPair(
            "bytes per \(row)",
            "\(Self.decimal(Double(bytes) / Double(rows), 1)), of \(Self.decimal(perRow, 0)) sent"
        )
        Self.printPair(
            "back-fill",
            "\(Self.grouped(backfill.samples)) \(name),"
                + " \(Self.decimal(Double(backfill.bytes) / 1e6, 1)) MB of \(wire),"
                + " \(Self.decimal(backfill.seconds, 1)) s"
        )
        return true
    }
}
