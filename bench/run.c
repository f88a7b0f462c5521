/*
 * The fast half of bench/run, which compiles it: what writes the lines, what reads them, and what starts programs, so that none
 * of these is what is measured.
 *
 *     lines drain FD EXPECTED QUIET_MS        reads two streams as fast as it can, and counts their bytes
 *     lines sip FD EXPECTED QUIET_MS PIECE PAUSE_US
 *                                             the same, a reader for each stream, which takes no more than PIECE bytes at a
 *                                             time, and pauses after each
 *     lines write LINES RATE FROM ROTATE_MS PATH...
 *                                             writes stamped lines to files in turn, one write(2) each
 *     lines read FD FILES FROM LINES WAIT_MS QUIET_MS STALL_AT_MS STALL_MS
 *                                             checks the stamped lines that come on two streams
 *     lines first WAIT_MS EXPECTED COMMAND... starts a command, and reads its first byte, and the bytes after it
 *
 * The two streams are stdin and FD, or stdin alone if FD is -1. LINES and RATE are those of each file, FROM the number of the
 * first line, which in a file that was written to before goes on where that stopped.
 * `drain`, `sip` and `read` end when all has come, or when nothing came for QUIET_MS, but `read` not before WAIT_MS. Results are JSON
 * on stdout. Times are microseconds, but where they are called ns: those of CLOCK_MONOTONIC, which is one clock for all processes.
 *
 * A stamped line is "INFO file=FFFF line=NNNNNNNNN at=NNNNNNNNNNNNNNNNNN FILLER", and its filler is determined by the number: a
 * line that was cut, or mixed with another, is not taken for a whole one.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (1 << 20)
#define HEAD "INFO file=%04u line=%09u at=%018llu "
#define HEAD_BYTES 52
#define LINE_BYTES_MAX 192
#define GRACE_MS 300 /* once all has come: what is repeated may come yet */

typedef long long nanoseconds;

static void die(const char *what)
{
    fprintf(stderr, "lines: cannot %s: %s\n", what, strerror(errno));
    exit(1);
}

static nanoseconds now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void sleep_until(nanoseconds when)
{
    struct timespec time = {when / 1000000000, when % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

static long long number(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*text == 0 || *end != 0) {
        fprintf(stderr, "lines: not a number: %s\n", text);
        exit(1);
    }
    return value;
}

static void *allocate(size_t bytes)
{
    void *made = calloc(1, bytes ? bytes : 1);
    if (made == NULL)
        die("allocate");
    return made;
}

/* Two streams: the stdout and the stderr of the program that is measured. */

struct stream {
    struct pollfd poll;
    long long bytes;
    size_t held; /* bytes of a line whose end has not come */
    char *buffer;
};

static void open_streams(struct stream streams[2], const char *other)
{
    for (int each = 0; each < 2; each++) {
        streams[each] = (struct stream){.poll = {.fd = each == 0 ? 0 : (int)number(other), .events = POLLIN}};
        streams[each].buffer = allocate(BUFFER_BYTES + LINE_BYTES_MAX);
    }
}

/* Waits until something can be read, for a tenth of a second at most. */
static void wait_for(struct stream streams[2])
{
    struct pollfd polls[2] = {streams[0].poll, streams[1].poll};
    if (poll(polls, 2, 100) < 0 && errno != EINTR)
        die("poll");
    streams[0].poll.revents = polls[0].revents;
    streams[1].poll.revents = polls[1].revents;
}

/* Reads what is there behind what is held, and returns how many bytes; at its end a stream is not looked at any more. */
static size_t read_some(struct stream *stream)
{
    if (stream->poll.fd < 0 || stream->poll.revents == 0)
        return 0;
    ssize_t got = read(stream->poll.fd, stream->buffer + stream->held, BUFFER_BYTES - stream->held);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        die("read");
    if (got == 0)
        stream->poll.fd = -1;
    stream->bytes += got > 0 ? got : 0;
    return got > 0 ? (size_t)got : 0;
}

static int drain(char **arguments)
{
    long long expected = number(arguments[1]), quiet = number(arguments[2]) * 1000000;
    struct stream streams[2];
    open_streams(streams, arguments[0]);
    nanoseconds first = 0, last = now();
    while (streams[0].bytes + streams[1].bytes < expected && (streams[0].poll.fd >= 0 || streams[1].poll.fd >= 0)) {
        wait_for(streams);
        if (read_some(&streams[0]) + read_some(&streams[1]) > 0) {
            last = now();
            first = first ? first : last;
        } else if (now() - last > quiet) {
            break;
        }
    }
    printf("{\"first_ns\": %lld, \"last_ns\": %lld, \"bytes\": [%lld, %lld]}\n", first, last, streams[0].bytes,
           streams[1].bytes);
    return 0;
}

/* Two readers, one for each stream. */

static struct {
    long long expected, piece, pause_us;
    atomic_llong bytes[2], first, last;
    atomic_int open;
    sem_t over;
} sips;

static void *sip_stream(void *given)
{
    struct stream *stream = given;
    atomic_llong *bytes = &sips.bytes[stream->poll.fd != 0];
    ssize_t got;
    while ((got = read(stream->poll.fd, stream->buffer, (size_t)sips.piece)) != 0) {
        if (got < 0 && errno != EINTR)
            die("read");
        nanoseconds at = now(), none = 0;
        atomic_compare_exchange_strong(&sips.first, &none, at);
        sips.last = at;
        *bytes += got > 0 ? got : 0;
        if (sips.bytes[0] + sips.bytes[1] >= sips.expected)
            sem_post(&sips.over);
        if (sips.pause_us > 0)
            sleep_until(now() + sips.pause_us * 1000);
    }
    if (--sips.open == 0)
        sem_post(&sips.over);
    return NULL;
}

/* The readers block in read(2), so they are not waited for: they end with the process. */
static int sip(char **arguments)
{
    struct stream streams[2];
    nanoseconds quiet = number(arguments[2]) * 1000000, until;
    sips.expected = number(arguments[1]);
    sips.piece = number(arguments[3]) < BUFFER_BYTES ? number(arguments[3]) : BUFFER_BYTES;
    sips.pause_us = number(arguments[4]);
    sips.last = now();
    open_streams(streams, arguments[0]);
    sips.open = streams[1].poll.fd < 0 ? 1 : 2;
    prctl(PR_SET_TIMERSLACK, 1ul);
    if (sem_init(&sips.over, 0, 0) < 0)
        die("make a semaphore");
    for (int each = 0; each < 2; each++) {
        pthread_t thread;
        if (streams[each].poll.fd >= 0 && pthread_create(&thread, NULL, sip_stream, &streams[each]) != 0)
            die("start a reader");
    }
    while (until = sips.last + quiet, now() < until) {
        struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
        if (sem_clockwait(&sips.over, CLOCK_MONOTONIC, &at) == 0)
            break;
    }
    printf("{\"first_ns\": %lld, \"last_ns\": %lld, \"bytes\": [%lld, %lld]}\n", sips.first, sips.last, sips.bytes[0],
           sips.bytes[1]);
    fflush(stdout);
    _exit(0);
}

/* The stamped lines. */

static size_t fill(char *at, unsigned line)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij"
                                  "klmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    size_t bytes = 10 + line % 89;
    memcpy(at, letters + line % 26, bytes);
    at[bytes] = '\n';
    return bytes + 1;
}

static int open_log(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        die("open the log");
    return fd;
}

/* Renames a file, and goes on in a new one, as an application does that rotates its own log. */
static int rotate(int fd, const char *path, int generation)
{
    char name[4096];
    if (snprintf(name, sizeof name, "%s.%d", path, generation) >= (int)sizeof name || rename(path, name) < 0)
        die("rename the log");
    close(fd);
    return open_log(path);
}

static int write_lines(char **arguments)
{
    double rate = strtod(arguments[1], NULL);
    unsigned from = (unsigned)number(arguments[2]), files = 0;
    nanoseconds every = number(arguments[3]) * 1000000, began = now(), rotate_at = began + every, behind = 0;
    char **paths = arguments + 4, line[LINE_BYTES_MAX];
    while (paths[files] != NULL)
        files++;
    int *fds = allocate(files * sizeof *fds), generation = 0;
    for (unsigned file = 0; file < files; file++)
        fds[file] = open_log(paths[file]);
    prctl(PR_SET_TIMERSLACK, 1ul);
    unsigned long long total = (unsigned long long)number(arguments[0]) * files;
    for (unsigned long long each = 0; each < total; each++) {
        unsigned file = (unsigned)(each % files), n = from + (unsigned)(each / files);
        nanoseconds due = began + (nanoseconds)((double)each * 1e9 / (rate * files)), at = now();
        if (at < due) {
            sleep_until(due);
            at = now();
        }
        behind = at - due > behind ? at - due : behind;
        if (every > 0 && at >= rotate_at) {
            generation++;
            rotate_at += every;
            for (unsigned other = 0; other < files; other++)
                fds[other] = rotate(fds[other], paths[other], generation);
        }
        snprintf(line, sizeof line, HEAD, file, n, (unsigned long long)now());
        size_t bytes = HEAD_BYTES + fill(line + HEAD_BYTES, n);
        if (write(fds[file], line, bytes) != (ssize_t)bytes)
            die("write a line");
    }
    printf("{\"lines\": %llu, \"rotations\": %d, \"most_behind_us\": %lld}\n", total, generation, behind / 1000);
    return 0;
}

struct reader {
    unsigned files, from, count;
    uint8_t *seen;       /* one for each line of each file */
    uint32_t *latencies; /* microseconds, in the order of arrival */
    size_t received;
    long long repeated, torn;
};

static size_t wanted(const struct reader *reader)
{
    return (size_t)reader->files * reader->count;
}

/* Takes a line, its newline included, that came at that time. */
static void take_line(struct reader *reader, const char *line, size_t bytes, nanoseconds at)
{
    unsigned file, n;
    unsigned long long stamp;
    char whole[LINE_BYTES_MAX], head[HEAD_BYTES + 1] = "";
    memcpy(head, line, bytes < HEAD_BYTES ? bytes : HEAD_BYTES);
    if (bytes >= LINE_BYTES_MAX || sscanf(head, HEAD, &file, &n, &stamp) != 3) {
        reader->torn++;
        return;
    }
    snprintf(whole, sizeof whole, HEAD, file, n, stamp);
    int is_whole = HEAD_BYTES + fill(whole + HEAD_BYTES, n) == bytes && memcmp(whole, line, bytes) == 0;
    if (!is_whole || file >= reader->files || (n >= reader->from && n - reader->from >= reader->count)) {
        reader->torn++;
        return;
    }
    /* What came in a phase before comes a second time. */
    if (n < reader->from || reader->seen[(size_t)file * reader->count + n - reader->from]++) {
        reader->repeated++;
        return;
    }
    nanoseconds late = (at - (nanoseconds)stamp) / 1000;
    reader->latencies[reader->received++] = (uint32_t)(late < 0 ? 0 : late > UINT32_MAX ? UINT32_MAX : late);
}

static void take_lines(struct reader *reader, struct stream *stream, size_t got)
{
    nanoseconds at = now();
    char *line = stream->buffer, *end = line + stream->held + got, *newline;
    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        take_line(reader, line, (size_t)(newline + 1 - line), at);
        line = newline + 1;
    }
    stream->held = (size_t)(end - line);
    if (stream->held > LINE_BYTES_MAX) {
        reader->torn++;
        stream->held = 0;
    }
    memmove(stream->buffer, line, stream->held);
}

static int by_size(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static void print_read(struct reader *reader)
{
    uint32_t *sorted = reader->latencies;
    size_t received = reader->received;
    qsort(sorted, received, sizeof *sorted, by_size);
    printf("{\"received\": %zu, \"lost\": %zu, \"repeated\": %lld, \"torn\": %lld", received, wanted(reader) - received,
           reader->repeated, reader->torn);
    if (received > 0)
        printf(", \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u", sorted[(received - 1) / 2],
               sorted[(size_t)((double)(received - 1) * 0.99)], sorted[received - 1]);
    printf("}\n");
}

static int read_lines(char **arguments)
{
    struct reader reader = {.files = (unsigned)number(arguments[1]), .from = (unsigned)number(arguments[2])};
    reader.count = (unsigned)number(arguments[3]);
    reader.seen = allocate(wanted(&reader));
    reader.latencies = allocate(wanted(&reader) * sizeof *reader.latencies);
    nanoseconds began = now(), last = began + number(arguments[4]) * 1000000, quiet = number(arguments[5]) * 1000000;
    nanoseconds stall_at = began + number(arguments[6]) * 1000000, stall = number(arguments[7]) * 1000000, complete = 0;
    struct stream streams[2];
    open_streams(streams, arguments[0]);
    while (streams[0].poll.fd >= 0 || streams[1].poll.fd >= 0) {
        if (stall > 0 && now() >= stall_at) {
            sleep_until(stall_at + stall);
            stall = 0;
        }
        wait_for(streams);
        size_t got = 0;
        for (int each = 0; each < 2; each++) {
            size_t here = read_some(&streams[each]);
            take_lines(&reader, &streams[each], here);
            got += here;
        }
        nanoseconds at = now();
        last = got > 0 && at > last ? at : last;
        if (reader.received == wanted(&reader) && complete == 0)
            complete = at;
        if ((complete && at - complete > GRACE_MS * 1000000ll) || at - last > quiet)
            break;
    }
    print_read(&reader);
    return 0;
}

static int first_byte(char **arguments)
{
    nanoseconds wait_ns = number(arguments[0]) * 1000000, first = 0;
    long long expected = number(arguments[1]), bytes = 0;
    static char buffer[BUFFER_BYTES];
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) < 0)
        die("make a pipe");
    nanoseconds began = now();
    pid_t child = vfork();
    if (child == 0) {
        dup2(pipes[1], 1);
        execvp(arguments[2], arguments + 2);
        _exit(127);
    }
    close(pipes[1]);
    struct pollfd readable = {.fd = pipes[0], .events = POLLIN};
    while (bytes < expected && now() - began < wait_ns) {
        ssize_t got = poll(&readable, 1, 100) == 1 ? read(pipes[0], buffer, sizeof buffer) : 0;
        if (readable.revents && got <= 0)
            break;
        if (got > 0 && first == 0)
            first = now();
        bytes += got;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("{\"first_byte_us\": %lld, \"bytes\": %lld}\n", first ? (first - began) / 1000 : -1, bytes);
    return 0;
}

int main(int count, char **arguments)
{
    /* Whoever started this may be killed; nobody is to be left behind. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count == 5 && strcmp(arguments[1], "drain") == 0)
        return drain(arguments + 2);
    if (count == 7 && strcmp(arguments[1], "sip") == 0)
        return sip(arguments + 2);
    if (count >= 7 && strcmp(arguments[1], "write") == 0)
        return write_lines(arguments + 2);
    if (count == 10 && strcmp(arguments[1], "read") == 0)
        return read_lines(arguments + 2);
    if (count >= 5 && strcmp(arguments[1], "first") == 0)
        return first_byte(arguments + 2);
    fprintf(stderr, "lines: read the beginning of bench/run.c\n");
    return 2;
}
