/* SPDX-License-Identifier: Apache-2.0 */
/* Replays stored fuzz inputs through a fuzz target, each whole and cut at every byte. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEED_BYTES_MAX = 1 << 20, CUT_BYTES_MAX = 2048 };

/* A copy of exactly the input's size, so that a sanitizer sees a read past its end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(SEED_BYTES_MAX);
    if (data == NULL)
        abort();
    size_t size = fread(data, 1, SEED_BYTES_MAX, file);
    (void)fclose(file);
    feed(data, size);
    for (size_t cut = 0; cut < size && cut < CUT_BYTES_MAX; cut++)
        feed(data, cut);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *seeds = argc == 2 ? opendir(argv[1]) : NULL;
    if (seeds == NULL) {
        (void)fprintf(stderr, "usage: %s SEED-DIRECTORY\n", argv[0]);
        return 2;
    }
    int failed = 0;
    int replayed = 0;
    for (struct dirent *entry = readdir(seeds); entry != NULL; entry = readdir(seeds)) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        failed += replay_file(path);
        replayed++;
    }
    (void)closedir(seeds);
    (void)printf("%d seeds replayed\n", replayed);
    return failed > 0 || replayed == 0;
}
