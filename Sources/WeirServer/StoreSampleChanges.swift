internal import WeirCore
internal import WeirQuery
internal import WeirStore

/// What has changed in the store since a query read it, in the executor's milliseconds.
struct StoreSampleChanges: SampleChanges {
    let store: Store
    let tenant: String

    init(store: Store, tenant: String = "default") {
        self.store = store
        self.tenant = tenant
    }

    var version: SampleVersion { store.sampleVersion }

    func change(since version: SampleVersion) -> SampleChange {
        switch store.sampleChange(since: version) {
        case .nothing: return .nothing
        case .removal: return .removal
        case .samples(let time):
            return .samples(from: time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0))
        }
    }

    func noteUse(of metrics: Set<String>) { store.reads.note(Array(metrics), at: store.now) }
}
