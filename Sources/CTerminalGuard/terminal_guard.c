// Puts a terminal back as it was, whatever ends the process.
//
// Everything that runs in a handler here is async-signal-safe (POSIX.1-2017, 2.4.3): write, poll, tcsetattr,
// sigaction, sigprocmask, raise, and atomics without locks. Nothing in it may call into Swift.
#define _GNU_SOURCE
#include "terminal_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { SEQUENCE_MAX = 256, STACK_BYTES = 64 * 1024, WRITE_ATTEMPTS = 20, WRITE_WAIT_MS = 25 };

static struct {
    int fd;
    struct termios before;
    struct termios raw;
    char enter[SEQUENCE_MAX];
    size_t enter_length;
    char leave[SEQUENCE_MAX];
    size_t leave_length;
} terminal = {.fd = -1};

/// 1 while raw mode is in force: whoever swaps it to 0 restores, so it happens once.
static int is_raw;
static int is_armed;
static int signal_pipe[2] = {-1, -1};
static char alternate_stack[STACK_BYTES];

static const int caught[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGINT, SIGTERM,
                             SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
enum { CAUGHT = sizeof caught / sizeof caught[0] };
static struct sigaction earlier[CAUGHT];

static void write_all(const char *bytes, size_t length) {
    int attempts = 0;
    while (length > 0 && attempts < WRITE_ATTEMPTS) {
        ssize_t written = write(terminal.fd, bytes, length);
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
            continue;
        }
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno != EAGAIN) return;
        // The descriptor does not block and the terminal is full: give it a moment, not for ever.
        struct pollfd waiting = {.fd = terminal.fd, .events = POLLOUT};
        poll(&waiting, 1, WRITE_WAIT_MS);
        attempts += 1;
    }
}

/// tcsetattr from a background group would stop us with TTOU; it must not when we are restoring.
static void set_attributes(const struct termios *attributes) {
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    sigprocmask(SIG_BLOCK, &block, &before);
    while (tcsetattr(terminal.fd, TCSANOW, attributes) < 0 && errno == EINTR) {}
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void leave_raw(void) {
    if (__atomic_exchange_n(&is_raw, 0, __ATOMIC_SEQ_CST) == 0) return;
    write_all(terminal.leave, terminal.leave_length);
    set_attributes(&terminal.before);
}

static void enter_raw(void) {
    if (__atomic_exchange_n(&is_raw, 1, __ATOMIC_SEQ_CST) == 1) return;
    set_attributes(&terminal.raw);
    write_all(terminal.enter, terminal.enter_length);
}

static void note(char what) {
    // The pipe does not block: when it is full, the reader has enough to wake it.
    ssize_t ignored = write(signal_pipe[1], &what, 1);
    (void)ignored;
}

static void restore_earlier(int number) {
    for (size_t index = 0; index < CAUGHT; index++)
        if (caught[index] == number) sigaction(number, &earlier[index], NULL);
}

static void on_signal(int number, siginfo_t *information, void *context);

static void install(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void stop_here(void) {
    leave_raw();
    struct sigaction plain;
    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    sigaction(SIGTSTP, &plain, NULL);
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &only, &before);
    // Stopped between these two lines, until CONT.
    sigprocmask(SIG_SETMASK, &before, NULL);
    install(SIGTSTP);
    enter_raw();
    note('C');
}

static void on_signal(int number, siginfo_t *information, void *context) {
    (void)context;
    int saved = errno;
    switch (number) {
    case SIGWINCH: note('W'); break;
    case SIGTSTP: stop_here(); break;
    case SIGCONT:
        // After a STOP that no handler saw: another program may have changed the terminal.
        if (__atomic_load_n(&is_raw, __ATOMIC_SEQ_CST) == 1) {
            set_attributes(&terminal.raw);
            write_all(terminal.enter, terminal.enter_length);
            note('C');
        }
        break;
    default:
        leave_raw();
        restore_earlier(number);
        // A fault that the hardware raised happens again on return, now for the earlier handler, with its
        // address intact. Anything else has to be sent again.
        int is_fault = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;
        if (!is_fault || information == NULL || information->si_code <= 0) raise(number);
    }
    errno = saved;
}

int weir_guard_arm(int fd, const char *enter, size_t enter_length, const char *leave, size_t leave_length) {
    if (is_armed) return EBUSY;
    if (enter_length > SEQUENCE_MAX || leave_length > SEQUENCE_MAX) return ENOSPC;
    if (tcgetattr(fd, &terminal.before) < 0) return errno;
    if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) < 0) return errno;
    terminal.fd = fd;
    terminal.raw = terminal.before;
    cfmakeraw(&terminal.raw);
    terminal.raw.c_cc[VMIN] = 0;
    terminal.raw.c_cc[VTIME] = 0;
    memcpy(terminal.enter, enter, enter_length);
    terminal.enter_length = enter_length;
    memcpy(terminal.leave, leave, leave_length);
    terminal.leave_length = leave_length;

    // A stack overflow leaves no stack for the handler but this one.
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    stack_t present;
    if (sigaltstack(NULL, &present) == 0 && (present.ss_flags & SS_DISABLE)) sigaltstack(&stack, NULL);

    for (size_t index = 0; index < CAUGHT; index++) sigaction(caught[index], NULL, &earlier[index]);
    for (size_t index = 0; index < CAUGHT; index++) install(caught[index]);
    static int has_exit_handler;
    if (!has_exit_handler) {
        atexit(weir_guard_disarm);
        has_exit_handler = 1;
    }
    is_armed = 1;
    enter_raw();
    return 0;
}

int weir_guard_extend(const char *enter, size_t enter_length, const char *leave, size_t leave_length) {
    if (terminal.enter_length + enter_length > SEQUENCE_MAX) return ENOSPC;
    if (terminal.leave_length + leave_length > SEQUENCE_MAX) return ENOSPC;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    memcpy(terminal.enter + terminal.enter_length, enter, enter_length);
    terminal.enter_length += enter_length;
    memmove(terminal.leave + leave_length, terminal.leave, terminal.leave_length);
    memcpy(terminal.leave, leave, leave_length);
    terminal.leave_length += leave_length;
    if (is_raw) write_all(enter, enter_length);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return 0;
}

void weir_guard_disarm(void) {
    if (!is_armed) return;
    leave_raw();
    is_armed = 0;
    for (size_t index = 0; index < CAUGHT; index++) sigaction(caught[index], &earlier[index], NULL);
}

void weir_guard_suspend(void) { raise(SIGTSTP); }

int weir_guard_signal_fd(void) { return signal_pipe[0]; }

int weir_guard_size(int fd, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}
