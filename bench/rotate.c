/*
 * The fast half of bench/rotate, which compiles it: three programs in one, so that neither the writers nor the one who checks
 * what came through is what a rotation waits for.
 *
 *     lines write COUNTERS N PATH append|positional SECONDS RATE   writes numbered lines, one write(2) each, as file N
 *     lines check COUNTERS                                         checks the lines of all files on stdin
 *     lines sample COUNTERS DIRECTORY LIMIT MICROSECONDS PATH...   keeps the most that was allocated, until SIGTERM
 *
 * The three meet in COUNTERS, a file of one record per written file, mapped by all. Results are JSON on stdout, sizes are bytes.
 * A line is determined by its file and its number, also in its length, which no block size is a multiple of: a line that
 * was cut, or mixed with another, is not taken for a whole one.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES 3
#define LINE_BYTES_MAX 160
#define LINES_MAX (1ull << 32)

/* What the processes tell each other of one file; each field has one process that writes it. */
struct counter {
    volatile uint64_t written;  /* bytes, counted before they are written: never less than what is in the file */
    volatile uint64_t lines;    /* whole lines written */
    volatile uint64_t received; /* bytes of whole lines that came through */
    uint64_t padding[5];        /* to the size of a cache line */
};

static volatile sig_atomic_t hung_up, ended;

static void on_signal(int number)
{
    if (number == SIGHUP)
        hung_up = 1;
    else
        ended = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "lines: cannot %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void nap(long microseconds)
{
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&time, NULL);
}

static struct counter *open_counters(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED
                          : mmap(NULL, FILES * sizeof(struct counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        die("map the counters");
    return mapped;
}

/* Writes a line to `at`, its newline included, and returns its length. */
static size_t make_line(char *at, int file, uint64_t number)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij"
                                  "klmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    size_t filler = 20 + number * 13 % 97;
    at[0] = (char)('a' + file);
    at[1] = ' ';
    for (int digit = 11; digit >= 2; digit--, number /= 10)
        at[digit] = (char)('0' + number % 10);
    at[12] = ' ';
    memcpy(at + 13, letters + (unsigned char)(at[11] - '0') * 2, filler);
    at[13 + filler] = '\n';
    return 14 + filler;
}

/* The writer. */

struct writer {
    struct counter *counter;
    const char *path;
    int fd, is_appending;
    uint64_t waits; /* milliseconds for room on a full disk */
};

static void open_log(struct writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    writer->fd = open(writer->path, O_WRONLY | O_CREAT | O_CLOEXEC | (writer->is_appending ? O_APPEND : 0), 0644);
    if (writer->fd < 0)
        die("open the log");
    /* Who does not append goes on where the file ends now, and at an offset of its own from then on. */
    lseek(writer->fd, 0, SEEK_END);
}

static void write_all(struct writer *writer, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(writer->fd, from, bytes);
        if (written < 0 && errno != ENOSPC && errno != EINTR)
            die("write");
        if (written < 0 && errno == ENOSPC) {
            writer->waits++;
            nap(1000);
        }
        if (written > 0) {
            from += written;
            bytes -= (size_t)written;
        }
    }
}

static int write_lines(char **arguments)
{
    int file = atoi(arguments[1]);
    struct writer writer = {open_counters(arguments[0]) + file, arguments[2], -1, !strcmp(arguments[3], "append"), 0};
    double began, seconds = atof(arguments[4]), rate = atof(arguments[5]);
    char line[LINE_BYTES_MAX];
    uint64_t number = 0;

    /* The name that a signal is sent to. */
    prctl(PR_SET_NAME, "lines-writer");
    open_log(&writer);
    for (began = now(); !ended; number++) {
        size_t bytes = make_line(line, file, number);
        if (number % 64 == 0) {
            double since = now() - began;
            if (since >= seconds)
                break;
            for (; rate > 0 && number > since * rate; since = now() - began)
                nap(500);
        }
        if (hung_up) {
            hung_up = 0;
            open_log(&writer);
        }
        writer.counter->written += bytes;
        write_all(&writer, line, bytes);
        writer.counter->lines++;
    }
    printf("{\"waits\": %llu}\n", (unsigned long long)writer.waits);
    return 0;
}

/* The reader. */

struct seen {
    unsigned char *bits;
    uint64_t lines, repeated, disordered, first, last;
};

static struct {
    struct seen files[FILES];
    uint64_t torn, nuls;
} stream;

/* Counts what stands before a newline. */
static void check_line(struct counter *counters, const char *line, size_t bytes)
{
    char expected[LINE_BYTES_MAX];
    uint64_t number = 0;
    int file = line[0] - 'a';
    struct seen *seen;

    for (int digit = 2; digit < 12 && bytes > 12; digit++)
        number = number * 10 + (uint64_t)(line[digit] - '0');
    if (bytes <= 12 || file < 0 || file >= FILES || number >= LINES_MAX ||
        make_line(expected, file, number) != bytes + 1 || memcmp(line, expected, bytes)) {
        stream.torn++;
        return;
    }
    seen = &stream.files[file];
    if (seen->bits[number / 8] & 1 << number % 8) {
        seen->repeated++;
        return;
    }
    seen->bits[number / 8] |= (unsigned char)(1 << number % 8);
    seen->disordered += seen->lines > 0 && number < seen->last;
    seen->first = seen->lines == 0 || number < seen->first ? number : seen->first;
    seen->last = seen->lines == 0 || number > seen->last ? number : seen->last;
    seen->lines++;
    counters[file].received += bytes + 1;
}

/* Checks every whole line, and returns how much is left. NULs before a line are counted, and no part of it: they are a hole. */
static size_t check_lines(struct counter *counters, char *buffer, size_t filled)
{
    char *at = buffer, *end = buffer + filled, *newline;
    for (;;) {
        for (; at < end && *at == 0; at++)
            stream.nuls++;
        newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline)
            break;
        check_line(counters, at, (size_t)(newline - at));
        at = newline + 1;
    }
    memmove(buffer, at, (size_t)(end - at));
    return (size_t)(end - at);
}

static int check(char **arguments)
{
    static char buffer[1 << 20];
    struct counter *counters = open_counters(arguments[0]);
    size_t filled = 0;
    ssize_t got;

    for (int i = 0; i < FILES; i++) {
        stream.files[i].bits =
            mmap(NULL, LINES_MAX / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stream.files[i].bits == MAP_FAILED)
            die("map the lines that were seen");
    }
    while ((got = read(0, buffer + filled, sizeof buffer - filled)) > 0) {
        filled = check_lines(counters, buffer, filled + (size_t)got);
        if (filled == sizeof buffer) {
            stream.torn++;
            filled = 0;
        }
    }
    stream.torn += filled > 0;
    printf("{\"torn\": %llu, \"nuls\": %llu, \"files\": [", (unsigned long long)stream.torn, (unsigned long long)stream.nuls);
    for (int i = 0; i < FILES; i++) {
        struct seen *seen = &stream.files[i];
        printf("%s{\"lines\": %llu, \"repeated\": %llu, \"disordered\": %llu, \"first\": %llu, \"last\": %llu}", i ? ", " : "",
               (unsigned long long)seen->lines, (unsigned long long)seen->repeated, (unsigned long long)seen->disordered,
               (unsigned long long)seen->first, (unsigned long long)seen->last);
    }
    printf("]}\n");
    return 0;
}

/* The sampler. */

struct sample {
    uint64_t allocated; /* blocks of one file */
    uint64_t unread;    /* written, but not received yet; at least what it was at that moment */
    uint64_t beyond;    /* of the blocks, those behind the file's end: xfs allocates ahead of a writer */
    int64_t margin;     /* LIMIT + unread + beyond - allocated */
};

/* Asks for the extents of a file from an offset on; says whether its file system tells. */
static int extents_from(int fd, uint64_t offset, struct fiemap *map, unsigned count)
{
    *map = (struct fiemap){.fm_start = offset, .fm_length = FIEMAP_MAX_OFFSET - offset, .fm_extent_count = count};
    return ioctl(fd, FS_IOC_FIEMAP, map) == 0;
}

/* Returns how many bytes of these extents are behind the block in which the file ends. */
static uint64_t beyond_end(const struct fiemap *map, uint64_t size)
{
    uint64_t bytes = 0, end_of_last_block = (size + 4095) / 4096 * 4096;
    for (unsigned i = 0; i < map->fm_mapped_extents; i++) {
        const struct fiemap_extent *extent = &map->fm_extents[i];
        uint64_t end = extent->fe_logical + extent->fe_length;
        uint64_t start = extent->fe_logical > end_of_last_block ? extent->fe_logical : end_of_last_block;
        bytes += end > start ? end - start : 0;
    }
    return bytes;
}

/* Looks at one file; says whether it is there. What was received is read first and what was written last. */
static int look(const char *path, struct counter *counter, uint64_t limit, struct sample *sample)
{
    static struct { struct fiemap map; struct fiemap_extent extents[32]; } asked;
    struct stat before, after;
    uint64_t received = counter->received;
    int fd = open(path, O_RDONLY | O_CLOEXEC), is_there = fd >= 0 && fstat(fd, &before) == 0, is_told;
    if (is_there) {
        /* The size is read again afterwards: what the writer has filled meanwhile is not ahead of it. */
        is_told = extents_from(fd, (uint64_t)before.st_size, &asked.map, 32);
        is_there = fstat(fd, &after) == 0;
        sample->unread = counter->written - received;
        sample->allocated = (uint64_t)after.st_blocks * 512;
        sample->beyond = is_told ? beyond_end(&asked.map, (uint64_t)after.st_size) : 0;
        sample->margin = (int64_t)(limit + sample->unread + sample->beyond) - (int64_t)sample->allocated;
    }
    if (fd >= 0)
        close(fd);
    return is_there;
}

/* Returns the bytes of the blocks of everything in a directory, and one level below. */
static uint64_t disk_usage(int directory, int levels)
{
    uint64_t bytes = 0;
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        struct stat stat_;
        int beneath;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
            fstatat(dirfd(entries), entry->d_name, &stat_, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bytes += (uint64_t)stat_.st_blocks * 512;
        if (!S_ISDIR(stat_.st_mode) || levels == 0)
            continue;
        beneath = openat(dirfd(entries), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (beneath >= 0) {
            bytes += disk_usage(beneath, levels - 1);
            close(beneath);
        }
    }
    if (entries)
        closedir(entries);
    return bytes;
}

static void print_sample(const char *name, const struct sample *sample)
{
    printf("\"%s\": {\"allocated\": %llu, \"unread\": %llu, \"beyond\": %llu, \"margin\": %lld}, ", name,
           (unsigned long long)sample->allocated, (unsigned long long)sample->unread, (unsigned long long)sample->beyond,
           (long long)sample->margin);
}

static int sample(char **arguments)
{
    struct counter *counters = open_counters(arguments[0]);
    int directory = open(arguments[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t limit = strtoull(arguments[2], NULL, 10), most_of_directory = 0, samples = 0, most_beyond = 0;
    long every = atol(arguments[3]);
    char **paths = arguments + 4;
    struct sample most = {0}, worst = {.margin = INT64_MAX};
    uint64_t held[FILES] = {0}, at_rest = 0; /* at the last look, without what is behind the file's end */
    double last = now(), longest = 0;

    for (; !ended; samples++) {
        for (int i = 0; paths[i]; i++) {
            struct sample seen;
            if (!look(paths[i], &counters[i], limit, &seen))
                continue;
            if (seen.allocated > most.allocated)
                most = seen;
            if (seen.margin < worst.margin)
                worst = seen;
            most_beyond = seen.beyond > most_beyond ? seen.beyond : most_beyond;
            held[i] = seen.allocated - seen.beyond;
        }
        if (samples % 4 == 0) {
            uint64_t usage = disk_usage(directory, 1);
            most_of_directory = usage > most_of_directory ? usage : most_of_directory;
        }
        nap(every);
        double at = now();
        longest = at - last > longest ? at - last : longest;
        last = at;
    }
    for (int i = 0; i < FILES; i++)
        at_rest = held[i] > at_rest ? held[i] : at_rest;
    printf("{");
    print_sample("most", &most);
    print_sample("worst", &worst);
    printf("\"most_beyond\": %llu, \"at_rest\": %llu, \"most_of_directory\": %llu, \"samples\": %llu, \"longest_gap_ms\": %.1f}\n",
           (unsigned long long)most_beyond, (unsigned long long)at_rest, (unsigned long long)most_of_directory, (unsigned long long)samples, longest * 1000);
    return 0;
}

int main(int count, char **arguments)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (count == 8 && !strcmp(arguments[1], "write"))
        return write_lines(arguments + 2);
    if (count == 3 && !strcmp(arguments[1], "check"))
        return check(arguments + 2);
    if (count >= 7 && count <= 6 + FILES && !strcmp(arguments[1], "sample"))
        return sample(arguments + 2);
    fprintf(stderr, "lines: it is bench/rotate that calls this\n");
    return 64;
}
