internal import WeirCore
internal import WeirQuery
internal import WeirStore

/// The settings of rollups.
extension ConfigurationKey {
    static let rollups: [ConfigurationKey] = [
        ConfigurationKey(
            name: "rollup-after",
            summary: "roll a day of metrics up when it has been over this long; `none`: never",
            get: { $0.rollupAfter.map { Units.text(nanoseconds: $0) } ?? "none" },
            set: { configuration, text in
                let after = text == "none" ? nil : Units.nanoseconds(text)
                configuration.rollupAfter = after
                return text == "none" || after != nil
            }
        ),
        retention("rollup-5m-retention", .fiveMinutes),
        retention("rollup-1h-retention", .oneHour),
        ConfigurationKey(
            name: "rollups",
            summary:
                "answer from rollups: `exact`ly what samples give, also `rounded` sums, or `off`",
            get: { $0.rollups.rawValue },
            set: { configuration, text in
                guard let use = RollupUse(rawValue: text) else { return false }
                configuration.rollups = use
                return true
            }
        ),
    ]

    private static func retention(
        _ name: String,
        _ resolution: RollupResolution
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            summary: "delete these rollups after this; `samples`: with what they are of; `none`",
            get: { configuration in
                switch configuration.rollupRetention[resolution] ?? .asSamples {
                case .asSamples: "samples"
                case .forever: "none"
                case .age(let age): Units.text(nanoseconds: age)
                }
            },
            set: { configuration, text in
                let retention: RollupRetention? =
                    switch text {
                    case "samples": .asSamples
                    case "none": .forever
                    default: Units.nanoseconds(text).map { .age($0) }
                    }
                guard let retention else { return false }
                configuration.rollupRetention[resolution] = retention
                return true
            }
        )
    }
}
