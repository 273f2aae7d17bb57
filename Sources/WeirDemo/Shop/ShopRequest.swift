/// What is known of a request that a log line tells of, and that a trace is made of.
///
/// All of it follows from the flow, so that the line and the trace tell of the same.
struct ShopRequest {
    let service: ShopTopology.Service
    let serviceIndex: Int
    /// 0 to 2: which of the service's instances answered.
    let instance: Int
    let host: String
    let route: ShopTopology.Route
    let routeIndex: Int
    let milliseconds: Double
    let traceHigh: UInt64
    let traceLow: UInt64
    let user: Int
    let address: [Int]
    let item: Int
    let isFailure: Bool
    /// When the line is written, at the end of the request: nanoseconds since 1970.
    let time: Int64
    let flow: UInt64
    /// Whether a trace is told of it.
    let isSampled: Bool
    /// Chance that goes on where this request ended.
    let noise: ShopNoise

    init(_ event: LogModel.Event, time: Int64, moment: ShopMoment) {
        var noise = ShopNoise(seed: event.flow)
        service = ShopTopology.services[event.service]
        serviceIndex = event.service
        traceHigh = noise.bits()
        traceLow = noise.bits()
        user = 1000 + noise.below(48_000)
        address = [10 + noise.below(180), noise.below(256), noise.below(256), noise.below(254)]
        item = noise.below(9000)
        routeIndex = noise.below(service.routes.count)
        route = service.routes[routeIndex]
        instance = noise.below(3)
        host = ShopTopology.hosts[ShopTopology.host(service: event.service, instance: instance)]
        let slowness = moment.slowness(of: event.service) * max(0.3, 1 + 0.5 * noise.normal())
        milliseconds = route.medianSeconds * 1000 * slowness
        isFailure = event.isFailure
        self.time = time
        flow = event.flow
        isSampled = event.isSampled
        self.noise = noise
    }

    /// The id of the span in which a service answered this flow's request.
    static func spanID(flow: UInt64, service: Int) -> UInt64 {
        id(flow: flow, place: UInt64(service) + 1)
    }

    /// The id of another span of the flow.
    static func id(flow: UInt64, place: UInt64) -> UInt64 {
        var noise = ShopNoise(seed: flow ^ (place &* 0xD1B5_4A32_D192_ED03))
        // All zeros mean that there is none.
        return noise.bits() | 1
    }

    var spanID: UInt64 { Self.spanID(flow: flow, service: serviceIndex) }
}
