#pragma once
// Not _GNU_SOURCE: it changes the members of fd_set and the argument types of the socket calls,
// and a type that two modules define differently (here and Swift's Glibc) does not compile.
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// MHD_start_daemon and MHD_get_connection_info are variadic, which Swift cannot call.
typedef struct weir_mhd_settings {
    unsigned int thread_count;
    unsigned int connections_max;
    unsigned int connections_per_address_max;
    unsigned int idle_seconds_max;
    size_t connection_memory_bytes;
    const char *key;         // PEM, or NULL for plain HTTP
    const char *certificate; // PEM, or NULL for plain HTTP
    enum MHD_Result (*handle)(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes,
                              size_t *count, void **request);
    void *(*begin)(void *context, const char *uri, struct MHD_Connection *connection);
    void (*complete)(void *context, struct MHD_Connection *connection, void **request,
                     enum MHD_RequestTerminationCode how);
    void (*connect)(void *context, struct MHD_Connection *connection, void **socket_context,
                    enum MHD_ConnectionNotificationCode what);
    void *context;
} weir_mhd_settings;

static inline struct MHD_Daemon *weir_mhd_start(const weir_mhd_settings *settings) {
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME
        | MHD_ALLOW_UPGRADE | MHD_USE_NO_LISTEN_SOCKET;
    struct MHD_OptionItem options[16];
    int count = 0;
#define WEIR_OPTION(name, number, pointer) \
    options[count++] = (struct MHD_OptionItem){name, (intptr_t)(number), (void *)(pointer)}
    WEIR_OPTION(MHD_OPTION_THREAD_POOL_SIZE, settings->thread_count, NULL);
    WEIR_OPTION(MHD_OPTION_CONNECTION_LIMIT, settings->connections_max, NULL);
    WEIR_OPTION(MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->connections_per_address_max, NULL);
    WEIR_OPTION(MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds_max, NULL);
    WEIR_OPTION(MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory_bytes, NULL);
    WEIR_OPTION(MHD_OPTION_NOTIFY_COMPLETED, settings->complete, settings->context);
    WEIR_OPTION(MHD_OPTION_URI_LOG_CALLBACK, settings->begin, settings->context);
    WEIR_OPTION(MHD_OPTION_NOTIFY_CONNECTION, settings->connect, settings->context);
    if (settings->key != NULL && settings->certificate != NULL) {
        flags |= MHD_USE_TLS;
        WEIR_OPTION(MHD_OPTION_HTTPS_MEM_KEY, 0, settings->key);
        WEIR_OPTION(MHD_OPTION_HTTPS_MEM_CERT, 0, settings->certificate);
    }
    WEIR_OPTION(MHD_OPTION_END, 0, NULL);
#undef WEIR_OPTION
    return MHD_start_daemon(flags, 0, NULL, NULL, settings->handle, settings->context,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

// Declared by <sys/socket.h> for _GNU_SOURCE only.
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

// Accepts one connection for the daemon, which then owns it. 0 when one was accepted, else errno.
static inline int weir_mhd_accept(struct MHD_Daemon *daemon, int listen_socket) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int client = accept4(listen_socket, (struct sockaddr *)&address, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return errno;
    // Past a limit the daemon closes the socket.
    MHD_add_connection(daemon, client, (struct sockaddr *)&address, length);
    return 0;
}

// Waits for a connection to accept, or for `wake_up`; true for the latter.
static inline int weir_wait_readable(int listen_socket, int wake_up) {
    struct pollfd waits[2] = {{.fd = listen_socket, .events = POLLIN}, {.fd = wake_up, .events = POLLIN}};
    while (poll(waits, 2, -1) < 0 && errno == EINTR) {}
    return waits[1].revents != 0;
}

// Gives an upgraded connection back to the daemon, which closes it. MHD_upgrade_action is variadic.
static inline void weir_mhd_close_upgraded(struct MHD_UpgradeResponseHandle *handle) {
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

// Waits for bytes on a socket, for room in it if asked, or for `wake_up`: 1 readable or ended,
// 2 woken, both together; 0 for room or after the time, -1 for an error of the socket.
static inline int weir_wait_socket(int socket, int for_room, int wake_up, int milliseconds) {
    struct pollfd waits[2] = {
        {.fd = socket, .events = (short)(POLLIN | (for_room ? POLLOUT : 0))},
        {.fd = wake_up, .events = POLLIN},
    };
    if (poll(waits, 2, milliseconds) < 0) return errno == EINTR ? 0 : -1;
    if (waits[0].revents & POLLNVAL) return -1;
    return (waits[0].revents & (POLLIN | POLLHUP | POLLERR) ? 1 : 0) | (waits[1].revents ? 2 : 0);
}

// The connection's socket, or -1.
static inline int weir_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

// What `connect` stored for the connection, or NULL.
static inline void *weir_mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

// The client's address, or NULL.
static inline const struct sockaddr *weir_mhd_client(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info == NULL ? NULL : info->client_addr;
}

// Copies small bytes into a response. MHD takes no const pointer, but only reads.
static inline struct MHD_Response *weir_mhd_copied_response(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

// MHD_SIZE_UNKNOWN is a macro with a cast, as are the reader's end marks.
static inline uint64_t weir_mhd_size_unknown(void) { return MHD_SIZE_UNKNOWN; }
static inline ssize_t weir_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t weir_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

// epoll, which the Glibc module leaves out: one event armed on one socket, for its client's end.
static inline int weir_epoll_open(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int weir_eventfd_open(void) { return eventfd(0, EFD_CLOEXEC); }
static inline int weir_epoll_arm(int epoll, int descriptor, uint64_t number) {
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data = {.u64 = number}};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}
static inline int weir_epoll_add_readable(int epoll, int descriptor, uint64_t number) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = number}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}
// Waits for one event and says its number; 0 when there was none in time.
static inline uint64_t weir_epoll_wait(int epoll, int milliseconds) {
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, milliseconds) == 1 ? event.data.u64 : 0;
}
