import WeirCore

@testable import WeirColumns
@testable import WeirStore

/// libFuzzer entry point: any bytes as fields.
///
/// Entries, pages, directories, heads and journaled fields are read or refused, and what is taken
/// is asked everything; texts that are encoded come back, and every question to them is answered as
/// reading them all would.
///
/// The first byte chooses.
@c(LLVMFuzzerTestOneInput)
public func fuzzFields(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer owns `start ..< start + count` for the length of this call.
    let input = unsafe UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
    let bytes = unsafe Array(input)
    guard let choice = bytes.first else { return 0 }
    let rest = Array(bytes.dropFirst())
    switch choice % 6 {
    case 0, 1: readEntry(rest)
    case 2: _ = try? FieldDirectory(rest, rowCount: 40, areaCount: rest.count)
    case 3: readBlock(rest)
    case 4: readJournal(rest)
    default: encode(rest)
    }
    return 0
}

/// Rows, the entry's length, the entry, then pages, each with its length in front.
private func readEntry(_ bytes: [UInt8]) {
    guard bytes.count > 2 else { return }
    let rowCount = Int(bytes[0])
    let end = min(bytes.count, 2 + Int(bytes[1]))
    let directory = Array(bytes[2..<end])
    var pages: [[UInt8]] = []
    var next = end
    while next < bytes.count {
        let last = min(bytes.count, next + 1 + Int(bytes[next]))
        pages.append(Array(bytes[(next + 1)..<last]))
        next = last
    }
    var reader = ByteReader(directory.span)
    guard let entry = try? FieldEntry(from: &reader, rowCount: rowCount) else { return }
    func load(_ page: Int) -> [UInt8]? { page < pages.count ? pages[page] : nil }
    let tests = tests(Array(bytes.suffix(9)))
    for test in tests { _ = entry.mayPass(test, rowCount: rowCount, loadPage: load) }
    guard let values = FieldValues(entry, rowCount: rowCount, load: load) else { return }
    ask(values, rowCount, tests)
}

private func tests(_ needle: [UInt8]) -> [TextTest] {
    [
        .contains(needle), .equals(needle), .contains([]), .contains(needle, isNegated: true),
        .contains(Array(needle.prefix(3))), .equals(needle, isNegated: true),
    ]
}

private func ask(_ values: FieldValues, _ rowCount: Int, _ tests: [TextTest]) {
    let all = Array(0..<UInt32(rowCount))
    for row in 0..<rowCount { _ = values.text(at: row) }
    for rows in [all, all.filter { $0 % 3 != 1 }] {
        for test in tests { precondition(values.filter(rows, test).count <= rows.count) }
        precondition(values.decimals(at: rows).count == rows.count)
        let codes = values.codes(at: rows)
        precondition(codes.codes.allSatisfy { $0 < codes.texts.count })
    }
}

private func readBlock(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes.span)
    guard let entry = try? FieldBlockEntry(from: &reader, streamCount: 50) else { return }
    _ = entry.storedCount
    guard let head = try? FieldBlockHead(Array(bytes[reader.offset...]), entry: entry) else {
        return
    }
    let again = try? FieldBlockHead(head.encoded(), entry: entry)
    precondition(again == head)
    _ = try? FieldTimes.decode(bytes, rowCount: entry.rowCount)
}

private func readJournal(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes.span)
    guard let fields = try? JournalFields.read(&reader, rowCount: 20) else { return }
    var written: [UInt8] = []
    JournalFields.append(fields, rowCount: 20, to: &written)
    var second = ByteReader(written.span)
    let again = try? JournalFields.read(&second, rowCount: 20)
    precondition(again == fields)
}

/// Lines as the texts of a field, of which some rows have none.
private func encode(_ bytes: [UInt8]) {
    var column = FieldColumn(name: "f")
    let step = bytes.first.map { 1 + Int($0 % 3) } ?? 1
    // Again and again, so that templates and dictionaries pay.
    let lines = bytes.dropFirst().split(separator: 0x0A, omittingEmptySubsequences: false)
    for round in 0..<4 {
        for (index, line) in lines.enumerated() {
            column.append((round * lines.count + index) * step, .text, Array(line).span)
        }
    }
    guard column.count > 0 else { return }
    let rowCount = column.count * step
    var directory: [UInt8] = []
    var area: [UInt8] = []
    FieldEncoder(encoder: PageEncoder(effort: .fast))
        .encode(column, rowCount: rowCount, directory: &directory, area: &area)
    var reader = ByteReader(directory.span)
    guard let entry = try? FieldEntry(from: &reader, rowCount: rowCount) else {
        fatalError("an entry that was written is not read")
    }
    func load(_ page: Int) -> [UInt8]? {
        let start = entry.pages[..<page].reduce(0) { $0 + $1.storedCount }
        let stored = entry.pages[page]
        var raw: [UInt8] = []
        try? PageDecoder().decode(
            area.span.extracting(start..<(start + stored.storedCount)),
            encoding: stored.encoding,
            rawCount: stored.rawCount,
            into: &raw
        )
        return raw
    }
    guard let values = FieldValues(entry, rowCount: rowCount, load: load) else {
        fatalError("values that were written are not read")
    }
    let plain = FieldValues(column, rowCount: rowCount)
    let all = Array(0..<UInt32(rowCount))
    for row in 0..<rowCount {
        precondition(values.text(at: row) == plain.text(at: row), "a text changed")
    }
    let line = Array(lines.first ?? [])
    for needle in [line, Array(line.dropFirst().dropLast()), Array(bytes.suffix(7))] {
        for test in tests(needle) {
            let expected = plain.filter(all, test)
            precondition(values.filter(all, test) == expected, "a test was answered wrongly")
            if !entry.mayPass(test, rowCount: rowCount, loadPage: load) {
                precondition(expected.isEmpty, "a row that passes was passed over")
            }
        }
    }
}
