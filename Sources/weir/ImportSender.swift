import WeirCore
import WeirHTTP
import WeirSystem

/// Posts pieces of a file, and tries again where the server asks for that.
struct ImportSender {
    private static let triesMax = 120

    private let client = HTTPClient()
    private let base: String
    private let precision: String
    private let labels: [String]
    /// Lines with data that were sent.
    private(set) var lineCount = 0
    private(set) var refusedCount = 0
    /// All lines that were sent, for their numbers in the file.
    private var lineNumber = 0
    private(set) var failure = ""

    init(base: String, precision: String, labels: [String]) {
        self.base = base
        self.precision = precision
        self.labels = labels
    }

    private func url(_ format: ImportFormat) -> String {
        guard format != .line else {
            return "\(base)/write?precision=\(PercentEncoding.encode(precision))"
        }
        let extra = labels.map { "&extra_label=\(PercentEncoding.encode($0))" }.joined()
        return "\(base)/api/v1/import/prometheus?format=\(format.rawValue)\(extra)"
    }

    /// Sends whole lines.
    ///
    /// - Returns: False when they could not be stored; `failure` then says why.
    mutating func send(_ lines: [UInt8], as format: ImportFormat) -> Bool {
        var wait: Int64 = 100_000_000
        for _ in 0..<Self.triesMax {
            do throws(HTTPClientError) {
                let response = try client.send(
                    HTTPClientRequest(
                        method: "POST",
                        url: url(format),
                        headers: [("Content-Type", "text/plain")],
                        body: lines,
                        timeoutSeconds: 120
                    )
                )
                switch response.status {
                case 204:
                    count(lines)
                    return true
                case 400 where report(response.body, of: format):
                    count(lines)
                    return true
                case 429, 503: break
                default:
                    failure =
                        "\(response.status): \(String(decoding: response.body, as: UTF8.self))"
                    return false
                }
            } catch {
                failure = "\(error)"
                return false
            }
            Thread.sleep(nanoseconds: wait)
            wait = min(wait * 2, 2_000_000_000)
        }
        failure = "the server took nothing more for minutes"
        return false
    }

    private mutating func count(_ lines: [UInt8]) {
        var isStart = true
        for byte in lines {
            if isStart, byte != 0x0A, byte != UInt8(ascii: "#"), byte != 0x0D { lineCount += 1 }
            isStart = byte == 0x0A
            if isStart { lineNumber += 1 }
        }
    }

    /// Names the lines of a partial write that were refused; false when nothing was taken in.
    private mutating func report(_ body: [UInt8], of format: ImportFormat) -> Bool {
        guard let answer = try? JSONParser.parse(body),
            answer["error"]?.string == "partial_write"
        else {
            failure = String(decoding: body, as: UTF8.self)
            return false
        }
        refusedCount += answer["refused_lines"]?.int ?? 0
        for line in answer["lines"]?.array ?? [] {
            let number = lineNumber + (line["line"]?.int ?? 0)
            Console.note("weir: line \(number): \(line["reason"]?.string ?? "")")
        }
        return true
    }
}
