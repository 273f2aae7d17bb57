/// The tags of one host, in the shape of the Time Series Benchmark Suite's `cpu` table.
enum HostTags {
    private static let regions = [
        "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1",
        "ap-southeast-2", "ap-northeast-1", "sa-east-1",
    ]
    private static let systems = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"]
    private static let architectures = ["x64", "x86"]
    private static let teams = ["SF", "NYC", "LON", "CHI"]
    private static let environments = ["production", "staging", "test"]

    /// `measurement,hostname=host_7,region=…` and a blank.
    static func head(
        _ measurement: String,
        host: Int,
        _ numbers: inout SeededNumbers
    ) -> [UInt8] {
        let region = regions[numbers.index(below: regions.count)]
        let zone = ["a", "b", "c"][numbers.index(below: 3)]
        let tags = [
            "\(measurement),hostname=host_\(host)", "region=\(region)",
            "datacenter=\(region)\(zone)", "rack=\(numbers.index(below: 100))",
            "os=\(systems[numbers.index(below: systems.count)])",
            "arch=\(architectures[numbers.index(below: architectures.count)])",
            "team=\(teams[numbers.index(below: teams.count)])",
            "service=\(numbers.index(below: 20))",
            "service_version=\(numbers.index(below: 2))",
            "service_environment=\(environments[numbers.index(below: environments.count)])",
        ]
        return Array((tags.joined(separator: ",") + " ").utf8)
    }
}
