import Testing
import WeirSystem

@Suite struct ThreadTests {
    @Test func waitersSeeUpdates() {
        let monitor = Monitor(0)
        let thread = Thread(name: "test") {
            for _ in 0..<100 { monitor.update { $0 += 1 } }
        }
        #expect(monitor.wait { $0 == 100 ? true : nil } == true)
        thread.join()
    }

    @Test func waitingEndsWithItsTime() {
        let monitor = Monitor(0)
        #expect(monitor.wait(timeoutNanoseconds: 1_000_000) { $0 == 1 ? true : nil } == nil)
    }

    @Test func poolDoesEveryIndexOnce() {
        let pool = WorkerPool(name: "test", threadCount: 3)
        for count in [0, 1, 2, 7, 1000] {
            let seen = Monitor([Int](repeating: 0, count: count))
            pool.forEach(count: count) { index in seen.update { $0[index] += 1 } }
            #expect(seen.read { $0.allSatisfy { $0 == 1 } })
        }
        pool.stop()
    }

    /// A pool whose threads are all busy still finishes: the caller works too.
    @Test func nestedLoopsFinish() {
        let pool = WorkerPool(name: "test", threadCount: 1)
        let total = Monitor(0)
        pool.forEach(count: 4) { _ in
            pool.forEach(count: 4) { _ in total.update { $0 += 1 } }
        }
        #expect(total.read { $0 } == 16)
        pool.stop()
    }

    @Test func stoppingFinishesWhatWaits() {
        let pool = WorkerPool(name: "test", threadCount: 1)
        let total = Monitor(0)
        for _ in 0..<50 { pool.submit { total.update { $0 += 1 } } }
        pool.stop()
        #expect(total.read { $0 } == 50)
    }

    @Test func clocksMove() {
        let clock = ManualClock(nanoseconds: 5)
        clock.advance(nanoseconds: 2_000_000)
        #expect(clock.nowNanoseconds() == 2_000_005)
        #expect(clock.nowMilliseconds() == 2)
        #expect(ProcessStatus.residentBytes() > 1 << 20)
    }
}
