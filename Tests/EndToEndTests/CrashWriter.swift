import WeirHTTP
import WeirSystem
import WeirTestSupport

/// One writer of the crash test, and what it knows of what it sent.
///
/// Sample `n` of writer `w` in attempt `a` is `16 n + a + 0.25` at a time that also follows from
/// `n` and `a`, so each sample found says which request it came from. A batch with an id changes
/// its attempt when it is sent again: of all attempts exactly one must be found. A batch without
/// one is sent again as it was.
///
/// Used by one thread at a time.
final class CrashWriter: @unchecked Sendable {
    struct Batch {
        let id: String?
        let first: Int
        let count: Int
        var attempts = 0
        /// The attempt that was acknowledged, and whether as one seen before.
        var acknowledged: (attempt: Int, isDuplicate: Bool)?
    }

    static let seriesCount = 8

    let number: Int
    let startMilliseconds: Int64
    private(set) var batches: [Batch] = []
    private(set) var sampleCount = 0
    private(set) var refusals: [String] = []
    private var random: SplitMix64
    private let isStopping = Monitor(false)

    init(number: Int, startMilliseconds: Int64, seed: UInt64) {
        self.number = number
        self.startMilliseconds = startMilliseconds
        random = SplitMix64(seed: seed)
    }

    var acknowledgedSamples: Int {
        batches.reduce(0) { $0 + ($1.acknowledged == nil ? 0 : $1.count) }
    }

    /// One in five samples belongs to the day before, so that batches span buckets.
    func time(_ sample: Int, attempt: Int) -> Int64 {
        let day: Int64 = sample % 5 == 0 ? 86_400_000 : 0
        return startMilliseconds + Int64(sample) * 16 + Int64(attempt) - day
    }

    static func value(_ sample: Int, attempt: Int) -> Double {
        Double(sample * 16 + attempt) + 0.25
    }

    func metric(series: Int) -> String { "crash_w\(number)_v{host=\"h\(series)\"}" }

    func stop() { isStopping.update { $0 = true } }

    /// Sends what is not acknowledged, then new batches until `stop` or until the server is gone.
    func run(_ base: String, sendsNew: Bool) {
        isStopping.update { $0 = false }
        let http = HTTPClient()
        for index in batches.indices where batches[index].acknowledged == nil {
            guard send(index, base, http) else { return }
        }
        while sendsNew, !isStopping.read({ $0 }) {
            let count: Int =
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<70: Int.random(in: 1...20, using: &random)
                case 70..<96: Int.random(in: 20...300, using: &random)
                default: Int.random(in: 1000...4000, using: &random)
                }
            let id =
                Int.random(in: 0..<2, using: &random) == 0 ? "w\(number)-\(batches.count)" : nil
            batches.append(Batch(id: id, first: sampleCount, count: count))
            sampleCount += count
            guard send(batches.count - 1, base, http) else { return }
        }
    }

    /// - Returns: False when the server is gone.
    private func send(_ index: Int, _ base: String, _ http: HTTPClient) -> Bool {
        let batch = batches[index]
        var attempts = batch.attempts
        defer { batches[index].attempts = attempts }
        let delivery = CrashDelivery.send(
            to: "\(base)/write?precision=ms",
            http,
            headers: batch.id.map { [(name: "X-Weir-Batch-Id", value: $0)] } ?? [],
            attempts: &attempts,
            accepts: { $0.status == 204 },
            body: { body(batch, attempt: batch.id == nil ? 0 : $0) }
        )
        switch delivery {
        case .accepted(let attempt, let response):
            batches[index].acknowledged = (
                batch.id == nil ? 0 : attempt, response.header("x-weir-duplicate") == "true"
            )
            return true
        case .refused(let answer):
            refusals.append(answer)
            return false
        case .gone: return false
        case .exhausted: return true
        }
    }

    private func body(_ batch: Batch, attempt: Int) -> [UInt8] {
        var text = ""
        for sample in batch.first..<(batch.first + batch.count) {
            text += "crash_w\(number),host=h\(sample % Self.seriesCount) "
            text += "v=\(sample * 16 + attempt).25 \(time(sample, attempt: attempt))\n"
        }
        return Array(text.utf8)
    }

    /// What was found of the writer's samples.
    struct Finding {
        var missing = 0
        var doubled = 0
        var wrong = 0
        var unsent = 0
        var notes: [String] = []
    }

    /// Compares what a server has with what was acknowledged.
    func verify(_ client: WeirClient) throws -> Finding {
        var attempts = [UInt16](repeating: 0, count: sampleCount)
        var finding = Finding()
        let end = startMilliseconds + Int64(sampleCount + 1) * 16
        for series in 0..<Self.seriesCount {
            for (time, value) in try client.samples(
                "\(metric(series: series))[4d]",
                atMilliseconds: end
            ) {
                let key = Int(value)
                let (sample, attempt) = (key / 16, key % 16)
                guard sample < sampleCount, sample % Self.seriesCount == series,
                    value == Self.value(sample, attempt: attempt),
                    time == self.time(sample, attempt: attempt)
                else {
                    finding.unsent += 1
                    continue
                }
                if attempts[sample] & (1 << UInt16(attempt)) != 0 { finding.doubled += 1 }
                attempts[sample] |= 1 << UInt16(attempt)
            }
        }
        for batch in batches {
            guard let acknowledged = batch.acknowledged else { continue }
            let first = attempts[batch.first]
            for sample in batch.first..<(batch.first + batch.count) {
                let found = attempts[sample]
                if found == 0 {
                    finding.missing += 1
                } else if found.nonzeroBitCount > 1 {
                    finding.doubled += 1
                } else if found != first {
                    finding.wrong += 1
                }
            }
            let attempt = first.trailingZeroBitCount
            let isAsTold =
                acknowledged.isDuplicate
                ? attempt < acknowledged.attempt : attempt == acknowledged.attempt
            if first != 0, batch.id != nil, !isAsTold {
                finding.wrong += 1
                finding.notes.append("\(batch): attempt \(attempt) was found")
            }
            if first == 0 { finding.notes.append("\(batch): its first sample is missing") }
        }
        return finding
    }
}
