/*
 * Stands between a process and libc: logs what it writes, syncs, renames and removes under one folder, in the order in
 * which it happens, and makes chosen calls fail. power-log.ts reads the log.
 *
 * POWER_FOLDER  the folder
 * POWER_LOG     the file the log is appended to, outside the folder
 * POWER_FAIL    "<write|sync> <part of a path> <which call fails first> <how many fail> <errno>", or absent
 *
 * A record is one line, `operation inode offset length<tab>path<tab>path before`, and `length` bytes for a write:
 * W write, T truncate, C create, S sync, F failed sync, E failed write, R rename, L link, U unlink, M make folder.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_BYTES 1024
#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static const char *folder = "";
static struct {
  char call[8], part[256];
  long first, count;
  int error;
  long seen;
} failing;

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("POWER_LOG"), *fail = getenv("POWER_FAIL");
  if (!log || !getenv("POWER_FOLDER")) return;
  folder = getenv("POWER_FOLDER");
  log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_file < 0) abort();
  if (fail && sscanf(fail, "%7s %255s %ld %ld %d", failing.call, failing.part, &failing.first, &failing.count, &failing.error) != 5) abort();
}

static int is_inside(const char *path) {
  size_t length = strlen(folder);
  return log_file >= 0 && length > 0 && !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int path_of(int file, char *path) {
  char link[40];
  if (log_file < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_BYTES - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_inside(path);
}

static unsigned long inode_of(const char *path) {
  struct stat found;
  return lstat(path, &found) ? 0 : found.st_ino;
}

static unsigned long inode_of_file(int file) {
  struct stat found;
  return fstat(file, &found) ? 0 : found.st_ino;
}

/* A log that cannot be written would show losses that never were: better no process at all. */
static void record(char operation, unsigned long inode, long offset, const void *bytes, size_t length, const char *path, const char *before) {
  char line[2 * PATH_BYTES + 100];
  int used = snprintf(line, sizeof line, "%c %lu %ld %zu\t%s\t%s\n", operation, inode, offset, length, path, before);
  struct iovec parts[2] = {{line, used}, {(void *)bytes, bytes ? length : 0}};
  if (writev(log_file, parts, 2) != (ssize_t)(used + parts[1].iov_len)) abort();
}

/* The error this call is to fail with, or 0. Counted under the lock, over all threads. */
static int failure_of(const char *call, const char *path) {
  if (!failing.error || strcmp(call, failing.call) || !strstr(path, failing.part)) return 0;
  failing.seen++;
  return failing.seen >= failing.first && failing.seen < failing.first + failing.count ? failing.error : 0;
}

static void lock(void) { pthread_mutex_lock(&order); }

/* Releases without disturbing errno. */
static void unlock(void) {
  int error = errno;
  pthread_mutex_unlock(&order);
  errno = error;
}

static int refused(const char *call, char operation, int file, const char *path) {
  int error = failure_of(call, path);
  if (!error) return 0;
  record(operation, inode_of_file(file), 0, NULL, 0, path, "");
  errno = error;
  return 1;
}

static ssize_t write_at(ssize_t (*real)(int, const void *, size_t, off64_t), int file, const void *bytes, size_t length, off64_t offset) {
  char path[PATH_BYTES];
  if (!path_of(file, path)) return real(file, bytes, length, offset);
  lock();
  ssize_t written = refused("write", 'E', file, path) ? -1 : real(file, bytes, length, offset);
  if (written > 0) record('W', inode_of_file(file), offset, bytes, written, path, "");
  unlock();
  return written;
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  return write_at(real, file, bytes, length, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  REAL(pwrite64);
  return write_at(real, file, bytes, length, offset);
}

static off_t place_of(int file) { return lseek(file, 0, fcntl(file, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR); }

ssize_t write(int file, const void *bytes, size_t length) {
  REAL(write);
  char path[PATH_BYTES];
  if (!path_of(file, path)) return real(file, bytes, length);
  lock();
  off_t offset = place_of(file);
  ssize_t written = refused("write", 'E', file, path) ? -1 : real(file, bytes, length);
  if (written > 0) record('W', inode_of_file(file), offset, bytes, written, path, "");
  unlock();
  return written;
}

/* Vectors are joined and written as one: a caller takes a short write as what it is. */
static void *joined(const struct iovec *parts, int count, size_t *length) {
  *length = 0;
  for (int i = 0; i < count; i++) *length += parts[i].iov_len;
  char *bytes = malloc(*length ? *length : 1), *to = bytes;
  if (!bytes) abort();
  for (int i = 0; i < count; to += parts[i++].iov_len) memcpy(to, parts[i].iov_base, parts[i].iov_len);
  return bytes;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  REAL(writev);
  char path[PATH_BYTES];
  if (file == log_file || !path_of(file, path)) return real(file, parts, count);
  size_t length;
  void *bytes = joined(parts, count, &length);
  ssize_t written = write(file, bytes, length);
  free(bytes);
  return written;
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
  REAL(pwritev64);
  char path[PATH_BYTES];
  if (!path_of(file, path)) return real(file, parts, count, offset);
  size_t length;
  void *bytes = joined(parts, count, &length);
  ssize_t written = pwrite64(file, bytes, length, offset);
  free(bytes);
  return written;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) { return pwritev64(file, parts, count, offset); }

int ftruncate64(int file, off64_t length) {
  REAL(ftruncate64);
  char path[PATH_BYTES];
  if (!path_of(file, path)) return real(file, length);
  lock();
  int result = refused("write", 'E', file, path) ? -1 : real(file, length);
  if (!result) record('T', inode_of_file(file), length, NULL, 0, path, "");
  unlock();
  return result;
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

static int sync_with(int (*real)(int), int file) {
  char path[PATH_BYTES];
  if (!path_of(file, path)) return real(file);
  lock();
  int result = refused("sync", 'F', file, path) ? -1 : real(file);
  if (!result) record('S', inode_of_file(file), 0, NULL, 0, path, "");
  unlock();
  return result;
}

int fdatasync(int file) {
  REAL(fdatasync);
  return sync_with(real, file);
}

int fsync(int file) {
  REAL(fsync);
  return sync_with(real, file);
}

static int open_with(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  if (!is_inside(path) || !(flags & (O_CREAT | O_TRUNC))) return real(path, flags, mode);
  lock();
  unsigned long before = inode_of(path);
  int file = real(path, flags, mode);
  if (file >= 0 && !before) record('C', inode_of_file(file), 0, NULL, 0, path, "");
  else if (file >= 0 && flags & O_TRUNC) record('T', before, 0, NULL, 0, path, "");
  unlock();
  return file;
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return open_with(real, path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
  REAL(rename);
  if (!is_inside(to)) return real(from, to);
  lock();
  int result = real(from, to);
  if (!result) record('R', inode_of(to), 0, NULL, 0, to, from);
  unlock();
  return result;
}

int link(const char *from, const char *to) {
  REAL(link);
  if (!is_inside(to)) return real(from, to);
  lock();
  int result = real(from, to);
  if (!result) record('L', inode_of(to), 0, NULL, 0, to, from);
  unlock();
  return result;
}

int unlink(const char *path) {
  REAL(unlink);
  if (!is_inside(path)) return real(path);
  lock();
  unsigned long inode = inode_of(path);
  int result = real(path);
  if (!result) record('U', inode, 0, NULL, 0, path, "");
  unlock();
  return result;
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  if (!is_inside(path)) return real(path, mode);
  lock();
  int result = real(path, mode);
  if (!result) record('M', inode_of(path), 0, NULL, 0, path, "");
  unlock();
  return result;
}
