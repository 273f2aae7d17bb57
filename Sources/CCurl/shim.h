#pragma once
#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one typed wrapper
// for each kind of argument. The parentheses step round curl's own type-checking macros.
static inline CURLcode weir_curl_set_long(CURL *handle, CURLoption option, long value) {
    return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode weir_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode weir_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode weir_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return (curl_easy_setopt)(handle, option, value);
}
static inline CURLcode weir_curl_set_headers(CURL *handle, struct curl_slist *headers) {
    return (curl_easy_setopt)(handle, CURLOPT_HTTPHEADER, headers);
}

// Write and header callbacks have one shape.
typedef size_t (*weir_curl_receive)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode weir_curl_set_receive(CURL *handle, CURLoption option, weir_curl_receive function) {
    return (curl_easy_setopt)(handle, option, function);
}
typedef int (*weir_curl_progress)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
static inline CURLcode weir_curl_set_progress(CURL *handle, weir_curl_progress function) {
    return (curl_easy_setopt)(handle, CURLOPT_XFERINFOFUNCTION, function);
}
static inline long weir_curl_response_code(CURL *handle) {
    long code = 0;
    (curl_easy_getinfo)(handle, CURLINFO_RESPONSE_CODE, &code);
    return code;
}
