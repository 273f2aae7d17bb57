internal import WeirTerminal

/// What the screen that searches traces knows.
struct TracesState {
    static let limit = 200

    var query = "{}"
    var editor = LineEditor("{}")
    var isTyping = false
    var isByDuration = false
    var items: [TraceSummary] = []
    var selected = 0
    var error: APIError?
    var isLoading = false
    var isAsked = false
    var isKnown = false

    /// Takes an answer in; the selection stays with its trace.
    mutating func receive(_ answer: Result<[TraceSummary], APIError>) {
        isLoading = false
        switch answer {
        case .success(let found):
            let chosen = selected < items.count ? items[selected].traceID : nil
            items = found
            error = nil
            isKnown = true
            selected =
                found.firstIndex { $0.traceID == chosen } ?? max(0, min(selected, found.count - 1))
        case .failure(let error): self.error = error
        }
    }
}

/// What the screen of services and their calls knows.
struct ServicesState {
    var model: ServiceGraphModel?
    var selected = 0
    var error: APIError?
    var isLoading = false
    var isAsked = false

    var lineCount: Int { (model?.services.count ?? 0) + (model?.edges.count ?? 0) }
}
