import WeirTUI

/// `weir tui`.
enum TUICommand {
    static var usage: String { TUIOptions.usage }

    static func run(_ arguments: [String]) -> Int32 {
        do throws(TUIOptions.FlagError) {
            let options = try TUIOptions(arguments: arguments, environment: Console.environment)
            return TUI.run(options: options)
        } catch {
            return CommandTable.misuse(error.text, usage)
        }
    }
}
