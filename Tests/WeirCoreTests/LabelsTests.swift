import Testing
import WeirCore
import WeirTestSupport

@Suite struct LabelsTests {
    @Test func orderOfPairsDoesNotMatter() {
        let left = Labels([("b", "2"), ("__name__", "m"), ("a", "1")])
        let right = Labels([("a", "1"), ("b", "2"), ("__name__", "m")])
        #expect(left == right)
        #expect(left.description == "m{a=\"1\", b=\"2\"}")
        #expect(left.count == 3)
    }

    @Test func emptyValuesDoNotExistAndTheLastPairWins() {
        #expect(Labels([("a", ""), ("b", "1"), ("b", "2")]) == Labels([("b", "2")]))
        #expect(Labels([("a", "1")]).setting("a", to: "") == .empty)
    }

    @Test func partsAreFound() {
        let labels = Labels([("__name__", "m"), ("host", "a b"), ("zone", "é")])
        #expect(labels.metricName == "m")
        #expect(labels["host"] == "a b")
        #expect(labels["zone"] == "é")
        #expect(labels["ho"] == nil)
        #expect(labels[""] == nil)
        #expect(labels.droppingMetricName == Labels([("host", "a b"), ("zone", "é")]))
        #expect(
            labels.keeping(["zone", "__name__"]) == Labels([("__name__", "m"), ("zone", "é")])
        )
        #expect(labels.dropping(["__name__", "host"]) == Labels([("zone", "é")]))
        for names in [["zone", "__name__"], ["hos", "hosts", ""], ["host"], []] as [[String]] {
            var (kept, others): ([UInt8], [UInt8]) = ([7], [])
            labels.appendPairs(named: LabelNames(names), true, to: &kept)
            labels.appendPairs(named: LabelNames(names), false, to: &others)
            #expect(kept == [7] + labels.keeping(Set(names)).bytes)
            #expect(others == labels.dropping(Set(names)).bytes)
        }
    }

    @Test func streamsOfOneMetricAreNeighbours() {
        let sorted = [
            Labels([("__name__", "cpu_user"), ("host", "a")]),
            Labels([("__name__", "cpu"), ("host", "b")]),
            Labels([("__name__", "cpu"), ("host", "a")]),
            Labels([("host", "a")]),
        ].sorted()
        let names = sorted.map { $0.metricName ?? "" }
        #expect(names.filter { $0 == "cpu" }.count == 2)
        #expect(names.firstIndex(of: "cpu").map { names[$0 + 1] } == "cpu")
    }

    @Test(
        arguments: [
            ([0x00], .truncated(offset: 1, needed: 1)),
            ([0x01, 0x61], .truncated(offset: 2, needed: 1)),
            ([0x01, 0x61, 0x05, 0x62], .truncated(offset: 3, needed: 4)),
            ([0x01, 0x61, 0x00], .notCanonical(offset: 3)),
            ([0x01, 0x62, 0x01, 0x31, 0x01, 0x61, 0x01, 0x31], .notCanonical(offset: 5)),
            ([0x01, 0x61, 0x01, 0x31, 0x01, 0x61, 0x01, 0x32], .notCanonical(offset: 5)),
        ] as [([UInt8], DecodeError)]
    )
    func otherFormsAreRefused(_ bytes: [UInt8], _ expected: DecodeError) {
        #expect(throws: expected) { try Labels(validating: bytes) }
    }

    /// What was made is valid, and mutated bytes are refused or canonical, never a trap.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func survivesMutation(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let pairs = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            (
                "k\(Int.random(in: 0..<9, using: &random))",
                String(repeating: "v", count: Int.random(in: 0...200, using: &random))
            )
        }
        let labels = Labels(pairs)
        #expect(try Labels(validating: labels.bytes) == labels, "seed \(seed)")
        guard !labels.bytes.isEmpty else { return }
        var bytes = labels.bytes
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
            in: 0...255,
            using: &random
        )
        if let other = try? Labels(validating: bytes) {
            #expect(Labels(other.pairs.map { ($0.name, $0.value) }).count <= other.count)
        }
    }
}
