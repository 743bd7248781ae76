/*
 * Logs, in order, every change a process makes to the files of one folder, so that power cuts can be imagined later.
 * Preload it with HOLDFAST_RECORD_FOLDER (the folder, as its real path) and HOLDFAST_RECORD_TRACE (a file elsewhere).
 * An entry is a line `operation name offset length` and `length` raw bytes. Call and entry share a lock: an entry stands
 * after all that its call could have seen. Memory-mapped changes are not seen; SQLite maps only the -shm file for writing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The part of a path below the folder: "." for the folder itself, NULL when it is elsewhere. */
static const char *below(const char *path) {
  const char *folder = getenv("HOLDFAST_RECORD_FOLDER");
  size_t length = folder ? strlen(folder) : 0;
  if (!length || strncmp(path, folder, length) || strstr(path, " (deleted)")) return NULL;
  if (path[length] == '\0') return ".";
  return path[length] == '/' ? path + length + 1 : NULL;
}

static const char *name_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return NULL;
  path[length] = '\0';
  return below(path);
}

static void record(const char *operation, const char *name, long offset, const void *data, size_t length) {
  static int trace = -1;
  char line[4200];
  if (trace < 0) trace = open(getenv("HOLDFAST_RECORD_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int size = snprintf(line, sizeof line, "%s %s %ld %zu\n", operation, name, offset, length);
  struct iovec parts[2] = {{line, (size_t)size}, {(void *)data, length}};
  if (writev(trace, parts, 2) != (ssize_t)(size + length)) abort();
}

#define NEXT(name) (*(__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define LOGGED(fd, call, done, operation, offset, data, length)           \
  char path[4096];                                                        \
  const char *name = name_of(fd, path, sizeof path);                      \
  if (!name) return call;                                                 \
  pthread_mutex_lock(&lock);                                              \
  __typeof__(call) result = call;                                         \
  if (done) record(operation, name, (long)(offset), data, (size_t)(length)); \
  pthread_mutex_unlock(&lock);                                            \
  return result;

ssize_t write(int fd, const void *data, size_t size) {
  LOGGED(fd, NEXT(write)(fd, data, size), result > 0, "write", -1, data, result)
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  LOGGED(fd, NEXT(pwrite)(fd, data, size, at), result > 0, "write", at, data, result)
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  LOGGED(fd, NEXT(pwrite64)(fd, data, size, at), result > 0, "write", at, data, result)
}
int ftruncate(int fd, off_t size) { LOGGED(fd, NEXT(ftruncate)(fd, size), result == 0, "truncate", size, "", 0) }
int ftruncate64(int fd, off64_t size) { LOGGED(fd, NEXT(ftruncate64)(fd, size), result == 0, "truncate", size, "", 0) }
int fsync(int fd) { LOGGED(fd, NEXT(fsync)(fd), result == 0, "sync", 0, "", 0) }
int fdatasync(int fd) { LOGGED(fd, NEXT(fdatasync)(fd), result == 0, "sync", 0, "", 0) }

int unlink(const char *path) {
  const char *name = below(path);
  if (!name) return NEXT(unlink)(path);
  pthread_mutex_lock(&lock);
  int result = NEXT(unlink)(path);
  if (result == 0) record("unlink", name, 0, "", 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int rename(const char *from, const char *to) {
  const char *name = below(from), *target = below(to);
  if (!name || !target) return NEXT(rename)(from, to);
  pthread_mutex_lock(&lock);
  int result = NEXT(rename)(from, to);
  if (result == 0) record("rename", name, 0, target, strlen(target));
  pthread_mutex_unlock(&lock);
  return result;
}
