import Testing
import WeirQuery

@Suite struct LogQLParserTests {
    static let valid: [(String, String)] = [
        ("{}", "{}"),
        ("{a=\"b\"}", "{a=\"b\"}"),
        ("{a=\"b\",c!=`d`, e=~\"f.*\", g!~'h',}", "{a=\"b\", c!=\"d\", e=~\"f.*\", g!~\"h\"}"),
        (
            "{a=\"b\"} |= \"x\" != `y` |~ \"z\\\\d\" !~ \"w\"",
            "{a=\"b\"} |= \"x\" != \"y\" |~ `z\\d` !~ \"w\""
        ),
        (
            "{} |= \"a\" or \"b\" or ip(\"10.0.0.0/8\")",
            "{} |= \"a\" or \"b\" or ip(\"10.0.0.0/8\")"
        ),
        ("{} |> \"<_> took <_>ms\" !> \"x<_>\"", "{} |> \"<_> took <_>ms\" !> \"x<_>\""),
        ("{} | json | logfmt --strict --keep-empty", "{} | json | logfmt --keep-empty --strict"),
        (
            "{} | json a=\"b.c[0]\", d=`e[\"f.g\"]`, h",
            "{} | json a=\"b.c[0]\", d=`e[\"f.g\"]`, h=\"h\""
        ),
        (
            "{} | pattern \"<ip> - <_>\" | regexp \"(?P<x>\\\\d+)\" | unpack",
            "{} | pattern \"<ip> - <_>\" | regexp `(?P<x>\\d+)` | unpack"
        ),
        (
            "{} | a=\"b\" and c>1 or d<=2.5, e!=5m f=20KB",
            "{} | (a=\"b\" and c > 1) or (((d <= 2.5 and e != 5m) and f == 20000B))"
        ),
        ("{} | (a=\"b\" or c=~\"d\") and e==ip(\"::1\")", ""),
        (
            "{} | (a=\"b\" or c=~\"d\") and e=ip(\"::1\")",
            "{} | (a=\"b\" or c=~\"d\") and e = ip(\"::1\")"
        ),
        (
            "{} | line_format \"{{.a}}\" | label_format b=c, d=\"{{.e}}\"",
            "{} | line_format \"{{.a}}\" | label_format b=c, d=\"{{.e}}\""
        ),
        (
            "{} | drop a, b=\"c\" | keep d | decolorize",
            "{} | drop a, b=\"c\" | keep d | decolorize"
        ),
        ("({a=\"b\"} |= \"x\") | json", "{a=\"b\"} |= \"x\" | json"),
        ("rate({a=\"b\"}[5m])", "rate({a=\"b\"} [5m])"),
        ("rate({a=\"b\"}[5m] |= \"x\")", "rate({a=\"b\"} |= \"x\" [5m])"),
        (
            "count_over_time(({a=\"b\"} |= \"x\")[5m] offset 1h)",
            "count_over_time({a=\"b\"} |= \"x\" [5m] offset 1h)"
        ),
        ("sum by (a, b) (rate({}[1h30m]))", "sum by (a, b) (rate({} [1h30m]))"),
        ("sum(rate({}[5m])) without (a)", "sum without (a) (rate({} [5m]))"),
        ("topk(3, sum by(a)(bytes_rate({}[5m])))", "topk(3, sum by (a) (bytes_rate({} [5m])))"),
        (
            "quantile_over_time(0.99, {} | unwrap duration(x) | __error__=\"\" [5m]) by (a)",
            "quantile_over_time(0.99, {} | unwrap duration(x) | __error__=\"\" [5m]) by (a)"
        ),
        (
            "sum(rate({}[5m])) / on(a) group_left(b) count_over_time({}[1m]) > bool 3",
            "sum(rate({} [5m])) / on (a) group_left (b) count_over_time({} [1m]) > bool 3"
        ),
        ("sort_desc(vector(1)) + -2 * 3 ^ 2", "sort_desc(vector(1)) + -2 * 3 ^ 2"),
        (
            "label_replace(rate({}[1m]), \"a\", \"$1\", \"b\", \"(.*)\")",
            "label_replace(rate({} [1m]), \"a\", \"$1\", \"b\", \"(.*)\")"
        ),
        ("{} # a comment\n|= \"x\"", "{} |= \"x\""),
    ]

    @Test(arguments: valid)
    func readsAndWrites(_ text: String, _ expected: String) throws {
        guard !expected.isEmpty else {
            #expect(throws: QueryError.self) { try LogQL.parse(text) }
            return
        }
        let expression = try LogQL.parse(text)
        let printed = LogQLPrinter.print(expression)
        #expect(try LogQL.parse(printed) == expression)
        // Numbers and grouping may be written another way; the printed form is a fixed point.
        #expect(LogQLPrinter.print(try LogQL.parse(expected)) == printed)
    }

    static let invalid: [(String, String, String)] = [
        ("", "1:1", "no expression"),
        ("{a=\"b\"", "1:7", "unexpected end of input"),
        ("{a}", "1:3", "one of = != =~ !~"),
        ("{a=b}", "1:4", "a quoted string"),
        ("{a=~\"(\"}", "1:5", "error parsing regexp"),
        ("{} |= ", "1:7", "a quoted string"),
        ("{}\n| jsn", "2:3", "unknown stage \"jsn\""),
        ("{}\n  |~ \"[\"", "2:6", "error parsing regexp"),
        ("{} | regexp \"a\"", "1:13", "named capture"),
        ("{} | pattern \"<a><b>\"", "1:14", "consecutive captures"),
        ("{} | line_format \"{{.a\"", "1:18", "invalid template"),
        ("{} | line_format \"{{nosuch .a}}\"", "1:18", "\"nosuch\" not defined"),
        ("{} | label_format a=b, a=c", "1:24", "multiple label name"),
        ("{} | a > \"x\"", "1:8", "one of = != =~ !~"),
        ("{} | a =~ 5", "1:11", "a quoted string"),
        ("{} | unwrap x", "1:1", "range aggregation"),
        ("{} | ip = ip(\"300.1.1.1\")", "1:14", "no address"),
        ("rate({})", "1:8", "a range such as"),
        ("rate({}[5x])", "1:9", "bad number, duration or size"),
        ("rate({}[0s])", "1:9", "a duration such as 5m"),
        ("sum_over_time({}[5m])", "1:1", "without unwrap"),
        ("count_over_time({} | unwrap x [5m])", "1:1", "with unwrap"),
        ("count_over_time({}[5m]) by (a)", "1:1", "grouping not allowed"),
        ("sum({})", "1:5", "expected a metric query"),
        ("nosuch({}[5m])", "1:1", "unknown function"),
        ("{} + 1", "1:1", "unexpected type for leg"),
        ("rate({}[5m]) and 1", "1:1", "literal for leg"),
        ("topk(0, rate({}[5m]))", "1:6", "a whole number above 0"),
        ("{} ~", "1:4", "unexpected character"),
        ("rate({}[5m]) }", "1:14", "unexpected \"}\""),
    ]

    @Test(arguments: invalid)
    func saysWhereItIsWrong(_ text: String, _ place: String, _ reason: String) throws {
        do throws(QueryError) {
            _ = try LogQL.parse(text)
            Issue.record("\(text) parsed")
        } catch {
            let message = error.logQLMessage(query: text)
            let parts = place.split(separator: ":")
            #expect(
                message.hasPrefix("parse error at line \(parts[0]), col \(parts[1]): "),
                "\(message)"
            )
            #expect(message.contains(reason), "\(message)")
        }
    }

    @Test func refusesDeepNestingWithoutCrashing() {
        let deep = String(repeating: "(", count: 10000) + "1" + String(repeating: ")", count: 10000)
        #expect(throws: QueryError.limit(name: "query nesting depth", limit: LogQLParser.depthMax))
        {
            try LogQL.parse(deep)
        }
        let filters = "{} | " + String(repeating: "(", count: 5000) + "a=1"
        #expect(throws: QueryError.self) { try LogQL.parse(filters) }
        let chain = "{} | " + Array(repeating: "a=1", count: 5000).joined(separator: " or ")
        #expect(throws: QueryError.self) { try LogQL.parse(chain) }
        let sum = Array(repeating: "1", count: 5000).joined(separator: "+")
        #expect(throws: QueryError.self) { try LogQL.parse(sum) }
        let template = "{} | line_format `" + String(repeating: "{{if 1}}", count: 5000) + "`"
        #expect(throws: QueryError.self) { try LogQL.parse(template) }
    }

    static let words: [(String, String)] = [
        ("error", "{} |= \"error\""),
        ("  two words ", "{} |= \"two words\""),
        ("\"two words\" ", "{} |= \"two words\""),
        ("\"a\" or \"b\"", #"{} |= `"a" or "b"`"#),
        ("\"", "{} |= `\"`"),
        ("", "{}"),
        ("| level=\"error\"", "{} | level=\"error\""),
        ("!= \"x\"", "{} != \"x\""),
        ("{a=\"b\"} |= \"x\"", "{a=\"b\"} |= \"x\""),
        ("4bf92f3577b34da6a3ce929d0e0e4736", "{} |= \"4bf92f3577b34da6a3ce929d0e0e4736\""),
    ]

    @Test(arguments: words)
    func takesPlainWords(_ text: String, _ query: String) throws {
        #expect(LogQLPrinter.print(try LogText.parse(text)) == query)
    }

    @Test func tellsIdsFromWords() throws {
        let id = try LogText.parse("4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(id.stages == [.identifier("4bf92f3577b34da6a3ce929d0e0e4736")])
        #expect(
            try LogText.parse("deadbeef").stages == [
                .line(LogQLLineFilter(operation: .contains, operands: [.text("deadbeef")]))
            ]
        )
        #expect(throws: QueryError.self) { try LogText.parse("rate({}[5m])") }
    }

    static let forms: [(String, RegexLiterals.Form)] = [
        ("abc", RegexLiterals.Form.literals([Array("abc".utf8)])),
        ("a|bc", .literals([Array("a".utf8), Array("bc".utf8)])),
        ("status=5\\d\\d", .required([Array("status=5".utf8)])),
        ("foo.*bar", .required([Array("foo".utf8), Array("bar".utf8)])),
        ("abcd?ef", .required([Array("abc".utf8)])),
        ("abcd+efg", .required([Array("abcd".utf8), Array("efg".utf8)])),
        ("(?i)error", .required([])),
        ("foo(bar|baz)qux", .required([Array("foo".utf8), Array("qux".utf8)])),
        ("foo(?i:bar)qux", .required([])),
        ("foo[a-z]+bar", .required([Array("foo".utf8), Array("bar".utf8)])),
        ("foobar|x[y]", .required([])),
        ("foo\\.com", .required([Array("foo.com".utf8)])),
        ("foo{2}bar", .required([Array("bar".utf8)])),
        ("\\Qfoo\\Ebar", .required([])),
        ("^start.*$", .required([Array("start".utf8)])),
    ]

    @Test(arguments: forms)
    func findsWhatEveryMatchHolds(_ pattern: String, _ form: RegexLiterals.Form) {
        #expect(RegexLiterals.form(of: pattern) == form)
    }

    static let addresses: [(String, String, Bool)] = [
        ("10.0.0.0/8", "from 10.1.2.3:80 to 11.0.0.1", true),
        ("10.0.0.0/8", "from 11.1.2.3", false),
        ("192.168.0.1-192.168.0.9", "192.168.0.9", true),
        ("192.168.0.1-192.168.0.9", "192.168.0.10", false),
        ("::1", "peer ::1 left", true),
        ("2001:db8::/32", "2001:db8:1::7", true),
        ("2001:db8::/32", "2001:db9::7", false),
        ("10.0.0.1", "v10.0.0.1.", true),
    ]

    @Test(arguments: addresses)
    func findsAddresses(_ range: String, _ line: String, _ isThere: Bool) throws {
        let bytes = Array(line.utf8)
        #expect(try #require(IPRange(range)).occurs(in: bytes.span) == isThere)
    }
}
