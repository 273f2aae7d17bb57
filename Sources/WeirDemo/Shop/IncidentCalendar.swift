/// What goes wrong in the shop, again and again.
enum Incident: CaseIterable, Sendable {
    /// The payment provider is slow and refuses; checkout suffers, orders are lost.
    case paymentProvider
    /// The workers of the email queue die; the queue backs up, then drains.
    case emailWorkers
    /// The catalogue's cache is emptied; its database carries the load until it is warm.
    case catalogCache
    /// A batch job takes all processors of one host.
    case batchJob
}

/// When incidents happen, in seconds relative to an anchor: the moment the demo goes live.
///
/// Their phases are chosen so that the payment incident is under way at the anchor and that each of
/// the others was seen in the hour before it.
struct IncidentCalendar: Sendable {
    private struct Rhythm {
        let period: Double
        /// Of one occurrence, relative to the anchor.
        let start: Double
        let duration: Double
    }

    private static let rampSeconds = 60.0

    let anchorSeconds: Double

    private static func rhythm(_ incident: Incident) -> Rhythm {
        switch incident {
        case .paymentProvider: Rhythm(period: 3000, start: -240, duration: 600)
        case .emailWorkers: Rhythm(period: 4200, start: -1980, duration: 600)
        case .catalogCache: Rhythm(period: 5400, start: -2500, duration: 300)
        case .batchJob: Rhythm(period: 4800, start: -1100, duration: 540)
        }
    }

    /// 0 when there is none, 1 at its height.
    func intensity(_ incident: Incident, atSeconds seconds: Double) -> Double {
        let rhythm = Self.rhythm(incident)
        let shifted = seconds - anchorSeconds - rhythm.start
        let place = shifted - (shifted / rhythm.period).rounded(.down) * rhythm.period
        guard place < rhythm.duration else { return 0 }
        let ramp = min(place, rhythm.duration - place) / Self.rampSeconds
        return min(1, ramp)
    }
}
