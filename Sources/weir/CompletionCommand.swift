/// `weir completion`.
enum CompletionCommand {
    static func run(_ arguments: [String]) -> Int32 {
        let names = (CommandTable.all.map(\.name) + ["help"]).joined(separator: " ")
        switch arguments.first {
        case "bash":
            Console.print(
                "_weir() { [ \"$COMP_CWORD\" = 1 ] && COMPREPLY=($(compgen -W \"\(names)\" "
                    + "-- \"${COMP_WORDS[1]}\")); }\ncomplete -o default -F _weir weir"
            )
        case "zsh":
            Console.print("#compdef weir\n_arguments '1:command:(\(names))' '*:file:_files'")
        case "fish":
            Console.print("complete -c weir -n __fish_use_subcommand -f -a '\(names)'")
        default: return CommandTable.misuse("bash, zsh or fish is wanted", "weir completion SHELL")
        }
        return ExitCode.ok
    }
}
