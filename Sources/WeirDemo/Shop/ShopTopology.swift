/// What the simulated shop is made of: its services, where they run and what they do.
enum ShopTopology {
    struct Route: Sendable {
        let method: String
        let path: String
        /// Its part of the service's requests; those of a service add up to 1.
        let share: Double
        let medianSeconds: Double
    }

    struct Service: Sendable {
        let name: String
        /// All instances together, at the busiest hour.
        let requestsPerSecond: Double
        let errorRatio: Double
        /// Of the logarithm of the latency: how long the tail is.
        let spread: Double
        let routes: [Route]
    }

    static let instancesPerService = 3
    static let hosts = (1...6).map { "node-\($0)" }
    static let coresPerHost = 8.0

    /// Spread so that the instances of a service are on different hosts.
    static func host(service: Int, instance: Int) -> Int { (service + instance * 2) % hosts.count }

    static func index(of service: String) -> Int {
        services.firstIndex { $0.name == service } ?? 0
    }

    static let services = [
        Service(
            name: "gateway",
            requestsPerSecond: 420,
            errorRatio: 0.0012,
            spread: 0.55,
            routes: [
                Route(method: "GET", path: "/home", share: 0.3, medianSeconds: 0.028),
                Route(method: "GET", path: "/api", share: 0.5, medianSeconds: 0.041),
                Route(method: "GET", path: "/assets", share: 0.2, medianSeconds: 0.004),
            ]
        ),
        Service(
            name: "checkout",
            requestsPerSecond: 24,
            errorRatio: 0.003,
            spread: 0.5,
            routes: [
                Route(method: "POST", path: "/orders", share: 0.4, medianSeconds: 0.14),
                Route(method: "POST", path: "/pay", share: 0.35, medianSeconds: 0.19),
                Route(method: "GET", path: "/quote", share: 0.25, medianSeconds: 0.045),
            ]
        ),
        Service(
            name: "cart",
            requestsPerSecond: 90,
            errorRatio: 0.0009,
            spread: 0.45,
            routes: [
                Route(method: "GET", path: "/cart", share: 0.65, medianSeconds: 0.009),
                Route(method: "POST", path: "/cart/items", share: 0.28, medianSeconds: 0.016),
                Route(method: "DELETE", path: "/cart/items", share: 0.07, medianSeconds: 0.013),
            ]
        ),
        Service(
            name: "catalog",
            requestsPerSecond: 180,
            errorRatio: 0.0006,
            spread: 0.6,
            routes: [
                Route(method: "GET", path: "/products", share: 0.35, medianSeconds: 0.022),
                Route(method: "GET", path: "/products/:id", share: 0.55, medianSeconds: 0.011),
                Route(method: "GET", path: "/categories", share: 0.1, medianSeconds: 0.007),
            ]
        ),
        Service(
            name: "search",
            requestsPerSecond: 110,
            errorRatio: 0.0015,
            spread: 0.7,
            routes: [
                Route(method: "GET", path: "/search", share: 0.6, medianSeconds: 0.065),
                Route(method: "GET", path: "/suggest", share: 0.4, medianSeconds: 0.012),
            ]
        ),
        Service(
            name: "payment",
            requestsPerSecond: 20,
            errorRatio: 0.004,
            spread: 0.45,
            routes: [
                Route(method: "POST", path: "/charge", share: 0.75, medianSeconds: 0.16),
                Route(method: "POST", path: "/refund", share: 0.05, medianSeconds: 0.18),
                Route(method: "GET", path: "/methods", share: 0.2, medianSeconds: 0.02),
            ]
        ),
        Service(
            name: "shipping",
            requestsPerSecond: 16,
            errorRatio: 0.002,
            spread: 0.5,
            routes: [
                Route(method: "POST", path: "/rates", share: 0.6, medianSeconds: 0.085),
                Route(method: "POST", path: "/labels", share: 0.15, medianSeconds: 0.21),
                Route(method: "GET", path: "/track", share: 0.25, medianSeconds: 0.03),
            ]
        ),
        Service(
            name: "users",
            requestsPerSecond: 70,
            errorRatio: 0.001,
            spread: 0.4,
            routes: [
                Route(method: "POST", path: "/login", share: 0.15, medianSeconds: 0.09),
                Route(method: "GET", path: "/me", share: 0.8, medianSeconds: 0.006),
                Route(method: "POST", path: "/register", share: 0.05, medianSeconds: 0.12),
            ]
        ),
        Service(
            name: "related",
            requestsPerSecond: 95,
            errorRatio: 0.002,
            spread: 0.65,
            routes: [
                Route(method: "GET", path: "/similar", share: 0.7, medianSeconds: 0.034),
                Route(method: "GET", path: "/trending", share: 0.3, medianSeconds: 0.015),
            ]
        ),
        Service(
            name: "inventory",
            requestsPerSecond: 60,
            errorRatio: 0.0008,
            spread: 0.45,
            routes: [
                Route(method: "GET", path: "/stock", share: 0.8, medianSeconds: 0.008),
                Route(method: "POST", path: "/reserve", share: 0.2, medianSeconds: 0.027),
            ]
        ),
        Service(
            name: "fraud",
            requestsPerSecond: 20,
            errorRatio: 0.001,
            spread: 0.5,
            routes: [
                Route(method: "POST", path: "/score", share: 1, medianSeconds: 0.048)
            ]
        ),
        Service(
            name: "email",
            requestsPerSecond: 14,
            errorRatio: 0.002,
            spread: 0.4,
            routes: [
                Route(method: "POST", path: "/render", share: 0.5, medianSeconds: 0.025),
                Route(method: "POST", path: "/send", share: 0.5, medianSeconds: 0.11),
            ]
        ),
    ]
}
