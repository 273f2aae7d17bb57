/// What a menu or the palette can do.
package enum Command: Hashable, Sendable {
    case openDashboard(String)
    case showDashboard
    case showExplore
    case showAlerts
    case showLogs
    case showTraces
    case showServices
    case findTraces(String)
    case setSpan(TimeSpan)
    case chooseVariable(String)
    case setVariable(name: String, value: String)
    case timeMenu
    case variablesMenu
    case togglePause
    case refresh
    case toggleMaximized
    case undoSpan
    case help
    case quit
}
