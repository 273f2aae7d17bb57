/// The functions of PromQL 3, by the name they are called with.
// swift-format-ignore: AlwaysUseLowerCamelCase
package enum PromQLFunction: String, Hashable, Sendable, CaseIterable {
    case abs, absent, absent_over_time, acos, acosh, asin, asinh, atan, atanh, avg_over_time, ceil
    case changes, clamp, clamp_max, clamp_min, cos, cosh, count_over_time, day_of_month
    case day_of_week, day_of_year, days_in_month, deg, delta, deriv, double_exponential_smoothing
    case exp, first_over_time, floor, histogram_avg, histogram_count, histogram_fraction
    case histogram_quantile, histogram_quantiles, histogram_stddev, histogram_stdvar
    case histogram_sum, hour, idelta, increase, info, irate, label_join
    case label_replace, last_over_time, ln, log10, log2, mad_over_time, max_over_time
    case min_over_time, minute, month, pi, predict_linear, present_over_time, quantile_over_time
    case rad, rate, resets, round, scalar, sgn, sin, sinh, sort, sort_by_label
    case sort_by_label_desc, sort_desc, sqrt, stddev_over_time, stdvar_over_time, sum_over_time
    case tan, tanh, time, timestamp, ts_of_first_over_time, ts_of_last_over_time
    case ts_of_max_over_time, ts_of_min_over_time, vector, year

    /// What a function takes and gives.
    package struct Signature: Hashable, Sendable {
        /// The types of the arguments; the last one repeats when more are allowed.
        package let arguments: [PromQLType]
        package let countMin: Int
        package let countMax: Int
        package let result: PromQLType

        init(_ arguments: [PromQLType], _ result: PromQLType, optional: Int = 0, more: Int = 0) {
            self.arguments = arguments
            self.countMin = arguments.count - optional
            self.countMax = arguments.count + more
            self.result = result
        }
    }

    /// No call has more arguments than this.
    package static let argumentsMax = 256

    package var signature: Signature {
        switch self {
        case .pi, .time: Signature([], .scalar)
        case .scalar: Signature([.vector], .scalar)
        case .vector: Signature([.scalar], .vector)
        case .day_of_month, .day_of_week, .day_of_year, .days_in_month, .hour, .minute, .month,
            .year:
            Signature([.vector], .vector, optional: 1)
        case .absent_over_time, .avg_over_time, .changes, .count_over_time, .delta, .deriv,
            .first_over_time, .idelta, .increase, .irate, .last_over_time, .mad_over_time,
            .max_over_time, .min_over_time, .present_over_time, .rate, .resets, .stddev_over_time,
            .stdvar_over_time, .sum_over_time, .ts_of_first_over_time, .ts_of_last_over_time,
            .ts_of_max_over_time, .ts_of_min_over_time:
            Signature([.matrix], .vector)
        case .predict_linear: Signature([.matrix, .scalar], .vector)
        case .quantile_over_time: Signature([.scalar, .matrix], .vector)
        case .double_exponential_smoothing:
            Signature([.matrix, .scalar, .scalar], .vector)
        case .clamp: Signature([.vector, .scalar, .scalar], .vector)
        case .clamp_max, .clamp_min: Signature([.vector, .scalar], .vector)
        case .round: Signature([.vector, .scalar], .vector, optional: 1)
        case .histogram_quantile: Signature([.scalar, .vector], .vector)
        case .histogram_fraction: Signature([.scalar, .scalar, .vector], .vector)
        case .histogram_quantiles:
            Signature([.vector, .string, .scalar], .vector, more: Self.argumentsMax)
        case .label_replace: Signature([.vector, .string, .string, .string, .string], .vector)
        case .label_join:
            Signature(
                [.vector, .string, .string, .string],
                .vector,
                optional: 1,
                more: Self.argumentsMax
            )
        case .sort_by_label, .sort_by_label_desc:
            Signature([.vector, .string], .vector, optional: 1, more: Self.argumentsMax)
        case .info: Signature([.vector, .vector], .vector, optional: 1)
        default: Signature([.vector], .vector)
        }
    }

    /// In the language, but not answered here.
    package var isUnsupported: Bool {
        self == .histogram_quantiles
    }

    /// Depends on the time of evaluation, whatever its arguments are.
    package var looksAtTime: Bool {
        switch self {
        case .day_of_month, .day_of_week, .day_of_year, .days_in_month, .hour, .minute, .month,
            .predict_linear, .time, .timestamp, .year:
            true
        default: false
        }
    }

    /// Behind Prometheus's flag `promql-experimental-functions`.
    package var isExperimental: Bool {
        switch self {
        case .double_exponential_smoothing, .first_over_time, .histogram_quantiles, .info,
            .mad_over_time, .sort_by_label, .sort_by_label_desc, .ts_of_first_over_time,
            .ts_of_last_over_time, .ts_of_max_over_time, .ts_of_min_over_time:
            true
        default: false
        }
    }

    /// Whether a range function gives its input another meaning, and so no metric name.
    package var dropsNames: Bool { self != .last_over_time && self != .first_over_time }
}
