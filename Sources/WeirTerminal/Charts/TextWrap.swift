/// Text broken into lines of a width.
package enum TextWrap {
    /// Breaks at spaces, inside a word only when the word alone is too long; keeps line breaks.
    package static func lines(_ text: String, width: Int) -> [String] {
        guard width > 0 else { return [] }
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            var used = 0
            for word in paragraph.split(separator: " ", omittingEmptySubsequences: false) {
                let wide = CharacterWidth.of(word)
                if !line.isEmpty, used + 1 + wide > width {
                    lines.append(line)
                    line = ""
                    used = 0
                }
                if !line.isEmpty {
                    line += " "
                    used += 1
                }
                guard wide > width else {
                    line += word
                    used += wide
                    continue
                }
                for scalar in word.unicodeScalars {
                    let next = CharacterWidth.of(scalar)
                    if used + next > width {
                        lines.append(line)
                        line = ""
                        used = 0
                    }
                    line.unicodeScalars.append(scalar)
                    used += next
                }
            }
            lines.append(line)
        }
        return lines
    }
}
