/// What the shop earns.
struct BusinessModel: Sendable {
    private static let regions: [(name: String, share: Double, basket: Double)] = [
        ("eu", 0.5, 54), ("us", 0.35, 71), ("apac", 0.15, 46),
    ]

    private let places: [Int]
    private var wanders = regions.map { _ in Wander(keep: 0.97) }

    init(_ layout: inout LineLayout) {
        places = Self.regions.map { region in
            layout.add(
                "shop",
                [("region", region.name)],
                [
                    ("orders_total", .whole), ("revenue_euros_total", .decimal),
                    ("visitors", .whole), ("carts_active", .whole),
                    ("carts_abandoned_total", .whole), ("payments_declined_total", .whole),
                ]
            )
        }
    }

    mutating func advance(
        _ moment: ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        let checkout = ShopTopology.index(of: "checkout")
        let wished =
            ShopTopology.services[checkout].requestsPerSecond * moment.demand[checkout] * 0.32
        let lost = 0.55 * moment.paymentTrouble + 0.12 * (1 - moment.cacheWarmth)
        for (index, region) in Self.regions.enumerated() {
            wanders[index].advance(&noise)
            let rate =
                wished * region.share * max(0.2, 1 + 0.06 * wanders[index].value)
                * max(0.1, 1 + 0.1 * noise.normal())
            let orders = rate * (1 - lost) * moment.tick
            let place = places[index]
            values[place] += orders
            values[place + 1] += orders * region.basket * max(0.4, 1 + 0.08 * noise.normal())
            values[place + 2] = rate * 420 * (1 + 0.01 * noise.normal())
            values[place + 3] = rate * 95 * (1 + 0.5 * lost) * (1 + 0.02 * noise.normal())
            values[place + 4] += rate * (0.35 + 0.6 * lost) * moment.tick
            values[place + 5] += rate * (0.02 + 0.3 * moment.paymentTrouble) * moment.tick
        }
    }
}
