/*
 * Makes the file operations of one folder fail when it is told to. Preload it with HOLDFAST_FAULT_FOLDER (the folder,
 * as its real path). The program itself gives the orders, by opening paths that do not exist:
 *
 *   /holdfast-fault/KIND/N/once|ever/ERRNO   the Nth operation of the kind fails from now on (with -1: the Nth write is
 *                                            cut in half, and what follows finds no space)
 *   /holdfast-fault/quota/N/ever/0           files may grow by N bytes more
 *   /holdfast-fault/none/0/once/0            nothing fails any more
 *   /holdfast-fault/state                    can be read: operations of the kind that were counted, and that failed
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) (*(__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ORDERS "/holdfast-fault/"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  char kind[16], mode[8];
  long nth, error, calls, failed;
} fault = {"none", "once", 0, 0, 0, 0};

static int below(const char *path) {
  const char *folder = getenv("HOLDFAST_FAULT_FOLDER");
  return folder && !strncmp(path, folder, strlen(folder));
}

static int holds(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return below(path);
}

/* 0: goes on as ever. Else the errno to fail with; -1: a write does half of its work. */
static int fails(const char *kind) {
  int error = 0;
  pthread_mutex_lock(&lock);
  if (!strcmp(fault.kind, kind)) {
    fault.calls++;
    int ever = !strcmp(fault.mode, "ever");
    if (fault.calls == fault.nth) error = (int)fault.error;
    else if (fault.calls > fault.nth && fault.error == -1 && (ever || fault.calls == fault.nth + 1)) error = ENOSPC;
    else if (fault.calls > fault.nth && ever) error = (int)fault.error;
    if (error) fault.failed++;
  }
  pthread_mutex_unlock(&lock);
  return error;
}

/* How much of a write finds room, by the quota. */
static size_t room(int fd, size_t size, off_t at) {
  struct stat file;
  pthread_mutex_lock(&lock);
  if (!strcmp(fault.kind, "quota") && !fstat(fd, &file)) {
    off_t end = at < 0 ? file.st_size : at;
    off_t grown = end + (off_t)size - file.st_size;
    if (grown > fault.nth) {
      size -= (size_t)(grown - fault.nth) < size ? (size_t)(grown - fault.nth) : size;
      grown = fault.nth;
      fault.failed++;
    }
    if (grown > 0) fault.nth -= grown;
  }
  pthread_mutex_unlock(&lock);
  return size;
}

static int order(const char *path) {
  path += strlen(ORDERS);
  if (!strcmp(path, "state")) {
    int fd = memfd_create("state", MFD_CLOEXEC);
    dprintf(fd, "%ld %ld", fault.calls, fault.failed);
    lseek(fd, 0, SEEK_SET);
    return fd;
  }
  pthread_mutex_lock(&lock);
  fault.calls = fault.failed = 0;
  int read = sscanf(path, "%15[^/]/%ld/%7[^/]/%ld", fault.kind, &fault.nth, fault.mode, &fault.error);
  pthread_mutex_unlock(&lock);
  errno = read == 4 ? ENOENT : EINVAL;
  return -1;
}

#define FAILING(kind, inside, call)         \
  int error = (inside) ? fails(kind) : 0;   \
  if (!error) return call;                  \
  errno = error;                            \
  return -1;

#define WRITING(fd, size, at, all, half)                             \
  if (!holds(fd)) return all;                                        \
  int error = fails("write");                                        \
  if (error > 0) {                                                   \
    errno = error;                                                   \
    return -1;                                                       \
  }                                                                  \
  size_t fits = error < 0 ? (size) / 2 : room(fd, size, at);         \
  if (fits == 0 && (size) > 0) {                                     \
    errno = ENOSPC;                                                  \
    return -1;                                                       \
  }                                                                  \
  return half;

ssize_t write(int fd, const void *data, size_t size) {
  WRITING(fd, size, -1, NEXT(write)(fd, data, size), NEXT(write)(fd, data, fits))
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  WRITING(fd, size, at, NEXT(pwrite)(fd, data, size, at), NEXT(pwrite)(fd, data, fits, at))
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  WRITING(fd, size, at, NEXT(pwrite64)(fd, data, size, at), NEXT(pwrite64)(fd, data, fits, at))
}
ssize_t read(int fd, void *data, size_t size) { FAILING("read", holds(fd), NEXT(read)(fd, data, size)) }
ssize_t pread(int fd, void *data, size_t size, off_t at) { FAILING("read", holds(fd), NEXT(pread)(fd, data, size, at)) }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
  FAILING("read", holds(fd), NEXT(pread64)(fd, data, size, at))
}
int ftruncate(int fd, off_t size) { FAILING("truncate", holds(fd), NEXT(ftruncate)(fd, size)) }
int ftruncate64(int fd, off64_t size) { FAILING("truncate", holds(fd), NEXT(ftruncate64)(fd, size)) }
int fsync(int fd) { FAILING("sync", holds(fd), NEXT(fsync)(fd)) }
int fdatasync(int fd) { FAILING("sync", holds(fd), NEXT(fdatasync)(fd)) }
int unlink(const char *path) { FAILING("unlink", below(path), NEXT(unlink)(path)) }
int rename(const char *from, const char *to) { FAILING("rename", below(from), NEXT(rename)(from, to)) }

#define OPENING(next)                                           \
  va_list rest;                                                 \
  va_start(rest, flags);                                        \
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
  va_end(rest);                                                 \
  if (!strncmp(path, ORDERS, strlen(ORDERS))) return order(path); \
  FAILING("open", below(path), next)

int open(const char *path, int flags, ...) { OPENING(NEXT(open)(path, flags, mode)) }
int open64(const char *path, int flags, ...) { OPENING(NEXT(open64)(path, flags, mode)) }
