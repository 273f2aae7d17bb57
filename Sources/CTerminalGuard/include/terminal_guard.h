#pragma once
/// Placeholder until the terminal arrives.
void weir_terminal_guard_placeholder(void);
