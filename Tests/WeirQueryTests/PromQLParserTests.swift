import Testing
import WeirQuery

@Suite struct PromQLParserTests {
    @Test(arguments: [
        ("1", "1"),
        ("1_000.5", "1000.5"),
        ("0x1F", "31"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1e-7", "0.0000001"),
        ("-1", "-1"),
        ("- -1", "1"),
        ("+Inf", "+Inf"),
        ("-inf", "-Inf"),
        ("NaN", "NaN"),
        ("5m", "5m"),
        ("1h30m + 90", "1h30m + 90"),
        ("1 + 2 * 3", "1 + 2 * 3"),
        ("(1 + 2) * 3", "(1 + 2) * 3"),
        ("-1 ^ 2", "-1 ^ 2"),
        ("2 ^ 3 ^ 2", "2 ^ 3 ^ 2"),
        ("foo", "foo"),
        ("foo:bar:baz", "foo:bar:baz"),
        ("foo{}", "foo"),
        ("foo{a=\"b\",}", "foo{a=\"b\"}"),
        ("foo{a='b',c!=\"d\",e=~`f\\.g`,h!~\"i\"}", #"foo{a="b",c!="d",e=~"f\\.g",h!~"i"}"#),
        (#"{"a.b", x="y"}"#, #"{__name__="a.b",x="y"}"#),
        (#"{"foo"}"#, #"{__name__="foo"}"#),
        (#"foo{"a.b"="c"}"#, #"foo{"a.b"="c"}"#),
        (#"{__name__=~"a.+"}"#, #"{__name__=~"a.+"}"#),
        ("foo{by=\"x\", on='y', inf='z'}", "foo{by=\"x\",inf=\"z\",on=\"y\"}"),
        ("sum{a='b'}", "sum{a=\"b\"}"),
        ("foo[5m]", "foo[5m]"),
        ("foo[300]", "foo[5m]"),
        ("foo [ 5m ] offset 1w", "foo[5m] offset 1w"),
        ("foo offset -90m", "foo offset -1h30m"),
        ("foo @ 1603774568", "foo @ 1603774568.000"),
        ("foo @ -1.5", "foo @ -1.500"),
        ("foo offset 5m @ start()", "foo @ start() offset 5m"),
        ("foo[5m] @ end()", "foo[5m] @ end()"),
        ("foo[1h:]", "foo[1h:]"),
        ("rate(foo[5m])[1h:30s] offset 5m", "rate(foo[5m])[1h:30s] offset 5m"),
        ("a:b[5m:1m]", "a:b[5m:1m]"),
        ("sum(foo)", "sum(foo)"),
        ("SUM by (a) (foo)", "sum by (a) (foo)"),
        ("sum(foo) without (a, b,)", "sum without (a, b) (foo)"),
        ("sum by () (foo)", "sum(foo)"),
        ("sum without () (foo)", "sum without () (foo)"),
        (#"sum by ("a.b", by) (foo)"#, #"sum by ("a.b", by) (foo)"#),
        ("topk by (x) (5, foo)", "topk by (x) (5, foo)"),
        ("count_values(\"v\", foo)", "count_values(\"v\", foo)"),
        ("a and on(x) b", "a and on (x) b"),
        ("a AND b or c unless d", "a and b or c unless d"),
        ("a + on() b", "a + on () b"),
        ("a == bool 1", "a == bool 1"),
        ("a / on(x) group_left(y) b", "a / on (x) group_left (y) b"),
        ("a / ignoring(x) group_right b", "a / ignoring (x) group_right () b"),
        ("a atan2 b", "a atan2 b"),
        ("-foo", "-foo"),
        ("-foo ^ 2", "-foo ^ 2"),
        ("+foo * -bar", "+foo * -bar"),
        ("time()", "time()"),
        ("vector(1)", "vector(1)"),
        ("hour()", "hour()"),
        ("round(foo, 5)", "round(foo, 5)"),
        (
            "label_replace(foo, 'a', '$1', 'b', '(.*)')",
            ##"label_replace(foo, "a", "$1", "b", "(.*)")"##
        ),
        ("'a\\x41\\u00e9\\n'", "\"aA\u{e9}\\n\""),
        ("`raw\\n`", "\"raw\\\\n\""),
        ("foo # a comment\n + # another\n bar", "foo + bar"),
        ("1 > bool 2", "1 > bool 2"),
        ("start", "start"),
        ("offset offset 5m", "offset offset 5m"),
        (
            "min_over_time(rate(foo{a=\"b\"}[2s])[5m:] @ 1603775091)[4m:3s]",
            "min_over_time(rate(foo{a=\"b\"}[2s])[5m:] @ 1603775091.000)[4m:3s]"
        ),
    ])
    func textBecomesCanonical(_ text: String, _ canonical: String) throws {
        let expression = try PromQLParser.parse(text)
        #expect(PromQLPrinter.print(expression) == canonical)
        #expect(try PromQLParser.parse(canonical) == expression)
    }

    @Test(arguments: [
        ("", 0, "no expression found in input"),
        ("# only", 0, "no expression found in input"),
        ("1 +", 3, "unexpected end of input"),
        ("foo{", 4, "unexpected end of input inside braces"),
        ("foo{a}", 5, "expected label matching operator"),
        ("foo{a=b}", 6, "expected string"),
        ("foo{a:b='c'}", 5, "unexpected character inside braces: ':'"),
        ("foo[", 4, "unexpected end of input"),
        ("foo[5m", 6, "unclosed left bracket"),
        ("foo[0m]", 4, "duration must be greater than 0"),
        ("foo[5mm]", 4, "bad number or duration syntax"),
        ("foo[5m][5m]", 7, "ranges only allowed for vector selectors"),
        ("sum(foo)[5m]", 8, "ranges only allowed for vector selectors"),
        ("foo offset 5m[5m]", 13, "no offset modifiers allowed before range"),
        ("foo @ 5[5m]", 7, "no @ modifiers allowed before range"),
        ("1[5m:]", 0, "subquery is only allowed on instant vector, got scalar instead"),
        ("foo offset 1m offset 2m", 0, "offset may not be set multiple times"),
        ("1 offset 5m", 0, "offset modifier must be preceded by"),
        ("foo @ Inf", 0, "timestamp out of bounds"),
        ("{}", 0, "at least one non-empty matcher"),
        ("{a=~'.*'}", 0, "at least one non-empty matcher"),
        ("foo{__name__='bar'}", 0, "metric name must not be set twice"),
        ("foo{a=~'('}", 4, "error parsing regexp"),
        ("sum()", 0, "no arguments for aggregate expression provided"),
        ("sum(foo, bar)", 0, "wrong number of arguments for aggregate expression"),
        ("topk(foo)", 0, "expected 2, got 1"),
        ("topk('a', foo)", 5, "expected type scalar in aggregation parameter, got string"),
        ("sum(1)", 4, "expected type instant vector in aggregation expression, got scalar"),
        ("nothing(foo)", 0, "unknown function with name \"nothing\""),
        (
            "rate(foo)", 5,
            "expected type range vector in call to function \"rate\", got instant vector"
        ),
        ("rate()", 0, "expected 1 argument(s) in call to \"rate\", got 0"),
        ("round(foo, 1, 2)", 0, "expected at most 2 argument(s)"),
        ("abs(foo,)", 7, "trailing commas not allowed"),
        ("1 > 2", 2, "comparisons between scalars must use BOOL modifier"),
        ("foo + bool bar", 4, "bool modifier can only be used on comparison operators"),
        ("foo and 1", 0, "set operator \"and\" not allowed in binary scalar expression"),
        ("foo and on(a) group_left bar", 0, "no grouping allowed for \"and\" operation"),
        ("foo + on(a) 1", 0, "vector matching only allowed between instant vectors"),
        ("foo + on(a) group_left(a) bar", 4, "must not occur in ON and GROUP clause at once"),
        ("foo + 'a'", 6, "binary expression must contain only scalar and instant vector types"),
        ("-foo[5m]", 0, "unary expression only allowed"),
        ("foo bar", 4, "unexpected identifier \"bar\""),
        ("(foo", 4, "unclosed left parenthesis"),
        ("foo)", 4, "unexpected right parenthesis ')'"),
        ("'abc", 0, "unterminated quoted string"),
        ("'a\\q'", 0, "unknown escape sequence U+0071 'q'"),
        ("`abc", 0, "unterminated raw string"),
        ("'\\xff'", 0, "string is not valid UTF-8"),
        ("foo $ bar", 4, "unexpected character: '$'"),
        ("foo ! bar", 4, "unexpected character after '!'"),
        ("1e999", 0, "value out of range"),
        ("foo[999999999999y]", 4, "duration out of range"),
        ("sum by (a:b) (foo)", 8, "in grouping opts"),
        ("on", 0, "unexpected <on>"),
        ("1__0", 0, "bad number or duration syntax"),
        ("0x", 0, "bad number or duration syntax"),
    ])
    func badTextNamesPlaceAndReason(_ text: String, _ offset: Int, _ part: String) {
        let error = #expect(throws: QueryError.self) { try PromQLParser.parse(text) }
        guard case .parse(let found, let reason) = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
        #expect(found == offset, "\(text): \(reason)")
        #expect(reason.contains(part), "\(text): \(reason)")
    }

    @Test(arguments: [
        String(repeating: "(", count: 60000),
        String(repeating: "-", count: 60000) + "1",
        String(repeating: "abs(", count: 10000),
        "a" + String(repeating: " + a", count: 10000),
        "a" + String(repeating: " ^ a", count: 10000),
        "a" + String(repeating: "[1h:]", count: 10000),
        String(repeating: "x", count: 70000),
        String(repeating: "sum by (", count: 5000),
        String(repeating: "{", count: 60000),
    ])
    func hostileTextIsRefused(_ text: String) {
        #expect(throws: QueryError.self) { try PromQLParser.parse(text) }
    }

    @Test(
        arguments: [
            (0, "0"), (1.5, "1.5"), (-0.0, "-0"), (1e20, "100000000000000000000"), (1e21, "1e+21"),
            (1.25e-7, "1.25e-07"), (0.000001, "0.000001"), (123456.789, "123456.789"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (Double.leastNonzeroMagnitude, "5e-324"),
            (9_007_199_254_740_992, "9007199254740992"), (0.1, "0.1"), (1e300, "1e+300"),
        ] as [(Double, String)]
    )
    func samplesAreWrittenAsGoWritesThem(_ number: Double, _ text: String) {
        #expect(NumberText.sample(number) == text)
    }
}
