/// The ids of batches that were accepted lately, so that a retry is acknowledged, not stored.
struct SeenBatches: Sendable {
    private var times: [String: Int64]
    /// Accepted, but not yet in the catalog.
    private var unpublished: [(id: String, acceptedAt: Int64, sequence: UInt64)] = []

    init(_ known: [(id: String, acceptedAt: Int64)] = []) {
        times = Dictionary(known.map { ($0.id, $0.acceptedAt) }) { first, _ in first }
    }

    static func key(tenant: String, id: [UInt8]) -> String {
        tenant + "/" + id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func contains(_ id: String) -> Bool { times[id] != nil }

    mutating func insert(_ id: String, at time: Int64, sequence: UInt64 = 0) {
        times[id] = time
        unpublished.append((id, time, sequence))
    }

    /// Those with sequences up to `sequence` that the catalog does not have yet.
    func toPublish(through sequence: UInt64) -> [(id: String, acceptedAt: Int64)] {
        unpublished.filter { $0.sequence <= sequence }.map { ($0.id, $0.acceptedAt) }
    }

    mutating func published(through sequence: UInt64, forgettingBefore time: Int64) {
        unpublished.removeAll { $0.sequence <= sequence }
        for (id, acceptedAt) in times where acceptedAt < time { times[id] = nil }
    }
}
