extension Double {
    /// What is written where a series ends: a NaN with the bits that Prometheus gives it.
    @inlinable package static var staleMarker: Double {
        Double(bitPattern: 0x7FF0_0000_0000_0002)
    }
}
