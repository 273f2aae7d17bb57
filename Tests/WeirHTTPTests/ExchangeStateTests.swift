import Testing

@testable import WeirHTTP

@Suite struct ExchangeStateTests {
    enum Event: CaseIterable {
        case respond
        case handlerReturned
        case polled
        case complete
    }

    private static func apply(_ event: Event, to state: inout ExchangeState) -> ExchangeState.Action
    {
        switch event {
        case .respond: return state.respond()
        case .handlerReturned: return state.handlerReturned()
        case .polled: return state.polled()
        case .complete:
            state.complete()
            return .none
        }
    }

    @Test(arguments: [
        ([Event.respond, .handlerReturned], [ExchangeState.Action.none, .queue]),
        ([.handlerReturned, .respond, .polled], [.suspend, .resume, .queue]),
        ([.handlerReturned, .polled, .respond, .polled], [.suspend, .suspend, .resume, .queue]),
        ([.respond, .respond, .handlerReturned], [.none, .none, .queue]),
        ([.handlerReturned, .respond, .respond, .polled], [.suspend, .resume, .none, .queue]),
        ([.handlerReturned, .complete, .respond], [.suspend, .none, .none]),
        ([.complete, .respond, .polled, .handlerReturned], [.none, .none, .none, .none]),
    ])
    func eventsLeadToActions(events: [Event], actions: [ExchangeState.Action]) {
        var state = ExchangeState()
        #expect(events.map { Self.apply($0, to: &state) } == actions)
    }

    /// Every order of events, to a depth: a connection is never resumed unless it is suspended,
    /// gets one answer at most, and is left alone once completed.
    @Test func noOrderOfEventsBreaksTheRules() {
        var checked = 0
        func walk(_ state: ExchangeState, isSuspended: Bool, answers: Int, depth: Int) {
            guard depth > 0 else { return }
            for event in Event.allCases {
                // The connection's thread does not run while the connection is suspended.
                if isSuspended, event == .handlerReturned || event == .polled { continue }
                var next = state
                let action = Self.apply(event, to: &next)
                checked += 1
                if action == .resume { #expect(isSuspended) }
                if action == .suspend { #expect(!isSuspended) }
                if state.phase == .completed { #expect(action == .none) }
                let total = answers + (action == .queue ? 1 : 0)
                #expect(total <= 1)
                let sleeps = action == .suspend || (isSuspended && action != .resume)
                walk(next, isSuspended: sleeps, answers: total, depth: depth - 1)
            }
        }
        walk(ExchangeState(), isSuspended: false, answers: 0, depth: 6)
        #expect(checked > 100)
    }
}
