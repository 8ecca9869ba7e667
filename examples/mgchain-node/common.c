/* SPDX-License-Identifier: Apache-2.0 */
/* Words on stderr, clocks, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node.h"

say_level say_up_to = SAY_INFO;

/* One write a line, so that lines of several processes on one terminal do not mix. */
void say(say_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    char text[1024];
    struct timespec now;
    struct tm utc;
    va_list args;
    size_t at;

    if (level > say_up_to) return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    at = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    at += (size_t)snprintf(text + at, sizeof text - at, ".%03dZ %s: ", (int)(now.tv_nsec / 1000000), names[level]);
    va_start(args, format);
    vsnprintf(text + at, sizeof text - at - 1, format, args);
    va_end(args);
    at = strlen(text);
    text[at++] = '\n';
    if (write(STDERR_FILENO, text, at) < 0) return; /* nobody reads: nothing to be done about it */
}

int failed(mgc_ctx *ctx, mgc_status status, const char *what)
{
    const char *text = mgc_ctx_error(ctx);

    say(SAY_ERROR, "%s: %s (%s)", what, text[0] != '\0' ? text : mgc_status_text(status), mgc_status_name(status));
    if (status == MGC_E_IO || status == MGC_E_LOCKED || status == MGC_E_FAILED) return EXIT_IO;
    if (status == MGC_E_CASE || status == MGC_E_BAD_KEY || status == MGC_E_NOT_FOUND) return EXIT_INPUT;
    return status == MGC_E_CORRUPT || status == MGC_E_WRONG_CHAIN || status == MGC_E_STATE_MISMATCH ? EXIT_VERIFY : EXIT_INTERNAL;
}

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t utc_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

uint64_t steady_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

void to_hex(const uint8_t *bytes, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    text[2 * n] = '\0';
}

bool from_hex(const char *text, uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(text) != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        const char *high = strchr(digits, text[2 * i]), *low = strchr(digits, text[2 * i + 1]);
        if (high == NULL || low == NULL) return false;
        bytes[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

char *read_text(const char *path, size_t max, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = f == NULL ? NULL : malloc(max + 1);

    if (text != NULL) {
        *len = fread(text, 1, max + 1, f);
        if (ferror(f) != 0 || *len > max) {
            free(text);
            text = NULL;
            errno = EFBIG;
        } else text[*len] = '\0';
    }
    if (f != NULL) fclose(f);
    return text;
}

bool write_private(const char *path, const char *text, bool secret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, secret ? 0600 : 0644);
    size_t len = strlen(text), done = 0;

    while (fd >= 0 && done < len) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        done += (size_t)n;
    }
    if (fd >= 0 && (fsync(fd) != 0 || close(fd) != 0)) done = 0;
    if (fd >= 0 && done == len) return true;
    fprintf(stderr, "mgchain-node: %s: %s\n", path, strerror(errno));
    return false;
}
