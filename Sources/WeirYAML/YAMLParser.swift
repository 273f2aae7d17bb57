internal import CYAML

/// Reads one YAML document into a tree of nodes, over libyaml's event parser.
package enum YAMLParser {
    package static let bytesMax = 8 << 20
    package static let depthMax = 64

    /// - Returns: The document's root; a null scalar for an empty text.
    /// - Throws: `YAMLError`, with the line.
    package static func parse(_ text: String) throws(YAMLError) -> YAMLNode {
        let bytes = Array(text.utf8)
        guard bytes.count <= bytesMax else { throw .tooLarge(bytes: bytes.count, limit: bytesMax) }
        var outcome: Result<YAMLNode, YAMLError> = .success(nullNode(line: 1))
        unsafe bytes.withUnsafeBufferPointer { buffer in
            // SAFETY: the parser reads only `buffer`, and dies inside this closure.
            var parser = unsafe yaml_parser_t()
            guard unsafe yaml_parser_initialize(&parser) == 1 else {
                fatalError("out of memory: yaml_parser_initialize")
            }
            defer { unsafe yaml_parser_delete(&parser) }
            let empty: [UInt8] = [0]
            unsafe empty.withUnsafeBufferPointer { fallback in
                unsafe yaml_parser_set_input_string(
                    &parser,
                    buffer.baseAddress ?? fallback.baseAddress,
                    buffer.count
                )
                do throws(YAMLError) {
                    outcome = .success(try unsafe readStream(&parser))
                } catch {
                    outcome = .failure(error)
                }
            }
        }
        return try outcome.get()
    }

    private static func nullNode(line: Int) -> YAMLNode {
        YAMLNode(content: .scalar("", isPlain: true), line: line)
    }

    /// What one libyaml event says, copied out so that the event can be freed.
    private enum Event {
        case streamEnd
        case documentStart
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
        case alias
        case other
    }

    private static func next(
        _ parser: UnsafeMutablePointer<yaml_parser_t>
    ) throws(YAMLError) -> (event: Event, line: Int) {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else {
            let reason = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
            throw unsafe .syntax(
                line: Int(parser.pointee.problem_mark.line) + 1,
                reason: reason ?? "unreadable"
            )
        }
        defer { unsafe yaml_event_delete(&event) }
        let line = unsafe Int(event.start_mark.line) + 1
        switch unsafe event.type {
        case YAML_STREAM_END_EVENT: return (.streamEnd, line)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, line)
        case YAML_SEQUENCE_START_EVENT: return (.sequenceStart, line)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, line)
        case YAML_MAPPING_START_EVENT: return (.mappingStart, line)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, line)
        case YAML_ALIAS_EVENT: return (.alias, line)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length),
                as: UTF8.self
            )
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            return (.scalar(text, isPlain: isPlain), line)
        default: return (.other, line)
        }
    }

    private static func readStream(
        _ parser: UnsafeMutablePointer<yaml_parser_t>
    ) throws(YAMLError) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let (event, line) = try unsafe next(parser)
            switch event {
            case .streamEnd: return root ?? nullNode(line: 1)
            case .documentStart:
                guard root == nil else { throw .manyDocuments(line: line) }
                let (first, firstLine) = try unsafe next(parser)
                root = try unsafe readNode(first, line: firstLine, depth: 0, parser)
            default: continue
            }
        }
    }

    private static func readNode(
        _ event: Event,
        line: Int,
        depth: Int,
        _ parser: UnsafeMutablePointer<yaml_parser_t>
    ) throws(YAMLError) -> YAMLNode {
        guard depth <= depthMax else { throw .tooDeep(line: line, limit: depthMax) }
        switch event {
        case .scalar(let text, let isPlain):
            return YAMLNode(content: .scalar(text, isPlain: isPlain), line: line)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                let (inner, innerLine) = try unsafe next(parser)
                if case .sequenceEnd = inner {
                    return YAMLNode(content: .sequence(items), line: line)
                }
                items.append(
                    try unsafe readNode(inner, line: innerLine, depth: depth + 1, parser)
                )
            }
        case .mappingStart:
            return try unsafe readMapping(line: line, depth: depth, parser)
        case .alias: throw .aliasRefused(line: line)
        default: throw .syntax(line: line, reason: "unexpected end of node")
        }
    }

    private static func readMapping(
        line: Int,
        depth: Int,
        _ parser: UnsafeMutablePointer<yaml_parser_t>
    ) throws(YAMLError) -> YAMLNode {
        var entries: [YAMLEntry] = []
        var seen: Set<String> = []
        while true {
            let (key, keyLine) = try unsafe next(parser)
            switch key {
            case .mappingEnd: return YAMLNode(content: .mapping(entries), line: line)
            case .scalar(let name, _):
                guard seen.insert(name).inserted else {
                    throw .duplicateKey(line: keyLine, key: name)
                }
                let (event, valueLine) = try unsafe next(parser)
                let value = try unsafe readNode(event, line: valueLine, depth: depth + 1, parser)
                entries.append(YAMLEntry(key: name, line: keyLine, value: value))
            case .alias: throw .aliasRefused(line: keyLine)
            default: throw .keyNotScalar(line: keyLine)
            }
        }
    }
}
