internal import WeirCore

/// Puts rows of logs together, whichever format they come in.
///
/// A row's fields are gathered first and stored by `commit`, so that a refused row leaves nothing.
struct LogRows {
    private struct Pending {
        let column: Int
        let kind: FieldKind
        let range: Range<Int>
    }

    let options: LogOptions
    var result = LogResult()
    private var streams: [Labels: UInt32] = [:]
    private var lastPairs: [(name: String, value: String)] = []
    private var lastStream: UInt32?
    private var pending: [Pending] = []
    /// The values of `pending`.
    private var arena: [UInt8] = []
    /// The column of each place in the row before.
    private var hints: [Int] = []
    /// The longest value of the row that was cut, in bytes; 0 for none.
    private var longest = 0
    /// Bytes of the values that `commit` stored.
    private var storedByteCount = 0

    init(_ options: LogOptions) { self.options = options }

    /// Starts a row; what was gathered for one that was not committed is forgotten.
    mutating func begin() {
        pending.removeAll(keepingCapacity: true)
        arena.removeAll(keepingCapacity: true)
        longest = 0
        result.recordCount += 1
    }

    /// Whether there is room for one row more; notes it when there is not.
    mutating func hasRoom() -> Bool {
        guard result.batch.rowCount < options.limits.rowsMax,
            storedByteCount <= options.limits.batchBytesMax
        else {
            result.isTooLarge = true
            return false
        }
        return true
    }

    /// Sets a field of the row.
    ///
    /// Of equal names the later stays.
    mutating func set(
        _ name: Span<UInt8>,
        _ kind: FieldKind,
        _ value: Span<UInt8>
    ) throws(LogError) {
        let place = pending.count
        let column = try column(name, hint: place < hints.count ? hints[place] : -1)
        guard place < options.limits.fieldsMax else {
            throw .tooManyFields(limit: options.limits.fieldsMax)
        }
        if place < hints.count { hints[place] = column } else { hints.append(column) }
        let start = arena.count
        arena.append(value, 0..<value.count)
        pending.append(Pending(column: column, kind: kind, range: start..<arena.count))
    }

    mutating func set(_ name: String, _ kind: FieldKind, _ value: String) throws(LogError) {
        try set(name.utf8.span, kind, value.utf8.span)
    }

    mutating func set(_ name: String, _ kind: FieldKind, _ value: Span<UInt8>) throws(LogError) {
        try set(name.utf8.span, kind, value)
    }

    /// The column of a field, made when it is new and the limits allow.
    mutating func column(_ name: Span<UInt8>, hint: Int = -1) throws(LogError) -> Int {
        guard name.count <= options.limits.nameBytesMax else {
            throw .nameTooLong(bytes: name.count, limit: options.limits.nameBytesMax)
        }
        if result.batch.fields.columns.count >= options.limits.namesMax {
            var bytes: [UInt8] = []
            bytes.append(name, 0..<name.count)
            guard result.batch.fields[String(decoding: bytes, as: UTF8.self)] != nil else {
                throw .tooManyNames(limit: options.limits.namesMax)
            }
        }
        return result.batch.fields.index(of: name, hint: hint)
    }

    /// Stores a value of the row that comes next, cut if it is too long.
    @inline(__always)
    mutating func store(column: Int, _ kind: FieldKind, _ value: Span<UInt8>) {
        let limit = options.limits.lineBytesMax
        if value.count <= limit {
            result.batch.fields.set(column, row: result.batch.rowCount, kind: kind, value: value)
        } else {
            storeCut(column: column, kind, value)
        }
    }

    private mutating func storeCut(column: Int, _ kind: FieldKind, _ value: Span<UInt8>) {
        longest = max(longest, value.count)
        let end = ByteWords.cut(value, to: options.limits.lineBytesMax)
        result.batch.fields.set(
            column,
            row: result.batch.rowCount,
            kind: kind == .json ? .text : kind,
            value: value.extracting(0..<end)
        )
    }

    /// Ends the row whose values were stored.
    @inline(__always)
    mutating func end(time: Int64, stream: UInt32) {
        if longest > 0 { markCut() }
        result.batch.times.append(time)
        result.batch.streamIndexes.append(stream)
    }

    private mutating func markCut() {
        result.cutCount += 1
        result.batch.fields.set(
            LogOptions.truncatedName,
            row: result.batch.rowCount,
            kind: .number,
            value: String(longest)
        )
        longest = 0
    }

    /// Stores what `set` gathered as a row.
    mutating func commit(time: Int64, stream: UInt32) {
        let arena = self.arena
        let bytes = arena.span
        storedByteCount += arena.count
        for field in pending {
            store(column: field.column, field.kind, bytes.extracting(field.range))
        }
        end(time: time, stream: stream)
    }

    /// The fields gathered for the row.
    var pendingCount: Int { pending.count }

    /// Checks that a time is not too far in the future.
    func check(time: Int64, text: @autoclosure () -> String) throws(LogError) {
        let limit = options.limits.futureMax
        guard time <= options.now || time - options.now <= limit else {
            throw .tooFarInFuture(text: text(), limit: limit)
        }
    }

    /// The batch's number of a stream, with `extraLabels` added and the limits kept.
    mutating func stream(
        _ pairs: [(name: String, value: String)],
        line: Int
    ) throws(LogError) -> UInt32 {
        // Rows of one stream come one after another.
        if let lastStream, Self.areEqual(pairs, lastPairs) { return lastStream }
        let limits = options.limits
        for (name, value) in pairs {
            guard name.utf8.count <= limits.nameBytesMax else {
                throw .nameTooLong(bytes: name.utf8.count, limit: limits.nameBytesMax)
            }
            guard value.utf8.count <= limits.labelValueBytesMax else {
                throw .labelValueTooLong(
                    label: name,
                    bytes: value.utf8.count,
                    limit: limits.labelValueBytesMax
                )
            }
        }
        let labels = Labels((pairs + options.extraLabels).map { ($0.name, $0.value) })
        if let known = streams[labels] {
            lastPairs = pairs
            lastStream = known
            return known
        }
        guard labels.count <= limits.labelsMax else {
            throw .tooManyLabels(count: labels.count, limit: limits.labelsMax)
        }
        let stream = UInt32(result.batch.streams.count)
        streams[labels] = stream
        result.batch.streams.append(labels)
        result.batch.firstLines.append(line)
        lastPairs = pairs
        lastStream = stream
        return stream
    }

    private static func areEqual(
        _ left: [(name: String, value: String)],
        _ right: [(name: String, value: String)]
    ) -> Bool {
        guard left.count == right.count else { return false }
        for (left, right) in zip(left, right) where left != right { return false }
        return true
    }

    /// What was taken; columns that only refused rows had are left out.
    func finished() -> LogResult {
        var result = result
        if result.isTooLarge {
            result.batch = RowBatch(signal: .logs)
        } else if result.batch.fields.columns.contains(where: { $0.count == 0 }) {
            var fields = FieldTable()
            for column in result.batch.fields.columns where column.count > 0 {
                fields.append(column)
            }
            result.batch.fields = fields
        }
        return result
    }
}

/// Counts lines as far as they are asked for.
struct LineCounter {
    private var offset = 0
    private var number = 1

    /// The line that `target`, which is not before the one asked for last, is in.
    mutating func line(of target: Int, in bytes: Span<UInt8>) -> Int {
        if target > offset {
            number += ByteWords.count(UInt8(ascii: "\n"), in: bytes, offset..<target)
            offset = target
        }
        return number
    }
}
