import Testing
import WeirDifferential

/// Every script in `Scripts/` holds.
@Suite struct ScriptTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast()
        .map { "/\($0)" }.joined() + "/Scripts"

    /// The names of the scripts.
    private static let names = TextFile.names(in: folder, ending: ".test")

    @Test func thereAreThousandsOfCases() throws {
        var cases = 0
        for name in Self.names {
            let text = try #require(TextFile.read("\(Self.folder)/\(name)"))
            cases += text.split(separator: "\n").count { $0.hasPrefix("eval ") }
        }
        print("scripts: \(cases) cases in \(Self.names.count) files")
        #expect(cases >= 2000)
    }

    @Test(arguments: names)
    func scriptHolds(_ name: String) throws {
        let text = try #require(TextFile.read("\(Self.folder)/\(name)"))
        var script = TestScript()
        do {
            try script.run(text)
        } catch {
            Issue.record("\(name) \(error)")
        }
        #expect(script.evaluations > 0)
    }
}
