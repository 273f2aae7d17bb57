import Testing

@testable import WeirServer

/// Variables of the environment in texts of a configuration file.
@Suite struct EnvironmentTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("$A", "one"), ("x${A}y", "xoney"), ("$A$B", "onetwo"), ("$AB", ""),
        ("$A-$B", "one-two"), ("$$A", "$A"), ("$$$$", "$$"), ("a$", "a$"), ("$ b", "$ b"),
        ("${NONE}", ""), ("${}", ""), ("${A", "A"), ("$1a", "firsta"), ("é$A", "éone"), ("", ""),
    ])
    func variablesStandInTheirPlaces(text: String, expected: String) {
        let values = ["A": "one", "B": "two", "1": "first"]
        #expect(EnvironmentText.expand(text) { values[$0] } == expected)
    }
}
