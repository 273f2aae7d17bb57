/// The hosts: processors, memory, disks, network.
struct HostModel: Sendable {
    private static let modes = ["user", "system", "iowait", "softirq", "idle"]
    private static let memoryTotal = 32.0 * 1_073_741_824
    private static let mounts: [(path: String, size: Double)] = [
        ("/", 40.0 * 1_073_741_824), ("/var", 120.0 * 1_073_741_824),
    ]
    /// The batch job's victim.
    private static let batchHost = 2
    /// The host whose logs fill `/var` until they are rotated.
    private static let logHost = 4
    private static let logPeriod = 5.0 * 3600

    private struct Host: Sendable {
        let modes: [Int]
        let memory: Int
        let mounts: [Int]
        let disk: Int
        let network: Int
        var wander = Wander(keep: 0.95)
        var load = [1.0, 1.0, 1.0]
    }

    private var hosts: [Host] = []
    private let anchorSeconds: Double

    init(_ layout: inout LineLayout, anchorSeconds: Double) {
        self.anchorSeconds = anchorSeconds
        for name in ShopTopology.hosts {
            let tags = [("host", name)]
            hosts.append(
                Host(
                    modes: Self.modes.map {
                        layout.add("node", tags + [("mode", $0)], [("cpu_seconds_total", .decimal)])
                    },
                    memory: layout.add(
                        "node",
                        tags,
                        [
                            ("memory_total_bytes", .whole), ("memory_used_bytes", .whole),
                            ("memory_cached_bytes", .whole), ("load1", .decimal),
                            ("load5", .decimal), ("load15", .decimal), ("cpu_count", .whole),
                        ]
                    ),
                    mounts: Self.mounts.map {
                        layout.add(
                            "node",
                            tags + [("mountpoint", $0.path)],
                            [
                                ("filesystem_size_bytes", .whole),
                                ("filesystem_free_bytes", .whole),
                            ]
                        )
                    },
                    disk: layout.add(
                        "node",
                        tags + [("device", "nvme0n1")],
                        [
                            ("disk_read_bytes_total", .whole),
                            ("disk_written_bytes_total", .whole),
                            ("disk_io_seconds_total", .decimal),
                        ]
                    ),
                    network: layout.add(
                        "node",
                        tags + [("device", "eth0")],
                        [
                            ("network_receive_bytes_total", .whole),
                            ("network_transmit_bytes_total", .whole),
                            ("network_errors_total", .whole),
                        ]
                    )
                )
            )
        }
    }

    mutating func advance(
        _ moment: inout ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        for index in hosts.indices {
            hosts[index].wander.advance(&noise)
            let quiet = 0.16 + 0.045 * Double((index * 5) % 4)
            let batch = index == Self.batchHost ? moment.batchTrouble : 0
            var busy = quiet + 0.26 * moment.traffic + 0.035 * hosts[index].wander.value
            busy += 0.1 * (1 - moment.cacheWarmth) * (index % 2 == 1 ? 1 : 0.3)
            busy = min(max(busy, 0.03), 0.9)
            busy += (0.975 - busy) * batch
            moment.hostBusy[index] = busy
            let waiting =
                (0.015 + 0.03 * (1 - moment.cacheWarmth)) * max(0.2, 1 + 0.4 * noise.normal())
            let shares = [busy * 0.76, busy * 0.2, waiting, busy * 0.04]
            let cores = ShopTopology.coresPerHost
            let idle = max(0, 1 - shares.reduce(0, +))
            for (place, share) in zip(hosts[index].modes, shares + [idle]) {
                values[place] += share * cores * moment.tick
            }
            advanceMemoryAndLoad(index, busy: busy, batch: batch, moment, &noise, &values)
            advanceDisks(index, busy: busy, batch: batch, moment, &noise, &values)
        }
    }

    private mutating func advanceMemoryAndLoad(
        _ index: Int,
        busy: Double,
        batch: Double,
        _ moment: ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        let host = hosts[index]
        let used = 0.34 + 0.03 * Double(index % 3) + 0.1 * moment.traffic + 0.22 * batch
        values[host.memory] = Self.memoryTotal
        values[host.memory + 1] = Self.memoryTotal * (used + 0.004 * noise.normal())
        values[host.memory + 2] = Self.memoryTotal * (0.9 - used) * 0.8
        let runnable = busy * ShopTopology.coresPerHost * (1 + 0.1 * noise.normal()) + 9 * batch
        for (place, seconds) in [60.0, 300, 900].enumerated() {
            let weight = min(1, moment.tick / seconds)
            hosts[index].load[place] += (runnable - hosts[index].load[place]) * weight
            values[host.memory + 3 + place] = max(0, hosts[index].load[place])
        }
        values[host.memory + 6] = ShopTopology.coresPerHost
    }

    private func advanceDisks(
        _ index: Int,
        busy: Double,
        batch: Double,
        _ moment: ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        let host = hosts[index]
        for (place, mount) in Self.mounts.enumerated() {
            var used = place == 0 ? 0.41 + 0.02 * Double(index) : 0.36 + 0.05 * Double(index % 4)
            if place == 1 {
                let phase = (moment.seconds - anchorSeconds) / Self.logPeriod + 0.8
                let round = phase - phase.rounded(.down)
                used = index == Self.logHost ? 0.45 + 0.5 * round : used + 0.03 * round
            }
            values[host.mounts[place]] = mount.size
            values[host.mounts[place] + 1] = mount.size * (1 - used)
        }
        let jitter = max(0.1, 1 + 0.3 * noise.normal())
        values[host.disk] +=
            (2.1e6 + 9e6 * (1 - moment.cacheWarmth) + 4e7 * batch) * jitter * moment.tick
        values[host.disk + 1] +=
            (5.2e6 * (0.4 + moment.traffic) + 2e7 * batch) * jitter * moment.tick
        values[host.disk + 2] += (0.04 + 0.2 * busy + 0.5 * batch) * moment.tick
        let network = 1.4e7 * (0.2 + moment.traffic) * max(0.2, 1 + 0.12 * noise.normal())
        values[host.network] += network * moment.tick
        values[host.network + 1] += network * (1.3 + 0.2 * Double(index % 3)) * moment.tick
        values[host.network + 2] += noise.uniform() < 0.01 ? 1 : 0
    }
}
