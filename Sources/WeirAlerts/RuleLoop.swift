package import WeirSystem

/// The threads that keep rules going: workers that evaluate what is due, one that watches the
/// files, and one that sends notifications.
package final class RuleLoop: Sendable {
    /// What the last reading of the files gave.
    package struct LoadState: Sendable {
        package var groupCount = 0
        package var ruleCount = 0
        /// Files with a problem keep the rules they had before, if any.
        package var problems: [RuleProblem] = []
        package var loadedMilliseconds: Int64 = 0
    }

    private struct State {
        var isStopping = false
        var isStarted = false
        var load = LoadState()
        /// Each file's last text, and the rules it gave when it was last good.
        var texts: [String: String] = [:]
        var good: [String: RuleFile] = [:]
        var threads: [Thread] = []
    }

    private let engine: RuleEngine
    private let notifier: Notifier?
    private let files: RuleFileSet
    private let clock: any WallClock
    private let threadCount: Int
    private let reloadNanoseconds: Int64
    private let state = Monitor(State())
    /// One reload at a time.
    private let reloading = Monitor(0)

    /// What is given.
    ///
    /// - `threadCount`: How many groups are evaluated at once.
    /// - `reloadSeconds`: How often the files are looked at.
    package init(
        engine: RuleEngine,
        notifier: Notifier?,
        files: RuleFileSet,
        clock: any WallClock,
        threadCount: Int = 2,
        reloadSeconds: Int = 15
    ) {
        self.engine = engine
        self.notifier = notifier
        self.files = files
        self.clock = clock
        self.threadCount = max(1, threadCount)
        self.reloadNanoseconds = Int64(max(1, reloadSeconds)) * 1_000_000_000
    }

    package var load: LoadState { state.read { $0.load } }

    /// Reads the files and starts the threads.
    ///
    /// Call once.
    package func start() {
        reload()
        state.update { state in
            guard !state.isStarted else { return }
            state.isStarted = true
            for number in 0..<threadCount {
                state.threads.append(Thread(name: "weir-rules-\(number)") { self.work() })
            }
            state.threads.append(
                Thread(name: "weir-rules-load") {
                    while !self.waitToStop(nanoseconds: self.reloadNanoseconds) { self.reload() }
                }
            )
            if let notifier {
                state.threads.append(
                    Thread(name: "weir-notify") {
                        repeat {
                            notifier.run(nowMilliseconds: self.clock.nowMilliseconds())
                        } while !self.waitToStop(nanoseconds: 500_000_000)
                    }
                )
            }
        }
    }

    /// Lets evaluations and deliveries under way end, and ends the threads.
    package func stop() {
        let threads = state.update { state in
            state.isStopping = true
            let threads = state.threads
            state.threads = []
            return threads
        }
        for thread in threads { thread.join() }
    }

    /// - Returns: True when the loop stops.
    private func waitToStop(nanoseconds: Int64) -> Bool {
        state.wait(timeoutNanoseconds: nanoseconds) { $0.isStopping ? true : nil } ?? false
    }

    private func work() {
        while !state.read({ $0.isStopping }) {
            if engine.evaluateNext() { continue }
            let now = clock.nowMilliseconds()
            // Looks again at least every half second: the clock may be set, files may change.
            let wait = min(500, max(1, (engine.nextDueMilliseconds ?? .max) &- now))
            _ = waitToStop(nanoseconds: (wait < 0 ? 500 : wait) * 1_000_000)
        }
    }

    /// Reads the files again, and takes up what changed.
    @discardableResult
    package func reload() -> LoadState {
        reloading.read { _ in
            let read = files.read()
            let before = state.read { ($0.texts, $0.good) }
            var texts: [String: String] = [:]
            var good: [String: RuleFile] = [:]
            var problems: [RuleProblem] = []
            for (path, outcome) in read {
                switch outcome {
                case .failure(let error):
                    problems.append(RuleProblem(path: path, line: 1, reason: error.description))
                    good[path] = before.1[path]
                case .success(let text):
                    texts[path] = text
                    do throws(RuleFileError) {
                        good[path] = try RuleFile(text: text, path: path)
                    } catch {
                        problems += error.problems
                        good[path] = before.1[path]
                    }
                }
            }
            let isFirst = state.read { $0.load.loadedMilliseconds == 0 }
            if texts != before.0 || Set(good.keys) != Set(before.1.keys) || isFirst {
                let order = read.map(\.path)
                engine.replace(
                    good.values.sorted { left, right in
                        (order.firstIndex(of: left.path) ?? 0)
                            < (order.firstIndex(of: right.path) ?? 0)
                    }
                )
            }
            let load = LoadState(
                groupCount: good.values.reduce(0) { $0 + $1.groups.count },
                ruleCount: good.values.reduce(0) { sum, file in
                    sum + file.groups.reduce(0) { $0 + $1.rules.count }
                },
                problems: problems,
                loadedMilliseconds: max(1, clock.nowMilliseconds())
            )
            state.update { state in
                state.load = load
                state.texts = texts
                state.good = good
            }
            return load
        }
    }
}
