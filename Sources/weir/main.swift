import Glibc
import WeirSystem

// Before any thread starts: PIPE is ignored. `serve` also keeps TERM, INT and HUP for itself.
Signals.ignorePipe()
exit(CommandTable.run(Array(CommandLine.arguments.dropFirst())))
