import Testing
import WeirYAML

@Suite struct YAMLParserTests {
    @Test func readsMappingsSequencesAndLines() throws {
        let root = try YAMLParser.parse(
            "groups:\n- name: a\n  interval: 30s\n  on: true\n- \"b\"\n"
        )
        let groups = try #require(root["groups"]?.items)
        #expect(groups.count == 2)
        #expect(groups[0]["name"]?.string == "a")
        #expect(groups[0]["interval"]?.line == 3)
        #expect(groups[0]["on"]?.bool == true)
        #expect(groups[1].string == "b")
    }

    @Test(
        arguments: [
            ("a: 1\na: 2\n", .duplicateKey(line: 2, key: "a")),
            ("a: &x 1\nb: *x\n", .aliasRefused(line: 2)),
            ("a: 1\n---\nb: 2\n", .manyDocuments(line: 2)),
            ("? [1]\n: 2\n", .keyNotScalar(line: 1)),
        ] as [(String, YAMLError)]
    )
    func refusesByName(_ text: String, _ expected: YAMLError) {
        #expect(throws: expected) { try YAMLParser.parse(text) }
    }

    @Test func syntaxErrorsNameTheLine() {
        do throws(YAMLError) {
            _ = try YAMLParser.parse("a: 1\nb: [1,\nc: }\n")
            Issue.record("parsed a broken document")
        } catch {
            guard case .syntax(let line, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(line >= 2)
        }
    }

    @Test func emptyTextIsNull() throws {
        #expect(try YAMLParser.parse("").string == nil)
    }
}
