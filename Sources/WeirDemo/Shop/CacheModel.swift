/// The caches: hits, misses, evictions, and how full they are.
struct CacheModel: Sendable {
    private struct Cache: Sendable {
        let name: String
        let service: Int
        let lookupsPerRequest: Double
        let hitRatio: Double
        let bytesMax: Double
        let first: Int
        var warmth = 1.0
    }

    private static let warmingSeconds = 240.0

    private var caches: [Cache] = []

    init(_ layout: inout LineLayout) {
        let all: [(String, String, Double, Double, Double)] = [
            ("products", "catalog", 1.6, 0.955, 4e9), ("sessions", "users", 1, 0.985, 1.2e9),
            ("suggestions", "search", 0.8, 0.91, 0.8e9),
            ("similar", "related", 1, 0.87, 2.4e9),
        ]
        for (name, service, lookups, ratio, bytes) in all {
            let first = layout.add(
                "cache",
                [("cache", name), ("service", service)],
                [
                    ("hits_total", .whole), ("misses_total", .whole), ("evictions_total", .whole),
                    ("entries", .whole), ("bytes", .whole), ("limit_bytes", .whole),
                ]
            )
            caches.append(
                Cache(
                    name: name,
                    service: ShopTopology.index(of: service),
                    lookupsPerRequest: lookups,
                    hitRatio: ratio,
                    bytesMax: bytes,
                    first: first
                )
            )
        }
    }

    mutating func advance(
        _ moment: inout ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        for index in caches.indices {
            let trouble = caches[index].name == "products" ? moment.cacheTrouble : 0
            let warming = (1 - caches[index].warmth) * moment.tick / Self.warmingSeconds
            caches[index].warmth = min(caches[index].warmth + warming, 1 - 0.96 * trouble)
            if index == 0 { moment.cacheWarmth = caches[index].warmth }
            let cache = caches[index]
            let service = ShopTopology.services[cache.service]
            let lookups =
                service.requestsPerSecond * moment.demand[cache.service]
                * cache.lookupsPerRequest * moment.tick
            let ratio = min(0.999, cache.hitRatio * cache.warmth + 0.006 * noise.normal())
            let hits = lookups * max(0, ratio)
            values[cache.first] += hits
            values[cache.first + 1] += lookups - hits
            let isFull = cache.warmth > 0.9
            values[cache.first + 2] += (lookups - hits) * (isFull ? 0.85 : 0.02)
            let filled =
                cache.bytesMax * min(1, cache.warmth * 1.02) * (0.97 + 0.01 * noise.uniform())
            values[cache.first + 3] = filled / 2600
            values[cache.first + 4] = filled
            values[cache.first + 5] = cache.bytesMax
        }
    }
}
