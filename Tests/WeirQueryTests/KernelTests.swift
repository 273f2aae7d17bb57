import Testing
import WeirColumns
import WeirCore
import WeirQuery
import WeirTestSupport

/// Kernels that share work between windows agree with looking at each window alone.
@Suite struct KernelTests {
    private struct Input {
        var times: [Int64] = []
        var values: [Double] = []

        init(seed: UInt64, count: Int) {
            var random = SplitMix64(seed: seed)
            var time: Int64 = 0
            for index in 0..<count {
                time += Int64.random(in: 1...2000, using: &random)
                times.append(time)
                switch Int.random(in: 0..<40, using: &random) {
                case 0 where seed % 3 == 1: values.append(.nan)
                case 1 where seed % 3 == 1: values.append(.infinity)
                case 2 where seed % 5 == 2: values.append(.absent)
                case 3: values.append(Double(index) * 1e17)
                case 4: values.append(Double(index) * -1e17)
                default: values.append(Double.random(in: -5...100, using: &random))
                }
            }
        }
    }

    /// The values in `(end - range, end]`, markers left out.
    private static func window(_ input: Input, _ end: Int64, _ range: Int64) -> [Double] {
        input.times.indices.filter {
            input.times[$0] > end - range && input.times[$0] <= end && !input.values[$0].isAbsent
        }.map { input.values[$0] }
    }

    private static func sum(_ values: [Double]) -> Double {
        var sum = CompensatedSum()
        for value in values { sum.add(value) }
        return sum.value
    }

    private static func naive(_ function: PromQLFunction, _ values: [Double]) -> Double {
        guard !values.isEmpty else { return .absent }
        switch function {
        case .sum_over_time: return sum(values)
        case .avg_over_time:
            var mean = RunningMean()
            for value in values { mean.add(value) }
            return mean.value
        case .min_over_time: return values.filter { !$0.isNaN }.min() ?? .nan
        case .max_over_time: return values.filter { !$0.isNaN }.max() ?? .nan
        case .count_over_time: return Double(values.count)
        case .changes:
            return Double(
                zip(values, values.dropFirst()).filter {
                    $0 != $1 && !($0.isNaN && $1.isNaN)
                }.count
            )
        case .resets: return Double(zip(values, values.dropFirst()).filter { $1 < $0 }.count)
        default: return .absent
        }
    }

    private static func isClose(_ left: Double, _ right: Double) -> Bool {
        if left.bitPattern == right.bitPattern || left == right { return true }
        if left.isNaN || right.isNaN { return left.isNaN && right.isNaN && !left.isAbsent }
        return (left - right).magnitude <= 1e-12 * max(left.magnitude, right.magnitude)
    }

    @Test(arguments: [
        PromQLFunction.sum_over_time, .avg_over_time, .min_over_time, .max_over_time,
        .count_over_time, .changes, .resets,
    ])
    func slidingEqualsLookingAtEachWindow(_ function: PromQLFunction) throws {
        for seed in 0..<30 {
            let input = Input(seed: UInt64(seed), count: seed % 4 == 0 ? 7 : 2400)
            for (range, interval) in [
                (50000, 1000), (3000, 10000), (400_000, 7777), (1, 500), (2_000_000, 20000),
            ] {
                let context = QueryContext()
                let ends = StepGrid(start: -2000, interval: Int64(interval), count: 100)
                let ready = RangeFunction(
                    function: function,
                    slide: WindowSlide(
                        ends: ends,
                        rangeMilliseconds: Int64(range),
                        isClosed: false
                    ),
                    parameter: [],
                    times: ends,
                    semantics: .version3,
                    context: context
                )
                let buffer = try GridBuffer(rows: 1, steps: 100, context: context)
                let times = input.times
                let values = input.values
                try buffer.withRow(0) { (row) throws(QueryError) in
                    try ready.apply(times.span, values.span, into: &row)
                }
                for step in 0..<100 {
                    let wanted = Self.naive(
                        function,
                        Self.window(input, ends.time(step), Int64(range))
                    )
                    #expect(
                        Self.isClose(buffer[0, step], wanted),
                        "\(function) seed \(seed) range \(range) step \(step)"
                    )
                }
            }
        }
    }

    /// Kept answers are joined with new ones: a step's value must not hang on the steps beside it.
    @Test(
        arguments: PromQLFunction.allCases.filter {
            $0.signature.arguments == [.matrix] && $0 != .absent_over_time
        }
    )
    func aWindowsValueDoesNotDependOnOtherWindows(_ function: PromQLFunction) throws {
        func values(_ input: Input, _ range: Int64, _ ends: StepGrid) throws -> [UInt64] {
            let context = QueryContext()
            let slide = WindowSlide(ends: ends, rangeMilliseconds: range, isClosed: false)
            let ready = RangeFunction(
                function: function,
                slide: slide,
                parameter: [],
                times: ends,
                semantics: .version3,
                context: context
            )
            let read = input.times.indices.filter {
                input.times[$0] >= slide.earliest && input.times[$0] <= ends.end
            }
            let times = read.map { input.times[$0] }
            let numbers = read.map { input.values[$0] }
            let buffer = try GridBuffer(rows: 1, steps: ends.count, context: context)
            try buffer.withRow(0) { (row) throws(QueryError) in
                try ready.apply(times.span, numbers.span, into: &row)
            }
            return (0..<ends.count).map { buffer[0, $0].bitPattern }
        }
        for seed in 0..<6 as Range<UInt64> {
            let input = Input(seed: seed, count: 6000)
            for (range, interval) in [(2_500_000, 30000), (60000, 10000), (5_000_000, 900_000)] {
                let whole = StepGrid(start: 1_000_000, interval: Int64(interval), count: 100)
                let all = try values(input, Int64(range), whole)
                for first in stride(from: 0, to: 98, by: 7) {
                    let part = StepGrid(
                        start: whole.time(first),
                        interval: whole.interval,
                        count: 2
                    )
                    let two = try values(input, Int64(range), part)
                    #expect(
                        two == Array(all[first..<(first + 2)]),
                        "seed \(seed), \(range), \(first)"
                    )
                }
            }
        }
    }

    @Test func compensatedSumKeepsWhatPlainSumLoses() {
        var values = [Double](repeating: 0.1, count: 1000)
        values[3] = 1e16
        values[990] = -1e16
        let total = CompensatedSum.of(values.span, 0..<1000)
        #expect((total.value - 99.8).magnitude < 1e-9)
    }

    @Test(
        arguments: [
            ([1, 2, 3], 0.5, 2), ([1, 2, 3, 4], 0.5, 2.5), ([5], 0.9, 5), ([3, 1], 1, 3),
        ] as [([Double], Double, Double)]
    )
    func quantileInterpolates(_ numbers: [Double], _ phi: Double, _ wanted: Double) {
        var numbers = numbers
        #expect(Quantile.of(&numbers, phi) == wanted)
    }

    /// Selecting gives what sorting gives, on input that is random, sorted, full of equals, of NaN and of
    /// infinities, and shaped to be slow.
    @Test func quantileSelectsWhatSortingFinds() {
        var random = SplitMix64(seed: 11)
        for turn in 0..<600 {
            let count = 1 + Int(random.next() % 200)
            var numbers = (0..<count).map { _ in Double(random.next() % 50) - 25 }
            switch turn % 6 {
            case 1: numbers.sort()
            case 2: numbers.sort(by: >)
            case 3: for index in numbers.indices.filter({ $0 % 3 == 0 }) { numbers[index] = .nan }
            case 4:
                for index in numbers.indices.filter({ $0 % 5 == 0 }) { numbers[index] = .infinity }
            case 5: numbers = (0..<count).map { Double($0 % 2 == 0 ? $0 : count - $0) }
            default: break
            }
            let phi = Double(random.next() % 101) / 100
            let sorted = numbers.filter(\.isNaN) + numbers.filter { !$0.isNaN }.sorted()
            let rank = phi * Double(count - 1)
            let lower = Int(rank.rounded(.down))
            let upper = min(count - 1, lower + 1)
            let weight = rank - rank.rounded(.down)
            let wanted = sorted[lower] * (1 - weight) + sorted[upper] * weight
            let found = Quantile.of(&numbers, phi)
            #expect(found == wanted || found.isNaN && wanted.isNaN, "turn \(turn)")
            #expect(numbers.count == count)
        }
    }

    @Test func firstIndexFindsBoundsFromAnyGuess() {
        let times: [Int64] = [1, 2, 2, 5, 9, 9, 9, 12]
        for time in Int64(0)...14 {
            let wanted = times.firstIndex { $0 > time } ?? times.count
            for from in 0...wanted {
                for guess in 0...10 {
                    let found = WindowSlide.firstIndex(times.span, after: time, from: from, guess)
                    #expect(found == wanted)
                }
            }
        }
    }
}
