#pragma once
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros that Swift cannot see.
static inline int weir_deflate_init(z_streamp stream, int level, int windowBits, int memLevel, int strategy) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, memLevel, strategy);
}
static inline int weir_inflate_init(z_streamp stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}
