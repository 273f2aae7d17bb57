import Testing
import WeirCore
import WeirDifferential

@testable import WeirQuery

/// Notes, trees and the small parts that only experimental functions use.
@Suite struct PromQLNotesTests {
    @Test func tenNotesAreToldAndTheRestCounted() {
        let context = QueryContext()
        for number in 0..<13 { context.note(.info, "note \(number)", at: PromQLPlace()) }
        context.note(.info, "note 0", at: PromQLPlace(line: 2, column: 7))
        context.warn("not whole")
        #expect(context.warnings == ["not whole"])
        #expect(context.infos.count == 11)
        #expect(context.infos.first == "note 0 (2:7)")
        #expect(context.infos.last == "3 more info annotations omitted")
    }

    @Test func notesNameLineAndColumn() throws {
        let source = ArraySource(all: [
            .init(
                labels: Labels([("__name__", "cpu")]),
                times: [0, 30000, 60000],
                values: [1, 2, 3]
            )
        ])
        let context = QueryContext()
        _ = try PromQL.evaluateInstant(
            "1 +\n  rate(cpu[5m])",
            atMilliseconds: 60000,
            source: source,
            context: context
        )
        #expect(
            context.infos == [
                "PromQL info: metric might not be a counter, name does not end in "
                    + "_total/_sum/_count/_bucket: \"cpu\" (2:8)"
            ]
        )
    }

    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B),
            ("abc", 0x44BC_2CF5_AD77_0999),
        ] as [(String, UInt64)]
    )
    func hashIsXXH64(_ text: String, _ hash: UInt64) {
        #expect(LabelHash.xxh64(Array(text.utf8)) == hash)
    }

    @Test func digitsCountAsNumbersInNaturalOrder() {
        let sorted = ["q10", "", "q9", "a", "q", "q10a", "q9b2"]
            .sorted { $0 != $1 && NaturalOrder.precedes($0, $1) }
        #expect(sorted == ["", "a", "q", "q9", "q9b2", "q10", "q10a"])
    }

    @Test func experimentsAreRefusedUnlessTheyAreAskedFor() throws {
        for query in ["mad_over_time(m[5m])", "info(m)", "limitk(1, m)", "sort_by_label(m, \"a\")"]
        {
            #expect(throws: QueryError.self) { try PromQL.parse(query) }
            #expect(throws: Never.self) { try PromQL.parse(query, hasExperiments: true) }
        }
    }

    @Test func treeIsWrittenAsPrometheusWritesIt() {
        let answer = PrometheusAPI.parseQuery(parameters: [
            ("query", "sum by (a) (rate(x{b!=\"c\"}[5m] offset 1m)) > bool 1")
        ])
        #expect(
            String(decoding: answer.body, as: UTF8.self)
                == #"{"status":"success","data":{"bool":true,"lhs":{"expr":{"args":[{"matchers":[{"name":"b","type":"!=","value":"c"},{"name":"__name__","type":"=","value":"x"}],"name":"x","offset":60000,"range":300000,"startOrEnd":null,"timestamp":null,"type":"matrixSelector"}],"func":{"argTypes":["matrix"],"name":"rate","returnType":"vector","variadic":0},"type":"call"},"grouping":["a"],"op":"sum","param":null,"type":"aggregation","without":false},"matching":null,"op":">","rhs":{"type":"numberLiteral","val":"1"},"type":"binaryExpr"}}"#
        )
    }

    @Test func longQueriesAreLaidOutOverLines() throws {
        let long = String(repeating: "a", count: 60)
        let expression = try PromQLParser.parse("sum by (x) (\(long) / \(long))")
        #expect(
            PromQLLayout.format(expression)
                == "sum by (x) (\n    \(long)\n  /\n    \(long)\n)"
        )
    }
}
