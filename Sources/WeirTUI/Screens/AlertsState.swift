/// What the alerts screen holds.
package struct AlertsState {
    var items: [ActiveAlert] = []
    var error: APIError?
    var isKnown = false
    var selected = 0
    var isOpen = false

    mutating func receive(_ answer: Result<[ActiveAlert], APIError>) {
        switch answer {
        case .success(let items):
            let chosen = selected < self.items.count ? self.items[selected].labels : nil
            self.items = items
            error = nil
            isKnown = true
            // The selection stays with its alert.
            selected =
                items.firstIndex { $0.labels == chosen }
                ?? max(0, min(selected, items.count - 1))
        case .failure(let error): self.error = error
        }
    }

    func count(_ state: ActiveAlert.State) -> Int { items.count { $0.state == state } }
}
