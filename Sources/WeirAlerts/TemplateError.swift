/// Why a template does not parse, or could not be expanded.
package struct TemplateError: Error, Hashable {
    package let reason: String
}
