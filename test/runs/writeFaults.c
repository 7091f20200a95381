// For tests: fails, or kills the process, at the n-th system call that touches a directory. Preloaded into Node
// (LD_PRELOAD); libuv and Node call these functions of the C library for every file.
//   WRITE_FAULTS_DIRECTORY  the absolute path of the directory
//   WRITE_FAULTS_AT         n, from 1; 0: none, only the log is written
//   WRITE_FAULTS_KIND       kill: before the call; torn: a write is cut in half, then kill (another call: kill
//                           behind it); EIO, ENOSPC: the call fails with that
//   WRITE_FAULTS_LOG        a file, which gets a line for each call
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;

enum action { PASS, FAIL, TORN };

static int inside(const char *path) {
  const char *directory = getenv("WRITE_FAULTS_DIRECTORY");
  if (directory == NULL || path == NULL) return 0;
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int inside_descriptor(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return inside(path);
}

static enum action arrive(const char *name) {
  const char *log = getenv("WRITE_FAULTS_LOG");
  if (log != NULL) {
    long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    char line[64];
    int length = snprintf(line, sizeof line, "%s\n", name);
    syscall(SYS_write, file, line, length);
    syscall(SYS_close, file);
  }
  const char *at = getenv("WRITE_FAULTS_AT");
  int call = atomic_fetch_add(&calls, 1) + 1;
  if (at == NULL || call != atoi(at)) return PASS;
  const char *kind = getenv("WRITE_FAULTS_KIND");
  if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
  if (strcmp(kind, "torn") == 0) return TORN;
  errno = strcmp(kind, "ENOSPC") == 0 ? ENOSPC : EIO;
  return FAIL;
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

// A call that is not a write: fails, or is done and the process killed behind it.
#define CALL(type, is_inside, label, call) \
  do { \
    enum action action = (is_inside) ? arrive(label) : PASS; \
    if (action == FAIL) return -1; \
    type result = call; \
    if (action == TORN) kill(getpid(), SIGKILL); \
    return result; \
  } while (0)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest); \
    REAL(int, name, const char *, int, ...); \
    CALL(int, inside(path), "open", real(path, flags, mode)); \
  }
OPEN(open)
OPEN(open64)

#define WRITE(name, parameters, types, half) \
  ssize_t name parameters { \
    REAL(ssize_t, name, types); \
    enum action action = inside_descriptor(file) ? arrive("write") : PASS; \
    if (action == FAIL) return -1; \
    if (action == TORN) { \
      half; \
      kill(getpid(), SIGKILL); \
    }

#define ARGUMENTS(...) __VA_ARGS__
WRITE(write, (int file, const void *bytes, size_t count), ARGUMENTS(int, const void *, size_t), real(file, bytes, count / 2))
  return real(file, bytes, count);
}
WRITE(pwrite, (int file, const void *bytes, size_t count, off_t at), ARGUMENTS(int, const void *, size_t, off_t), real(file, bytes, count / 2, at))
  return real(file, bytes, count, at);
}
WRITE(pwrite64, (int file, const void *bytes, size_t count, off64_t at), ARGUMENTS(int, const void *, size_t, off64_t), real(file, bytes, count / 2, at))
  return real(file, bytes, count, at);
}
WRITE(writev, (int file, const struct iovec *parts, int count), ARGUMENTS(int, const struct iovec *, int), write(file, parts[0].iov_base, parts[0].iov_len / 2))
  return real(file, parts, count);
}

int fsync(int file) {
  REAL(int, fsync, int);
  CALL(int, inside_descriptor(file), "fsync", real(file));
}
int fdatasync(int file) {
  REAL(int, fdatasync, int);
  CALL(int, inside_descriptor(file), "fdatasync", real(file));
}
int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  CALL(int, inside(to), "rename", real(from, to));
}
int link(const char *from, const char *to) {
  REAL(int, link, const char *, const char *);
  CALL(int, inside(to), "link", real(from, to));
}
int unlink(const char *path) {
  REAL(int, unlink, const char *);
  CALL(int, inside(path), "unlink", real(path));
}
int remove(const char *path) {
  REAL(int, remove, const char *);
  CALL(int, inside(path), "remove", real(path));
}
int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  CALL(int, inside(path), "mkdir", real(path, mode));
}
