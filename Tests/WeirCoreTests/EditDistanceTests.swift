import Testing

@testable import WeirCore

@Suite struct EditDistanceTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("expr", "exp", 1),
        ("same", "same", 0),
    ])
    func distancesCountEdits(left: String, right: String, distance: Int) {
        #expect(EditDistance.between(left, right) == distance)
        #expect(EditDistance.between(right, left) == distance)
    }

    @Test func onlyALikeNameIsMeant() {
        let known = ["expr", "for", "labels", "annotations"]
        #expect(EditDistance.nearest(to: "label", among: known) == "labels")
        #expect(EditDistance.nearest(to: "anotation", among: known) == "annotations")
        #expect(EditDistance.nearest(to: "wholly different", among: known) == nil)
        #expect(EditDistance.nearest(to: "x", among: []) == nil)
    }
}
