import Testing
import WeirServer
import WeirSystem
import WeirTestSupport

@Suite struct ConfigurationTests {
    @Test func flagsStandOverVariablesOverTheFile() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/weir.yaml"
        let file = "series-max: 1\nlabels-max: 2\nlisten: \"127.0.0.1:1\"\n"
        try HostFileSystem().openForWriting(path).write(Array(file.utf8), at: 0)
        let configuration = try ConfigurationReader.read(
            arguments: ["--config", path, "--series-max=30"],
            environment: ["WEIR_SERIES_MAX": "20", "WEIR_LABELS_MAX": "20"]
        )
        #expect(configuration.seriesMax == 30)
        #expect(configuration.labelsMax == 20)
        #expect(configuration.listen == "127.0.0.1:1")
    }

    @Test func unknownSettingsNameTheNearest() {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationReader.read(arguments: ["--retention-ago", "1d"], environment: [:])
        }
        #expect(error?.description.contains("retention-age") == true)
    }

    @Test(arguments: [["--series-max", "-1"], ["--sync", "sometimes"], ["--series-max"], ["x"]])
    func badValuesAreRefused(_ arguments: [String]) {
        #expect(throws: ConfigurationError.self) {
            try ConfigurationReader.read(arguments: arguments, environment: [:])
        }
    }
}
