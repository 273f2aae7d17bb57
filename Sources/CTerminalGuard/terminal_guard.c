#include "terminal_guard.h"

void weir_terminal_guard_placeholder(void) {}
