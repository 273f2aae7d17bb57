internal import WeirTerminal

/// What the explore screen holds.
package struct ExploreState {
    var editor = LineEditor()
    var history: [String] = []
    /// The place in the history being looked at; nil at the new line.
    var historyIndex: Int?
    var draft = ""
    var isTable = false
    var state = PanelState()
    /// What the shown answer is to.
    var job: ExploreJob?
    var isLoading = false
    var names: [String]?
    var areNamesAsked = false
    var completions: [String] = []
    var completion = 0

    static let historyMax = 200
    static let completionsMax = 8

    /// Whether an answer is shown that may be asked for again.
    var isLive: Bool { job != nil && !isLoading }

    mutating func set(_ expression: String) {
        editor = LineEditor(expression)
        completions = []
        historyIndex = nil
    }

    mutating func paste(_ text: String) {
        editor.insert(text)
        completions = []
    }

    mutating func remember(_ expression: String) {
        history.removeAll { $0 == expression }
        history.append(expression)
        if history.count > Self.historyMax { history.removeFirst() }
        historyIndex = nil
    }

    /// Goes through what was asked before.
    mutating func walkHistory(by step: Int) {
        guard !history.isEmpty else { return }
        if historyIndex == nil { draft = editor.text }
        let next = (historyIndex ?? history.count) + step
        guard next >= 0 else { return }
        if next >= history.count {
            historyIndex = nil
            editor = LineEditor(draft)
        } else {
            historyIndex = next
            editor = LineEditor(history[next])
        }
        completions = []
    }

    mutating func receive(_ answered: ExploreJob, _ answer: Result<PanelData, APIError>) {
        guard answered == job else { return }
        isLoading = false
        state.receive(answer)
    }

    // MARK: Completion

    /// The name being typed before the cursor; empty inside quotes.
    var word: String {
        let prefix = editor.prefix
        guard prefix.utf8.count(where: { $0 == UInt8(ascii: "\"") }) % 2 == 0 else { return "" }
        let tail = prefix.unicodeScalars.reversed().prefix {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_"
                    || $0 == ":")
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: tail.reversed())
        return String(view)
    }

    /// Finds what the word may become: names that begin with it, then those that hold it.
    mutating func complete() {
        completion = 0
        completions = []
        let word = word.lowercased()
        guard let first = word.unicodeScalars.first, !("0"..."9").contains(first) else { return }
        let all = (names ?? []) + PromQLWords.all
        var found = all.filter { $0.lowercased().hasPrefix(word) }
        if word.utf8.count >= 2 {
            found += all.filter {
                !$0.lowercased().hasPrefix(word) && $0.lowercased().contains(word)
            }
        }
        // A word that is complete needs no help.
        if found.count == 1, found[0] == self.word { return }
        completions = Array(found.prefix(Self.completionsMax))
    }

    /// Puts the chosen completion in.
    mutating func acceptCompletion() {
        guard completion < completions.count else { return }
        editor.replace(
            last: word.unicodeScalars.count,
            with: completions[completion]
        )
        completions = []
    }

    /// Where in the text the server saw the mistake (`1:5: parse error…`), counted from 0.
    static func errorColumn(_ message: String) -> Int? {
        let bytes = Array(message.utf8)
        func digits(from start: Int) -> Int {
            var end = start
            while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
            return end
        }
        var index = 0
        while index < bytes.count {
            let lineEnd = digits(from: index)
            guard lineEnd > index, lineEnd < bytes.count, bytes[lineEnd] == UInt8(ascii: ":") else {
                index = max(index + 1, lineEnd)
                continue
            }
            let columnEnd = digits(from: lineEnd + 1)
            if columnEnd > lineEnd + 1, columnEnd < bytes.count,
                bytes[columnEnd] == UInt8(ascii: ":"),
                let column = Int(String(decoding: bytes[(lineEnd + 1)..<columnEnd], as: UTF8.self))
            {
                return max(0, column - 1)
            }
            index = lineEnd + 1
        }
        return nil
    }
}

/// The words of PromQL, for completion.
enum PromQLWords {
    static let all = [
        "abs", "absent", "absent_over_time", "avg", "avg_over_time", "bottomk", "by", "ceil",
        "changes", "clamp", "clamp_max", "clamp_min", "count", "count_over_time", "count_values",
        "day_of_month", "day_of_week", "day_of_year", "days_in_month", "delta", "deriv", "exp",
        "floor", "group", "group_left", "group_right", "histogram_quantile", "hour", "idelta",
        "ignoring", "increase", "irate", "label_join", "label_replace", "last_over_time", "ln",
        "log10", "log2", "max", "max_over_time", "min", "min_over_time", "minute", "month",
        "offset", "present_over_time", "quantile", "quantile_over_time", "rate", "resets", "round",
        "scalar", "sgn", "sort", "sort_desc", "sqrt", "stddev", "stddev_over_time", "stdvar", "sum",
        "sum_over_time", "time", "timestamp", "topk", "unless", "vector", "without", "year",
    ]
}
