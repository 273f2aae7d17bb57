import Glibc
import WeirSystem

Signals.ignorePipe()
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.contains("--help") {
    Output.print(BenchOptions.usage)
    exit(0)
}
do throws(BenchError) {
    let options = try BenchOptions(arguments)
    var bench = try Bench(options) { Output.note("weir-bench: \($0)") }
    do throws(BenchError) {
        try bench.run()
    } catch {
        try SmallFile.removeTree(bench.folder)
        throw error
    }
    try SmallFile.removeTree(bench.folder)
    Output.print(options.isJSON ? bench.report.json() : bench.report.table())
} catch {
    Output.note("weir-bench: \(error)")
    if case .usage = error {
        Output.note(BenchOptions.usage)
        exit(2)
    }
    exit(1)
}
