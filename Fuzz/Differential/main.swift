import Glibc
import WeirDifferential

/// Compares Weir's PromQL with a real Prometheus on random data and random queries.
///
///     weir-differential [--queries N] [--seed N] [--explain]
///     weir-differential --ask FILE [--seed N]
///
///     weir-differential --record FOLDER [--histograms] [--queries N] [--seed N]
///     weir-differential --fill FILE
///
/// Prints every difference that docs/promql.md does not explain, then the counts; ends with 1 when
/// there was one; `--explain` prints those that it does explain, too. With `--ask` it asks both the lines of a file, each a query, a tab and the times
/// (`time=1700000100`), and prints both answers. With `--record` it writes scripts of cases that both
/// answer alike; with `--histograms` most are about native histograms. With `--fill` it writes what
/// Prometheus answers below the cases of a script, and prints those that Weir answers otherwise.
var queries = 10000
var seed: UInt64 = 1
var file: String?
var isTalkative = false
var folder: String?
var script: String?
var hasHistograms = false
var arguments = CommandLine.arguments.dropFirst()
while let option = arguments.popFirst() {
    if option == "--explain" {
        isTalkative = true
        continue
    }
    if option == "--histograms" {
        hasHistograms = true
        continue
    }
    switch (option, arguments.popFirst()) {
    case ("--queries", let text?): queries = Int(text) ?? queries
    case ("--seed", let text?): seed = UInt64(text) ?? seed
    case ("--ask", let text?): file = text
    case ("--record", let text?): folder = text
    case ("--fill", let text?): script = text
    default:
        print(
            "usage: weir-differential [--queries N | --ask FILE | --fill FILE | "
                + "--record FOLDER [--histograms]] [--seed N]"
        )
        exit(2)
    }
}
guard let program = PrometheusServer.Program.find(below: ".") else {
    print("differential: no prometheus here; Scripts/peers.sh fetches one")
    exit(2)
}
if let folder {
    let recorder = ScriptRecorder(program, hasHistograms: hasHistograms)
    let parts = hasHistograms ? 4 : 12
    for part in 0..<parts {
        let partSeed = seed &* 1000 &+ UInt64(part)
        let kind = hasHistograms ? "recorded-histograms" : "recorded"
        let name = "\(folder)/\(kind)-\(part < 9 ? "0" : "")\(part + 1).test"
        guard let text = recorder.record(count: queries / parts, seed: partSeed),
            TextFile.write(name, text)
        else {
            print("differential: \(name) was not recorded")
            exit(2)
        }
    }
    exit(0)
}
if let script {
    var filler = ScriptFiller(program)
    guard let text = TextFile.read(script),
        let filled = filler.fill(text, notice: { print($0) }), TextFile.write(script, filled)
    else {
        print("differential: \(script) was not filled")
        exit(2)
    }
    print("differential: \(filler.cases) cases, \(filler.differences) without an answer")
    exit(filler.differences == 0 ? 0 : 1)
}
if let file {
    guard let lines = TextFile.lines(file) else {
        print("differential: \(file) cannot be read")
        exit(2)
    }
    exit(DifferentialRun(program).show(lines, seed: seed) { print($0) } ? 0 : 2)
}
var run = DifferentialRun(program)
run.isTalkative = isTalkative
guard run.run(count: queries, seed: seed, notice: { print($0) }) else {
    print("differential: prometheus did not start")
    exit(2)
}
print("differential: seed \(seed), \(run.report.summary)")
exit(run.report.differences.isEmpty ? 0 : 1)
