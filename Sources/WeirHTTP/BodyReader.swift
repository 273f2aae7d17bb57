internal import CZlib

/// Gathers one request's body as it comes, unpacking it on the way, with a limit on what comes
/// out: a few packed bytes can never cost more memory than an honest body may.
@safe
final class BodyReader {
    /// The most that is set aside on the word of a Content-Length.
    private static let reserveBytesMax = 256 * 1024
    private static let roomBytes = 64 * 1024

    private let encoding: BodyEncoding
    private let bytesMax: Int
    private let claimedCount: Int?
    private(set) var bytes: [UInt8] = []
    /// Packed bytes seen so far.
    private var offset = 0
    private var inflater: Inflater?
    /// The first bytes of a deflate body, until its wrapper is known.
    private var start: [UInt8] = []
    private var isAtMemberEnd = false

    init(encoding: BodyEncoding, bytesMax: Int, claimedCount: Int?) {
        self.encoding = encoding
        self.bytesMax = bytesMax
        self.claimedCount = claimedCount
        if encoding == .identity, let claimedCount {
            bytes.reserveCapacity(min(max(claimedCount, 0), bytesMax, Self.reserveBytesMax))
        }
    }

    /// Takes one piece as it came off the wire.
    func append(_ piece: UnsafeBufferPointer<UInt8>) throws(BodyError) {
        switch encoding {
        case .identity:
            guard piece.count <= bytesMax - bytes.count else { throw .tooLarge(limit: bytesMax) }
            let needed = bytes.count + piece.count
            if needed > bytes.capacity, let claimedCount, needed < claimedCount {
                // A claim is believed as far as a few times what has really come.
                bytes.reserveCapacity(min(claimedCount, bytesMax, needed * 4))
            }
            unsafe bytes.append(contentsOf: piece)
            offset += piece.count
        case .gzip:
            try unsafe inflate(piece, windowBits: 15 + 16)
        case .deflate:
            if inflater != nil {
                try unsafe inflate(piece, windowBits: 0)
                return
            }
            unsafe start.append(contentsOf: piece)
            guard start.count >= 2 else { return }
            let whole = start
            start = []
            try inflateDeflate(whole)
        }
    }

    /// Checks that the body is whole and hands it over.
    func finish() throws(BodyError) -> [UInt8] {
        guard start.isEmpty else { throw .truncated(encoding: encoding.rawValue, offset: 1) }
        // An empty packed body is an empty body.
        if encoding != .identity, offset > 0, !isAtMemberEnd {
            throw .truncated(encoding: encoding.rawValue, offset: offset)
        }
        inflater = nil
        let whole = bytes
        bytes = []
        return whole
    }

    /// "deflate" is the zlib format (RFC 9110, 8.4.1.2), but some send raw deflate: the first two
    /// bytes of zlib say so themselves.
    private func inflateDeflate(_ whole: [UInt8]) throws(BodyError) {
        let head = Int(whole[0]) << 8 | Int(whole[1])
        let isZlib = whole[0] & 0x0F == 8 && whole[0] >> 4 <= 7 && head % 31 == 0
        let outcome = unsafe whole.withUnsafeBufferPointer { piece in
            Result { () throws(BodyError) in
                try unsafe inflate(piece, windowBits: isZlib ? 15 : -15)
            }
        }
        try outcome.get()
    }

    private func inflate(
        _ piece: UnsafeBufferPointer<UInt8>,
        windowBits: Int32
    ) throws(BodyError) {
        guard !piece.isEmpty else { return }
        let inflater = self.inflater ?? Inflater(windowBits: windowBits)
        self.inflater = inflater
        var rest = unsafe piece
        while !rest.isEmpty {
            if isAtMemberEnd {
                // gzip files may be several, one after another; a zlib stream is alone.
                guard encoding == .gzip, unsafe rest[rest.startIndex] == 0x1F else {
                    throw .corrupt(encoding: encoding.rawValue, offset: offset)
                }
                inflater.reset()
                isAtMemberEnd = false
            }
            let taken = try unsafe step(inflater, rest)
            offset += taken
            unsafe rest = UnsafeBufferPointer(rebasing: rest.dropFirst(taken))
        }
    }

    /// Unpacks until the input is used up or a member ends.
    ///
    /// - Returns: Packed bytes used.
    private func step(
        _ inflater: Inflater,
        _ rest: UnsafeBufferPointer<UInt8>
    ) throws(BodyError) -> Int {
        var used = 0
        while true {
            let input = unsafe UnsafeBufferPointer(rebasing: rest.dropFirst(used))
            // One byte more than fits, so that too much is noticed.
            let room = min(Self.roomBytes, bytesMax - bytes.count + 1)
            let result = unsafe inflater.inflate(input, room: room, into: &bytes)
            used += result.used
            if bytes.count > bytesMax {
                bytes = []
                throw .tooLarge(limit: bytesMax)
            }
            switch result.end {
            case .member:
                isAtMemberEnd = true
                return used
            case .corrupt: throw .corrupt(encoding: encoding.rawValue, offset: offset + used)
            case .none:
                if result.written < room && used == rest.count { return used }
                if result.written == 0 && result.used == 0 {
                    guard used < rest.count else { return used }
                    throw .corrupt(encoding: encoding.rawValue, offset: offset + used)
                }
            }
        }
    }
}
