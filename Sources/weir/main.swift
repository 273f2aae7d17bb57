import Glibc
import WeirTUI

// Temporary: the whole command line replaces this file.
var environment: [String: String] = [:]
var index = 0
while let text = unsafe environ[index] {
    let pair = unsafe String(cString: text).split(separator: "=", maxSplits: 1)
    if pair.count == 2 { environment[String(pair[0])] = String(pair[1]) }
    index += 1
}
guard CommandLine.arguments.dropFirst().first == "tui" else { exit(2) }
do throws(TUIOptions.FlagError) {
    let options = try TUIOptions(
        arguments: Array(CommandLine.arguments.dropFirst(2)),
        environment: environment
    )
    exit(TUI.run(options: options))
} catch {
    print(error.text)
    exit(2)
}
