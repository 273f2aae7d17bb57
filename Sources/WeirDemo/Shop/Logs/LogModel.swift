/// What the services write to their logs: a part of the requests, and every failure.
///
/// The lines of a tick depend on the seed and the tick's moment alone, so that they are the same
/// however often the shop is told about. Failures come at the rate that the metrics count them.
struct LogModel: Sendable {
    private let seed: UInt64
    private let sampling: SpanSampling

    init(seed: UInt64, anchorSeconds: Int64) {
        self.seed = seed
        sampling = SpanSampling(anchorSeconds: anchorSeconds)
    }

    /// One line that will be written.
    struct Event {
        /// Nanoseconds into the tick.
        var offset: Int64
        let service: Int
        let isFailure: Bool
        /// Of everything that its flow has in common.
        let flow: UInt64
        /// Whether a trace is told of it.
        let isSampled: Bool
        /// Whether another event of the same flow, which happened before, has the trace.
        var isEcho = false
    }

    /// Appends the lines of the tick that ends at a moment, in the order of their times.
    ///
    /// - Returns: How many there are.
    func append(_ moment: ShopMoment, endSeconds: Int64, to output: inout [UInt8]) -> Int {
        let start = endSeconds * 1_000_000_000 - Int64(moment.tick * 1_000_000_000)
        let events = events(moment, endSeconds: endSeconds)
        var voice = LogVoice(moment: moment)
        for event in events { voice.append(event, time: start + event.offset, to: &output) }
        return events.count
    }

    /// Adds the traces of the tick that ends at a moment.
    func append(_ moment: ShopMoment, endSeconds: Int64, to writer: inout SpanWriter) {
        let start = endSeconds * 1_000_000_000 - Int64(moment.tick * 1_000_000_000)
        let events = events(moment, endSeconds: endSeconds)
        var echoes: [UInt64: Int64] = [:]
        for event in events where event.isEcho { echoes[event.flow] = start + event.offset }
        var teller = TraceTeller(moment: moment)
        for event in events where event.isSampled && !event.isEcho {
            let request = ShopRequest(event, time: start + event.offset, moment: moment)
            teller.tell(request, echo: echoes[event.flow], to: &writer)
        }
        if sampling.hasBatch(endSeconds: endSeconds) {
            teller.tellBatch(seed: seed, endSeconds: endSeconds, to: &writer)
        }
    }

    private func events(_ moment: ShopMoment, endSeconds: Int64) -> [Event] {
        var noise = ShopNoise(seed: seed ^ UInt64(bitPattern: endSeconds) &* 0x2545_F491_4F6C_DD1D)
        let tick = Int64(moment.tick * 1_000_000_000)
        var events: [Event] = []
        events.reserveCapacity(400)
        for service in ShopTopology.services.indices {
            addRequests(service, moment, tick, endSeconds, &noise, &events)
        }
        events.sort { $0.offset < $1.offset }
        return events
    }

    private func addRequests(
        _ index: Int,
        _ moment: ShopMoment,
        _ tick: Int64,
        _ endSeconds: Int64,
        _ noise: inout ShopNoise,
        _ events: inout [Event]
    ) {
        let service = ShopTopology.services[index]
        let requests = service.requestsPerSecond * moment.demand[index] * moment.tick
        // Small services write about more of their requests than busy ones.
        let share = service.requestsPerSecond < 30 ? 0.05 : 0.012
        for _ in 0..<Int(requests * share + noise.uniform()) {
            events.append(event(index, isFailure: false, tick, endSeconds, &noise))
        }
        let failures = requests * moment.errorRatio(of: index)
        for _ in 0..<min(200, Int(failures + noise.uniform())) {
            let failure = event(index, isFailure: true, tick, endSeconds, &noise)
            events.append(failure)
            // Half of what payment fails at, checkout tells of as well, a moment later and with
            // the same trace.
            if service.name == "payment", failure.flow & 1 == 0 {
                events.append(
                    Event(
                        offset: min(tick - 1, failure.offset + 3_100_000 + noise.delay()),
                        service: ShopTopology.index(of: "checkout"),
                        isFailure: true,
                        flow: failure.flow,
                        isSampled: failure.isSampled,
                        isEcho: true
                    )
                )
            }
        }
    }

    private func event(
        _ service: Int,
        isFailure: Bool,
        _ tick: Int64,
        _ endSeconds: Int64,
        _ noise: inout ShopNoise
    ) -> Event {
        let offset = Int64(noise.uniform() * Double(tick))
        let flow = noise.bits()
        return Event(
            offset: offset,
            service: service,
            isFailure: isFailure,
            flow: flow,
            isSampled: sampling.takes(
                flow: flow,
                service: service,
                isFailure: isFailure,
                endSeconds: endSeconds
            )
        )
    }
}

extension ShopNoise {
    /// Up to four milliseconds, in nanoseconds.
    fileprivate mutating func delay() -> Int64 { Int64(below(4_000_000)) }
}
