import Testing

/// Tests of the real `weir` program over HTTP.
///
/// One at a time: each starts servers of its own and wants the machine's cores for them.
@Suite(.serialized) struct EndToEnd {}
