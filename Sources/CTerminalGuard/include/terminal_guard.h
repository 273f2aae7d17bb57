#pragma once
#include <stddef.h>

/// Saves the settings of the terminal `fd`, puts it in raw mode, writes `enter`, and from then on
/// restores both and writes `leave` on every way out: disarm, exit(), INT, TERM, HUP, QUIT, TSTP and the fatal
/// signals ILL, TRAP, SEGV, BUS, FPE, ABRT. The texts are copied; each may hold 256 bytes at most.
/// Returns 0, or an errno. One terminal a process.
int weir_guard_arm(int fd, const char *enter, size_t enter_length, const char *leave, size_t leave_length);

/// Adds bytes to the end of the sequence for entering (for what detection found later) and writes them now,
/// and puts `leave` before the sequence for leaving. Returns 0, or ENOSPC.
int weir_guard_extend(const char *enter, size_t enter_length, const char *leave, size_t leave_length);

/// Leaves raw mode and puts the earlier signal handlers back. May be called at any time, more than once.
void weir_guard_disarm(void);

/// Stops the process as Ctrl-Z does, with the terminal restored; returns when it is continued.
void weir_guard_suspend(void);

/// A descriptor that becomes readable when a signal came: the byte 'W' for a new size, 'C' for continued.
/// -1 before the first arm.
int weir_guard_signal_fd(void);

/// The size in columns and rows of the terminal `fd`. Returns 0, or an errno.
int weir_guard_size(int fd, int *columns, int *rows);
