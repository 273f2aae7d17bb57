import Glibc
package import WeirTerminal

/// A text that was looked at once and must stay.
///
/// `WEIR_UPDATE_GOLDENS=1` writes what is there now.
package enum GoldenFile {
    /// Whether goldens are to be written anew, and not compared with.
    package static var isUpdating: Bool { unsafe getenv("WEIR_UPDATE_GOLDENS") != nil }

    /// Nil when `text` is what the file `Goldens/NAME.txt` beside the test's source says; else the first
    /// difference.
    package static func difference(
        _ text: String,
        _ name: String,
        testFile: String = #filePath
    ) -> String? {
        let folder = testFile.split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(folder)/Goldens/\(name).txt"
        if isUpdating {
            return write(text, path) ? nil : "cannot write \(path)"
        }
        guard let expected = read(path) else {
            return
                "no golden \(path): look at this and run again with WEIR_UPDATE_GOLDENS=1\n\(text)"
        }
        guard expected != text else { return nil }
        let was = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for index in 0..<max(was.count, lines.count) {
            let left = index < was.count ? String(was[index]) : "(end)"
            let right = index < lines.count ? String(lines[index]) : "(end)"
            if left != right {
                return "\(name).txt:\(index + 1)\n  was: \(left)\n  now: \(right)\n\(text)"
            }
        }
        return "\(name).txt differs"
    }

    /// A frame as pairs of lines: the text, and under it a letter for each look; at the end what the letters
    /// mean.
    package static func text(of frame: CellBuffer) -> String {
        var letters: [Style: Character] = [:]
        var legend: [String] = []
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        var result = ""
        for y in 0..<frame.height {
            var line = ""
            var looks = ""
            for x in 0..<frame.width {
                let cell = frame[x, y]
                line += cell.text
                if cell.style == .plain {
                    looks += " "
                } else if let letter = letters[cell.style] {
                    looks.append(letter)
                } else {
                    let letter = alphabet[min(letters.count, alphabet.count - 1)]
                    letters[cell.style] = letter
                    legend.append("\(letter) \(describe(cell.style))")
                    looks.append(letter)
                }
            }
            result += trimmed("  " + line) + "\n" + trimmed("~ " + looks) + "\n"
        }
        return result + legend.joined(separator: "\n") + "\n"
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    private static func describe(_ style: Style) -> String {
        var parts: [String] = []
        if style.foreground != .terminal { parts.append("fg \(name(style.foreground))") }
        if style.background != .terminal { parts.append("bg \(name(style.background))") }
        let names: [(TextAttributes, String)] = [
            (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underline, "underline"),
            (.reverse, "reverse"), (.strikethrough, "strikethrough"),
        ]
        for (attribute, name) in names where style.attributes.contains(attribute) {
            parts.append(name)
        }
        return parts.joined(separator: " ")
    }

    private static func name(_ color: Color) -> String {
        if let index = color.index { return "\(index)" }
        guard let (red, green, blue) = color.components else { return "terminal" }
        return "\(red),\(green),\(blue)"
    }

    /// The whole text of a file, or nil.
    package static func read(_ path: String) -> String? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk.prefix(count))
        }
    }

    private static func write(_ text: String, _ path: String) -> Bool {
        guard let file = unsafe fopen(path, "w") else { return false }
        let bytes = Array(text.utf8)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        return unsafe fclose(file) == 0 && count == bytes.count
    }
}
