import Testing
import WeirColumns

@Suite struct PageTests {
    @Test(arguments: [
        [UInt8](), [1, 2, 3], [UInt8](repeating: 9, count: 10_000),
        (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) },
    ])
    func pagesComeBack(_ bytes: [UInt8]) throws {
        for effort in [PageEncoder.Effort.fast, .thorough] {
            let page = PageEncoder(effort: effort).encode(bytes)
            var decoded: [UInt8] = [1]
            try PageDecoder().decode(
                page.bytes.span,
                encoding: page.encoding,
                rawCount: page.rawCount,
                into: &decoded
            )
            #expect(decoded == bytes)
        }
    }

    @Test(
        arguments: [
            ([1, 2, 3], PageEncoding.zlib, 8, .corrupt),
            ([1, 2, 3], .raw, 8, .corrupt),
            (
                [0x78, 0x9C, 0x03, 0x00], .zlib, 17 << 20,
                .tooLarge(claimed: 17 << 20, limit: 16 << 20)
            ),
            ([0x78, 0x9C, 0x03, 0x00], .zlib, 1 << 20, .corrupt),
        ] as [([UInt8], PageEncoding, Int, PageError)]
    )
    func refusesBadPages(
        _ bytes: [UInt8],
        _ encoding: PageEncoding,
        _ rawCount: Int,
        _ expected: PageError
    ) {
        var decoded: [UInt8] = [7]
        #expect(throws: expected) {
            try PageDecoder().decode(
                bytes.span,
                encoding: encoding,
                rawCount: rawCount,
                into: &decoded
            )
        }
        #expect(decoded.isEmpty)
    }

    @Test func checksumIsGzips() {
        #expect(Checksum.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(Checksum.crc32([UInt8]()) == 0)
    }
}
