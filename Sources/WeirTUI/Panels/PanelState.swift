package import WeirTerminal

/// What is known of one panel: old data stays beside a new error.
package struct PanelState: Sendable {
    package var data: PanelData?
    package var error: APIError?
    package var isLoading = false
    /// Of a chart of latencies, by time.
    package var exemplars: [Exemplar] = []
    /// The vertical axis of the last frame.
    package var valueAxis: ValueAxis?

    package init() {}

    /// Takes in an answer.
    package mutating func receive(_ result: Result<PanelData, APIError>) {
        isLoading = false
        switch result {
        case .success(let data):
            self.data = data
            error = nil
        case .failure(let error): self.error = error
        }
    }
}
