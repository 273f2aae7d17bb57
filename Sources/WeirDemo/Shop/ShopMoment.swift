/// What the parts of the shop have to know of each other during one tick.
struct ShopMoment: Sendable {
    /// Seconds since 1970.
    let seconds: Double
    /// How long the tick is, in seconds.
    let tick: Double
    /// Traffic as a part of the busiest hour's.
    let traffic: Double
    let paymentTrouble: Double
    let emailTrouble: Double
    let cacheTrouble: Double
    let batchTrouble: Double
    /// 0 cold, 1 warm.
    var cacheWarmth = 1.0
    /// Busy part of each host's processors, 0...1.
    var hostBusy = [Double](repeating: 0.3, count: ShopTopology.hosts.count)
    /// Of each service: how many requests, as a part of the busiest hour's.
    var demand = [Double](repeating: 1, count: ShopTopology.services.count)

    /// One in which nothing happens.
    init(quietAtSeconds seconds: Double) {
        self.init(
            seconds: seconds,
            tick: 10,
            traffic: 0,
            paymentTrouble: 0,
            emailTrouble: 0,
            cacheTrouble: 0,
            batchTrouble: 0
        )
    }

    init(
        seconds: Double,
        tick: Double,
        traffic: Double,
        paymentTrouble: Double,
        emailTrouble: Double,
        cacheTrouble: Double,
        batchTrouble: Double
    ) {
        self.seconds = seconds
        self.tick = tick
        self.traffic = traffic
        self.paymentTrouble = paymentTrouble
        self.emailTrouble = emailTrouble
        self.cacheTrouble = cacheTrouble
        self.batchTrouble = batchTrouble
    }

    /// How much slower a service answers than in quiet times.
    func slowness(of service: Int) -> Double {
        switch ShopTopology.services[service].name {
        case "payment": 1 + 11 * paymentTrouble
        case "checkout": 1 + 5 * paymentTrouble
        case "gateway": 1 + 0.5 * paymentTrouble + 0.6 * (1 - cacheWarmth)
        case "catalog": 1 + 5 * (1 - cacheWarmth)
        case "search", "related": 1 + 1.2 * (1 - cacheWarmth)
        case "email": 1 + 3 * emailTrouble
        default: 1
        }
    }

    /// The part of a service's requests that fail.
    func errorRatio(of service: Int) -> Double {
        let quiet = ShopTopology.services[service].errorRatio
        return switch ShopTopology.services[service].name {
        case "payment": quiet + 0.21 * paymentTrouble
        case "checkout": quiet + 0.13 * paymentTrouble
        case "gateway": quiet + 0.009 * paymentTrouble + 0.004 * (1 - cacheWarmth)
        case "catalog": quiet + 0.035 * cacheTrouble
        case "email": quiet + 0.16 * emailTrouble
        default: quiet
        }
    }

    /// Queueing: hardly anything until the host is busy, then steeply more.
    static func slowness(ofBusyHost busy: Double) -> Double {
        1 + 2.5 * max(0, busy - 0.75) / 0.25
    }
}
