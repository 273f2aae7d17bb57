import WeirAlerts
import WeirServer
import WeirSystem

/// `weir rules`.
enum RulesCommand {
    static let usage = """
        weir rules check FILE...

        Reads rule files as the server would, without running them. Exits 1 when one has a problem.
        """

    static func run(_ arguments: [String]) -> Int32 {
        guard arguments.first == "check", arguments.count > 1 else {
            return CommandTable.misuse("files to check are wanted", usage)
        }
        var isSound = true
        for path in arguments.dropFirst() {
            do throws(FileError) {
                let bytes = try HostFileSystem().readFile(path, bytesMax: 8 << 20)
                let report = RuleLinter.check(
                    text: String(decoding: bytes, as: UTF8.self),
                    path: path,
                    evaluator: RuleExpressions.Checker()
                )
                for problem in report.problems { Console.print("\(problem)") }
                for warning in report.warnings { Console.print("\(warning) (warning)") }
                if report.problems.isEmpty {
                    Console.print(
                        "\(path): \(report.ruleCount) rules in \(report.groupCount) groups"
                    )
                } else {
                    isSound = false
                }
            } catch {
                Console.note("weir: \(error)")
                isSound = false
            }
        }
        return isSound ? ExitCode.ok : ExitCode.failed
    }
}
