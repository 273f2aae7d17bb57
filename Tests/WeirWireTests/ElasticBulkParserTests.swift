import Testing
import WeirCore
import WeirWire

@Suite struct ElasticBulkParserTests {
    @Test func actionsBecomeRowsAndItems() {
        let body = #"""
            {"index":{"_index":"logs-a","_id":"1"}}
            {"@timestamp":"1970-01-01T00:00:01Z","message":"one","log":{"level":"error"}}
            {"create":{}}
            {"message":"two"}

            {"delete":{"_id":"1"}}
            {"update":{"_id":"1"}}
            {"doc":{"message":"x"}}
            {"index":{"_index":"logs-a","require_alias":false}}
            {"message":
            not an action
            {"shout":{}}
            {"index":{}}
            {"message":"three"} x
            {"index":{}}
            {"message":"four"}
            {"index":{}}
            """#
        let (result, items) = ElasticBulkParser.parse(
            Array(body.utf8),
            defaultIndex: "d",
            options: LogRendering.options()
        )
        #expect(
            LogRendering.rows(result) == [
                #"{index="logs-a"}|1000000000|body="one" log.level="error""#,
                #"{index="d"}|now|body="two""#,
                #"{index="d"}|now|body="four""#,
            ]
        )
        #expect(
            items.map { "\($0.action) \($0.index) \($0.id) \($0.error?.description ?? "ok")" } == [
                "index logs-a 1 ok",
                "create d  ok",
                "delete d 1 action \"delete\" is not supported; use index or create",
                "update d 1 action \"update\" is not supported; use index or create",
                "index logs-a  byte 12: the end where a value is expected",
                " d  byte 1: \"n\" where an object is expected",
                "shout d  action \"shout\" is not supported; use index or create",
                "index d  byte 20: space where the end of the line is expected",
                "index d  ok",
                "index d  the document is missing",
            ]
        )
        #expect(result.refusedCount == items.count { $0.error != nil })
        #expect(LogRendering.isConsistent(result))
    }
}
