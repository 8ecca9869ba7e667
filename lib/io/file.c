/* SPDX-License-Identifier: Apache-2.0 */
/* The only file of the library that opens files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

enum { READ_CHUNK = 64 << 10, TEMPORARY_TRIES = 100 };

/* strerror() obeys the locale and is not safe between threads; these are the reasons that users meet. */
static const char *reason(int error)
{
    switch (error) {
    case ENOENT: return "there is no such file";
    case EACCES: return "permission denied";
    case EISDIR: return "it is a folder";
    case ENOTDIR: return "a part of the path is not a folder";
    case ENOSPC: return "no space left on the device";
    case EDQUOT: return "the disk quota is used up";
    case EROFS: return "the file system is read-only";
    case ENAMETOOLONG: return "the name is too long";
    case ELOOP: return "too many symbolic links";
    case EMFILE:
    case ENFILE: return "too many files are open";
    case EIO: return "the device reported an error";
    default: return "the system refused";
    }
}

static mgc_status status_of(int error)
{
    return error == ENOENT || error == ENOTDIR ? MGC_E_NOT_FOUND : MGC_E_IO;
}

static mgc_status read_all(mgc_ctx *ctx, int fd, size_t max, char **bytes, size_t *len, const char **why)
{
    size_t cap = 0;

    for (;;) {
        if (!mgc__io_grow(ctx, (void **)bytes, &cap, *len + READ_CHUNK + 1, 1)) {
            *why = "there is no memory for it";
            return MGC_E_NO_MEMORY;
        }
        ssize_t got = read(fd, *bytes + *len, READ_CHUNK);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            *why = reason(errno);
            return MGC_E_IO;
        }
        *len += (size_t)got;
        if (*len > max) {
            *why = "it is too large";
            return MGC_E_TOO_LARGE;
        }
        if (got == 0) break;
    }
    (*bytes)[*len] = '\0';
    return MGC_OK;
}

mgc_status mgc__file_read(mgc_ctx *ctx, const char *path, size_t max, char **bytes, size_t *len, const char **why)
{
    *bytes = NULL;
    *len = 0;
    *why = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *why = reason(errno);
        return status_of(errno);
    }
    mgc_status status = read_all(ctx, fd, max, bytes, len, why);
    close(fd);
    if (status != MGC_OK) {
        mgc_ctx_release(ctx, *bytes);
        *bytes = NULL;
        *len = 0;
    }
    return status;
}

static bool write_all(int fd, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        bytes += put;
        len -= (size_t)put;
    }
    return fsync(fd) == 0;
}

/* A new file beside path, whose name nobody else has. */
static int open_beside(mgc__text *name, const char *path)
{
    for (int try = 0; try < TEMPORARY_TRIES; try++) {
        name->len = 0;
        mgc__text_printf(name, "%s.part%d", path, try);
        if (name->failed) {
            errno = ENOMEM;
            return -1;
        }
        int fd = open(name->bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* A renamed file survives a power cut once its folder is on disk. */
static void sync_folder(mgc__text *name, const char *path)
{
    const char *slash = strrchr(path, '/');

    name->len = 0;
    if (slash == NULL) mgc__text_add(name, ".");
    else mgc__text_put(name, path, slash == path ? 1 : (size_t)(slash - path));
    if (name->failed) return;
    int fd = open(name->bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return; /* a folder that may not be read: the file itself is whole all the same */
    (void)fsync(fd);
    close(fd);
}

mgc_status mgc_file_write(mgc_ctx *ctx, const char *path, const void *bytes, size_t len)
{
    mgc__text name = {.ctx = ctx};
    mgc_status status = MGC_OK;

    if (ctx == NULL || path == NULL || *path == '\0' || (bytes == NULL && len > 0)) return MGC_E_INVALID_ARG;
    int fd = open_beside(&name, path);
    if (fd < 0) {
        int error = errno;
        bool memory = name.failed;
        mgc__text_free(&name);
        if (memory) return mgc__io_no_memory(ctx, "a file name");
        return mgc__io_fail(ctx, status_of(error), "io: %s cannot be written: %s", path,
                            error == ENOENT ? "there is no such folder" : reason(error));
    }
    bool written = write_all(fd, bytes, len);
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && rename(name.bytes, path) != 0) {
        written = false;
        error = errno;
    }
    if (!written) {
        unlink(name.bytes);
        status = mgc__io_fail(ctx, MGC_E_IO, "io: %s cannot be written: %s", path, reason(error));
    } else {
        sync_folder(&name, path);
    }
    mgc__text_free(&name);
    return status;
}
