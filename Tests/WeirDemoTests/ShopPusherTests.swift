import Testing
import WeirDemo

@Suite struct ShopPusherTests {
    @Test func aServerThatIsNotThereIsTold() {
        // No URL that could be reached, so that no attempt waits for a connection.
        let pusher = ShopPusher(base: "nothing://127.0.0.1", nowSeconds: 1000, pastSeconds: 100)
        #expect(throws: DemoError.self) {
            _ = try pusher.backfill(untilSeconds: 1000)
        }
        pusher.stop()
        pusher.stop()
    }

    @Test func aProgramThatEndsAtOnceIsNoServer() {
        let options = DemoServer.Options(program: "/bin/false", rules: "rules")
        #expect {
            _ = try DemoServer(options)
        } throws: { error in
            if case .server(let reason, _)? = error as? DemoError { return reason.contains("1") }
            return false
        }
    }

    @Test func aProgramThatIsNotThereIsTold() {
        let options = DemoServer.Options(program: "/nowhere/weir", rules: "rules")
        #expect(throws: DemoError.self) { _ = try DemoServer(options) }
    }
}
