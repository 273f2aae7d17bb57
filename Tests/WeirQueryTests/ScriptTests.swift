import Glibc
import Testing

/// Every script in `Scripts/` holds.
@Suite struct ScriptTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast()
        .map { "/\($0)" }.joined() + "/Scripts"

    /// The names of the scripts.
    private static let names = [
        "aggregation", "binary", "boundaries", "functions", "histogram", "selectors", "staleness",
        "subqueries",
    ]

    @Test(arguments: names)
    func scriptHolds(_ name: String) throws {
        let text = try #require(Self.read("\(Self.folder)/\(name).test"))
        var script = TestScript()
        do {
            try script.run(text)
        } catch {
            Issue.record("\(name).test \(error)")
        }
        #expect(script.evaluations > 0)
    }

    private static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            // SAFETY: at most `count` bytes are written into the buffer.
            let count = unsafe part.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            bytes.append(contentsOf: part[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
