import Testing

/// The house rules that a machine can hold.
@Suite struct TidyTests {
    /// Which row each module is in.
    ///
    /// Imports only point to lower rows.
    private static let rows: [String: Int] = [
        "WeirCore": 0,
        "WeirSystem": 1, "WeirColumns": 1, "WeirPattern": 1, "WeirYAML": 1,
        "WeirWire": 2, "WeirStore": 2,
        "WeirQuery": 3, "WeirAlerts": 3, "WeirHTTP": 3, "WeirTerminal": 3,
        "WeirServer": 4, "WeirTUI": 4, "WeirDemo": 4,
        "weir": 5,
    ]

    private static let fileLinesMax = 600

    @Test func everyModuleHasARow() throws {
        for module in try SourceTree.list("Sources") where !module.hasPrefix("C") {
            #expect(Self.rows[module] != nil, "\(module) is in no row")
        }
    }

    @Test func importsPointDownTheRows() throws {
        for file in try SourceTree.swiftFiles("Sources") {
            let row = try #require(Self.rows[file.module], "\(file.path)")
            for line in file.lines {
                let words = line.split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                    words[..<at].allSatisfy({
                        ["internal", "package", "public", "private"].contains($0)
                    }),
                    let imported = Self.rows[String(words[at + 1])]
                else { continue }
                #expect(imported < row, "\(file.path) imports \(words[at + 1])")
            }
        }
    }

    /// The edges that Package.swift allows, by its `module("Name", ["Dependency", …])` lines.
    @Test func manifestEdgesPointDownTheRows() throws {
        let manifest = try SourceTree.text("Package.swift")
        var found: Set<String> = []
        for part in manifest.components(separatedBy: "module(").dropFirst() {
            let names = part.prefix { $0 != ")" && $0 != "]" }.split(
                separator: "\"",
                omittingEmptySubsequences: false
            )
            .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            guard let name = names.first, let row = Self.rows[name] else { continue }
            found.insert(name)
            for dependency in names.dropFirst() {
                guard let other = Self.rows[dependency] else { continue }
                #expect(other < row, "\(name) depends on \(dependency)")
            }
        }
        #expect(found == Set(Self.rows.keys).subtracting(["weir"]))
    }

    @Test func filesAreShort() throws {
        for file in try SourceTree.swiftFiles("Sources") {
            #expect(
                file.lines.count <= Self.fileLinesMax,
                "\(file.path): \(file.lines.count) lines"
            )
        }
    }

    @Test func onlyTheCommandLinePrints() throws {
        for file in try SourceTree.swiftFiles("Sources") where file.module != "weir" {
            // A function of one's own may be called print; Swift's is called with text first.
            for (index, line) in file.lines.enumerated() {
                let text = line.drop { $0 == " " }
                let isPrint = text.hasPrefix("print(\"") || text.hasPrefix("Swift.print(")
                #expect(!isPrint, "\(file.path):\(index + 1)")
            }
        }
    }

    @Test func nothingImportsFoundation() throws {
        for file in try SourceTree.swiftFiles("Sources") {
            for (index, line) in file.lines.enumerated() {
                #expect(!line.hasSuffix("import Foundation"), "\(file.path):\(index + 1)")
            }
        }
    }

    @Test func nothingIsLeftForLater() throws {
        let words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK"]
        for folder in ["Sources", "Tests", "Benchmarks", "Fuzz"] where SourceTree.exists(folder) {
            for file in try SourceTree.swiftFiles(folder) {
                let name = file.name
                #expect(!name.hasPrefix("Placeholder") && name != "Stub.swift", "\(file.path)")
                #expect(file.text.utf8.count > 40, "\(file.path) is all but empty")
                for word in words { #expect(!file.text.contains(word), "\(file.path): \(word)") }
            }
        }
    }

    @Test func everyModuleHasAReadme() throws {
        for module in Self.rows.keys.sorted() {
            let lines = (try? SourceTree.text("Sources/\(module)/README.md"))?.split(
                separator: "\n"
            )
            #expect((lines?.count ?? 0) >= 5, "Sources/\(module)/README.md")
        }
    }

    @Test func formatPagesNamedInCodeExist() throws {
        for file in try SourceTree.swiftFiles("Sources") {
            for part in file.text.components(separatedBy: "docs/").dropFirst() {
                let name = part.prefix { $0.isLetter || $0.isNumber || "-_./".contains($0) }
                guard name.contains(".md") else { continue }
                let page = "docs/" + String(name).components(separatedBy: ".md")[0] + ".md"
                #expect(SourceTree.exists(page), "\(file.path) names \(page)")
            }
        }
    }

    @Test func everyTestTargetHasTests() throws {
        for target in try SourceTree.list("Tests") where target.hasSuffix("Tests") {
            let files = try SourceTree.swiftFiles("Tests/\(target)")
            #expect(files.contains { $0.text.contains("@Test") }, "Tests/\(target)")
        }
    }
}
