// swift-tools-version: 6.3
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]
/// Only the modules that define `~Escapable` types need this one.
let lifetimes: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

/// A system library of Debian's, seen through `Sources/<name>/module.modulemap`.
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// A module of Weir's.
///
/// `dependencies` are its edges; the tidy test holds them to the rows.
func module(
    _ name: String,
    _ dependencies: [Target.Dependency],
    _ extra: [SwiftSetting] = []
)
    -> Target
{
    .target(
        name: name,
        dependencies: dependencies,
        exclude: ["README.md"],
        swiftSettings: house + extra
    )
}

func tests(
    of name: String,
    _ dependencies: [Target.Dependency] = [],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name), "WeirTestSupport"] + dependencies,
        exclude: exclude,
        swiftSettings: house
    )
}

let package = Package(
    name: "weir",
    products: [.executable(name: "weir", targets: ["weir"])],
    targets: [
        system("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-gnutls-dev"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        system("CPCRE2", pkgConfig: "libpcre2-8", apt: "libpcre2-dev"),
        system("CSnappy", pkgConfig: "snappy", apt: "libsnappy-dev"),
        // What glibc has and its Swift module lacks: a part of the system, and of no package.
        .systemLibrary(name: "CGlibc"),
        .target(name: "CTerminalGuard", exclude: ["README.md"]),

        // Row 0
        module("WeirCore", [], lifetimes),
        // Row 1
        module("WeirSystem", ["WeirCore", "CGlibc"]),
        module("WeirColumns", ["WeirCore", "CDeflate", "CGlibc"]),
        module("WeirPattern", ["WeirCore", "CPCRE2"]),
        module("WeirYAML", ["WeirCore", "CYAML"]),
        // Row 2
        module("WeirWire", ["WeirCore", "CSnappy"]),
        module("WeirStore", ["WeirCore", "WeirSystem", "WeirColumns", "WeirPattern", "CSQLite"]),
        // Row 3
        module("WeirQuery", ["WeirCore", "WeirSystem", "WeirColumns", "WeirPattern"]),
        module("WeirAlerts", ["WeirCore", "WeirSystem", "WeirYAML", "WeirPattern", "WeirStore"]),
        module("WeirHTTP", ["WeirCore", "WeirSystem", "CMicroHTTPD", "CCurl", "CZlib"]),
        module("WeirTerminal", ["WeirCore", "CTerminalGuard"]),
        // Row 4
        module(
            "WeirServer",
            [
                "WeirCore", "WeirSystem", "WeirColumns", "WeirPattern", "WeirYAML", "WeirWire",
                "WeirStore", "WeirQuery", "WeirAlerts", "WeirHTTP",
            ]
        ),
        module("WeirTUI", ["WeirCore", "WeirSystem", "WeirYAML", "WeirHTTP", "WeirTerminal"]),
        module("WeirDemo", ["WeirCore", "WeirSystem", "WeirHTTP"]),
        // Row 5
        .executableTarget(
            name: "weir",
            dependencies: [
                "WeirCore", "WeirSystem", "WeirStore", "WeirQuery", "WeirAlerts", "WeirHTTP",
                "WeirServer", "WeirTerminal", "WeirTUI", "WeirDemo",
            ],
            exclude: ["README.md"],
            swiftSettings: house
        ),
        .executableTarget(
            name: "weir-bench",
            dependencies: ["WeirCore", "WeirSystem", "WeirColumns", "WeirHTTP", "WeirWire"],
            path: "Benchmarks/WeirBench",
            exclude: ["README.md"],
            swiftSettings: house
        ),

        .target(
            name: "WeirTestSupport",
            dependencies: ["WeirCore", "WeirSystem", "WeirHTTP", "WeirTerminal"],
            path: "Tests/WeirTestSupport",
            swiftSettings: house
        ),
        .target(
            name: "WeirDifferential",
            dependencies: ["WeirCore", "WeirPattern", "WeirQuery", "WeirTestSupport"],
            path: "Tests/WeirDifferential",
            swiftSettings: house
        ),
        .executableTarget(
            name: "weir-differential",
            dependencies: ["WeirDifferential"],
            path: "Fuzz/Differential",
            swiftSettings: house
        ),
        tests(of: "WeirCore"),
        tests(of: "WeirSystem", ["WeirCore"]),
        tests(of: "WeirColumns", ["WeirCore"]),
        tests(of: "WeirPattern", ["WeirCore"]),
        tests(of: "WeirYAML", ["WeirCore"]),
        tests(of: "WeirWire", ["WeirCore"]),
        tests(
            of: "WeirStore",
            ["WeirCore", "WeirSystem", "WeirColumns", "WeirPattern"],
            exclude: ["Goldens"]
        ),
        tests(
            of: "WeirQuery",
            ["WeirCore", "WeirColumns", "WeirPattern", "WeirDifferential"],
            exclude: ["Scripts"]
        ),
        tests(of: "WeirAlerts", ["WeirCore", "WeirSystem", "WeirYAML", "WeirStore"]),
        tests(of: "WeirHTTP", ["WeirCore", "WeirSystem"]),
        tests(of: "WeirTerminal", ["WeirCore"], exclude: ["Goldens"]),
        tests(
            of: "WeirTUI",
            ["WeirCore", "WeirYAML", "WeirHTTP", "WeirTerminal", "weir"],
            exclude: ["Goldens", "Dashboards"]
        ),
        tests(
            of: "WeirServer",
            [
                "WeirCore", "WeirSystem", "WeirHTTP", "WeirStore", "WeirQuery", "WeirAlerts",
                "WeirWire", "WeirDifferential",
            ]
        ),
        tests(
            of: "WeirDemo",
            ["WeirCore", "WeirSystem", "WeirWire", "WeirQuery", "WeirAlerts", "WeirTUI"]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "WeirTestSupport", "WeirCore", "WeirSystem", "WeirWire", "WeirHTTP", "weir",
            ],
            exclude: ["Clients"],
            swiftSettings: house
        ),
        .testTarget(
            name: "TidyTests",
            dependencies: ["WeirTestSupport", "WeirCore", "WeirSystem"],
            swiftSettings: house
        ),
    ]
)

// Fuzz targets link libFuzzer's own `main`, so they exist only when asked for.
if Context.environment["WEIR_FUZZ"] != nil {
    func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
        .executableTarget(
            name: name,
            dependencies: dependencies,
            path: "Fuzz/\(name)",
            swiftSettings: house
        )
    }
    package.targets += [
        fuzz("LineProtocolFuzz", ["WeirCore", "WeirWire"]),
        fuzz("JSONLogFuzz", ["WeirCore", "WeirWire"]),
        fuzz("OTLPLogFuzz", ["WeirCore", "WeirWire"]),
        fuzz("OTLPSpanFuzz", ["WeirCore", "WeirWire"]),
        fuzz("OTLPMetricFuzz", ["WeirCore", "WeirWire"]),
        fuzz("RemoteWriteFuzz", ["WeirCore", "WeirWire"]),
        fuzz("MetricTextFuzz", ["WeirCore", "WeirWire"]),
        fuzz("ThriftSpanFuzz", ["WeirCore", "WeirWire"]),
        fuzz("PromQLFuzz", ["WeirCore", "WeirQuery"]),
        fuzz("LogQLFuzz", ["WeirCore", "WeirQuery"]),
        fuzz("TraceQLFuzz", ["WeirCore", "WeirQuery"]),
        fuzz("FieldFuzz", ["WeirCore", "WeirColumns", "WeirStore"]),
        fuzz("SegmentFuzz", ["WeirCore", "WeirSystem", "WeirColumns", "WeirStore"]),
    ]
}
