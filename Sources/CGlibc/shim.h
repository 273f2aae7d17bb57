#pragma once
#include <malloc.h>
#include <stddef.h>

// Declared by <string.h> only under _GNU_SOURCE, which changes other headers.
void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t needle_size);
