import Testing
import WeirStore

@Suite struct SyncSharingTests {
    private static let sync: Int64 = 300_000

    @Test func oneSenderAloneNeverWaits() {
        var sharing = SyncSharing()
        for _ in 0..<20 {
            #expect(sharing.patience(for: 1) == nil)
            sharing.synced(requests: 1, waiting: 0, nanoseconds: Self.sync)
        }
    }

    @Test func twoByTurnsComeTogetherAndStay() {
        var sharing = SyncSharing()
        // While the first one's sync ran, the second came.
        sharing.synced(requests: 1, waiting: 1, nanoseconds: Self.sync)
        #expect(sharing.patience(for: 1) == Self.sync)
        #expect(!sharing.isWhole(1))
        #expect(sharing.isWhole(2))
        sharing.waited(until: 2)
        sharing.synced(requests: 2, waiting: 0, nanoseconds: Self.sync)
        #expect(sharing.patience(for: 1) == Self.sync)
        #expect(sharing.patience(for: 2) == nil)
    }

    @Test func whoDoesNotComeIsNotWaitedForAWhile() {
        var sharing = SyncSharing()
        sharing.synced(requests: 1, waiting: 1, nanoseconds: Self.sync)
        sharing.waited(until: 1)
        for _ in 0..<SyncSharing.restMax {
            #expect(sharing.patience(for: 1) == nil)
            sharing.synced(requests: 1, waiting: 1, nanoseconds: Self.sync)
        }
        #expect(sharing.patience(for: 1) == Self.sync)
    }

    @Test func aSlowDiskIsNoReasonToWaitLong() {
        var sharing = SyncSharing()
        sharing.synced(requests: 3, waiting: 2, nanoseconds: 40_000_000)
        #expect(sharing.patience(for: 4) == SyncSharing.waitMax)
        #expect(sharing.patience(for: 5) == nil)
        #expect(sharing.patience(for: 0) == nil)
    }
}
