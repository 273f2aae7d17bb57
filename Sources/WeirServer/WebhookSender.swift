internal import Synchronization
internal import WeirAlerts
internal import WeirHTTP
internal import WeirSystem

/// Posts alert messages over HTTP.
final class WebhookSender: NotificationSender {
    private let client = Mutex(HTTPClient())
    private let telemetry: ServerTelemetry

    init(telemetry: ServerTelemetry) { self.telemetry = telemetry }

    func send(_ body: [UInt8], to receiver: NotificationReceiver) throws(NotificationError) {
        let request = HTTPClientRequest(
            method: "POST",
            url: receiver.url,
            headers: [("Content-Type", "application/json")],
            body: body,
            timeoutSeconds: 10
        )
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try client.withLock { client throws(HTTPClientError) in
                try client.send(request)
            }
        } catch {
            telemetry.failedNotifications.add(1)
            throw NotificationError(reason: "\(error)", isRetryable: true)
        }
        guard (200..<300).contains(response.status) else {
            telemetry.failedNotifications.add(1)
            throw NotificationError(
                reason: "\(receiver.url) answered \(response.status)",
                isRetryable: response.status >= 500 || response.status == 429
            )
        }
        telemetry.notifications.add(1)
    }
}
