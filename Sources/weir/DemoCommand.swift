/// `weir demo`
enum DemoCommand {
    static let usage = "weir demo [--keep]"

    static func run(_ arguments: [String]) -> Int32 {
        CommandTable.misuse("the demo is not there yet", usage)
    }
}
