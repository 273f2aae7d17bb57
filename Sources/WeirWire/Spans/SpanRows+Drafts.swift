internal import WeirCore

extension SpanRows {
    /// Says which resource the spans after this come from.
    mutating func beginResource(
        _ attributes: [OTLPAttribute],
        schemaURL: [UInt8] = [],
        dropped: UInt64 = 0
    ) {
        beginResource()
        for attribute in attributes { add(.resource, attribute) }
        setConstant(.resource, .resourceSchemaURL, schemaURL.span)
        addDropped(.resource, dropped)
    }

    /// Says which scope the spans after this come from.
    mutating func beginScope(
        name: [UInt8],
        version: [UInt8],
        _ attributes: [OTLPAttribute] = [],
        schemaURL: [UInt8] = [],
        dropped: UInt64 = 0
    ) {
        beginScope()
        setConstant(.scope, .scopeName, name.span)
        setConstant(.scope, .scopeVersion, version.span)
        for attribute in attributes { add(.scope, attribute) }
        setConstant(.scope, .scopeSchemaURL, schemaURL.span)
        addDropped(.scope, dropped)
    }

    private mutating func add(_ place: Place, _ attribute: OTLPAttribute) {
        self.attribute(
            place,
            attribute.name.span,
            0..<attribute.name.count,
            attribute.kind,
            attribute.value.span
        )
    }

    /// Takes one span, or throws why not.
    mutating func add(_ draft: SpanDraft) throws(SpanError) {
        try begin(draft.facts)
        set(.name, draft.name.span)
        set(.statusMessage, draft.statusMessage.span)
        set(.traceState, draft.traceState.span)
        set(.flags, draft.flags)
        addDropped(.span, draft.droppedAttributes)
        for attribute in draft.attributes { add(.span, attribute) }
        addList(draft.events.count, .events, .droppedEvents, draft.droppedEvents) { (rows, index) in
            rows.json(draft.events[index])
        }
        addList(draft.links.count, .links, .droppedLinks, draft.droppedLinks) { (rows, index) in
            rows.json(draft.links[index])
        }
        end()
    }

    private mutating func addList(
        _ count: Int,
        _ slot: Slot,
        _ droppedSlot: Slot,
        _ dropped: UInt64,
        _ item: (inout SpanRows, Int) -> [UInt8]
    ) {
        var json: [UInt8] = [UInt8(ascii: "[")]
        var taken = 0
        while taken < min(count, options.limits.eventsMax) {
            let next = item(&self, taken)
            guard json.count + next.count <= options.limits.eventsBytesMax else { break }
            if taken > 0 { json.append(UInt8(ascii: ",")) }
            json += next
            taken += 1
        }
        json.append(UInt8(ascii: "]"))
        if taken > 0 { setJSON(slot, json.span) }
        set(droppedSlot, Self.sum(dropped, UInt64(count - taken)))
    }

    private mutating func json(_ event: SpanEventDraft) -> [UInt8] {
        var json: [UInt8] = [UInt8(ascii: "{")]
        SpanText.appendKey("at", to: &json)
        json.appendDecimal(event.at)
        if !event.name.isEmpty {
            SpanText.appendKey("name", to: &json)
            SpanText.appendQuoted(cut(event.name, .events), to: &json)
        }
        append(event.attributes, event.droppedAttributes, .events, to: &json)
        json.append(UInt8(ascii: "}"))
        return json
    }

    private mutating func json(_ link: SpanLinkDraft) -> [UInt8] {
        var json: [UInt8] = [UInt8(ascii: "{")]
        SpanText.appendKey("traceID", to: &json)
        json.append(UInt8(ascii: "\""))
        HexDigits.append(link.traceHigh, to: &json)
        HexDigits.append(link.traceLow, to: &json)
        json.append(UInt8(ascii: "\""))
        SpanText.appendKey("spanID", to: &json)
        json.append(UInt8(ascii: "\""))
        HexDigits.append(link.spanID, to: &json)
        json.append(UInt8(ascii: "\""))
        if !link.traceState.isEmpty {
            SpanText.appendKey("traceState", to: &json)
            SpanText.appendQuoted(cut(link.traceState, .links), to: &json)
        }
        if link.flags != 0 {
            SpanText.appendKey("flags", to: &json)
            json.appendDecimal(Int64(clamping: link.flags))
        }
        append(link.attributes, link.droppedAttributes, .links, to: &json)
        json.append(UInt8(ascii: "}"))
        return json
    }

    private mutating func append(
        _ attributes: [OTLPAttribute],
        _ dropped: UInt64,
        _ slot: Slot,
        to json: inout [UInt8]
    ) {
        if !attributes.isEmpty {
            SpanText.appendKey("attributes", to: &json)
            json.append(UInt8(ascii: "{"))
            for (place, attribute) in attributes.enumerated() {
                if place > 0 { json.append(UInt8(ascii: ",")) }
                SpanText.appendQuoted(attribute.name, to: &json)
                json.append(UInt8(ascii: ":"))
                let isText = attribute.kind == .text
                SpanText.appendJSON(
                    isText
                        ? OTLPAttribute(
                            name: attribute.name,
                            kind: .text,
                            value: cut(attribute.value, slot)
                        ) : attribute,
                    to: &json
                )
            }
            json.append(UInt8(ascii: "}"))
        }
        guard dropped > 0 else { return }
        SpanText.appendKey("droppedAttributes", to: &json)
        json.appendDecimal(Int64(clamping: dropped))
    }

    private mutating func cut(_ text: [UInt8], _ slot: Slot) -> [UInt8] {
        let limit = options.limits.valueBytesMax
        guard text.count > limit else { return text }
        markCut(slot)
        return Array(text[..<ByteWords.cut(text.span, to: limit)])
    }
}
