import WeirCore
import WeirHTTP
import WeirStore

/// `weir inspect`, `weir check` and `weir snapshot`.
enum StorageCommands {
    static let inspectUsage = """
        weir inspect FILE... [--streams]

        Describes segment (.seg) and journal (.wal) files, and checks them.
        """

    static let checkUsage = """
        weir check [DIR]

        Reads everything in a data folder that no server has open, and verifies every checksum.
        Exits 1 when something is damaged or missing.
        """

    static let snapshotUsage = """
        weir snapshot DIR [--base URL]

        Has the server put a consistent copy of its data into DIR, a full path on the same disk
        that does not exist yet. `weir serve --data DIR` starts from it.
        """

    static func inspect(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(arguments, switches: ["--streams"])
            guard !parsed.positional.isEmpty else {
                return CommandTable.misuse("a file is wanted", inspectUsage)
            }
            for path in parsed.positional {
                do throws(StoreInspector.Failure) {
                    Console.print(
                        try StoreInspector.describe(path, listsStreams: parsed.has("--streams")),
                        terminator: ""
                    )
                } catch {
                    Console.note("weir: \(path): \(error)")
                    return ExitCode.failed
                }
            }
            return ExitCode.ok
        } catch {
            return CommandTable.misuse(error.text, inspectUsage)
        }
    }

    static func check(_ arguments: [String]) -> Int32 {
        guard arguments.count <= 1 else {
            return CommandTable.misuse("one folder is wanted", checkUsage)
        }
        let directory = arguments.first ?? "./weir-data"
        do throws(StoreError) {
            let report = try StoreChecker.check(directory)
            for problem in report.problems { Console.print("problem: \(problem)") }
            for note in report.notes { Console.print("note: \(note)") }
            Console.print(
                "\(directory): \(report.segments) segments and \(report.journalBatches) journaled "
                    + "batches, \(report.rows) rows, \(report.problems.count) problems"
            )
            return report.problems.isEmpty ? ExitCode.ok : ExitCode.failed
        } catch .locked(let path) {
            Console.note("weir: a server has \(path) open; stop it first, or check a snapshot")
            return ExitCode.failed
        } catch {
            Console.note("weir: \(directory): \(error)")
            return ExitCode.failed
        }
    }

    static func snapshot(_ arguments: [String]) -> Int32 {
        do throws(CommandArguments.Failure) {
            let parsed = try CommandArguments(arguments, flags: ["--base"])
            guard parsed.positional.count == 1 else {
                return CommandTable.misuse("a folder is wanted", snapshotUsage)
            }
            return snapshot(parsed.positional[0], base: Console.base(parsed["--base"]))
        } catch {
            return CommandTable.misuse(error.text, snapshotUsage)
        }
    }

    private static func snapshot(_ directory: String, base: String) -> Int32 {
        let encoded = PercentEncoding.encode(directory)
        let request = HTTPClientRequest(
            method: "POST",
            url: "\(base)/api/v1/admin/snapshot?directory=\(encoded)",
            timeoutSeconds: 600
        )
        do throws(HTTPClientError) {
            let response = try HTTPClient().send(request)
            guard response.status == 200 else {
                Console.note("weir: \(String(decoding: response.body, as: UTF8.self))")
                return ExitCode.failed
            }
            let answer = try? JSONParser.parse(response.body)
            for warning in answer?["warnings"]?.array ?? [] {
                Console.note("weir: \(warning.string ?? "")")
            }
            Console.print("snapshot in \(directory)")
            return ExitCode.ok
        } catch {
            Console.note("weir: \(error)")
            return ExitCode.failed
        }
    }
}
