/* SPDX-License-Identifier: MIT */
#include "runtime/base/host_symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 96
#define FIRST_PAGES    65536u /* the program headers of a file are mapped within so many bytes */
#define SYMBOL_KIND(i) ((i)&0xf)

typedef struct image {
    const char *bytes;
    size_t size;
} image_t;

/* `count` items of `item` bytes at `offset`, or NULL when the file is too short for them. */
static const void *part(const image_t *image, size_t offset, size_t count, size_t item)
{
    if (offset > image->size || (item != 0 && count > (image->size - offset) / item)) {
        return NULL;
    }
    return image->bytes + offset;
}

/* The section of a kind, or NULL. */
static const ElfW(Shdr) *
    find_section(const image_t *image, const ElfW(Ehdr) * header, uint32_t kind)
{
    const ElfW(Shdr) *sections = part(image, header->e_shoff, header->e_shnum, sizeof(ElfW(Shdr)));
    for (unsigned i = 0; sections != NULL && i < header->e_shnum; i++) {
        if (sections[i].sh_type == kind && sections[i].sh_link < header->e_shnum) {
            return &sections[i];
        }
    }
    return NULL;
}

/* The function at `value`, copied to `name`. */
static bool find_function(const image_t *image, const ElfW(Shdr) * table, uintptr_t value,
                          char name[NAME_MAX_BYTES], size_t *offset)
{
    const ElfW(Ehdr) *header = (const void *)image->bytes;
    const ElfW(Shdr) *sections = (const void *)(image->bytes + header->e_shoff);
    const ElfW(Shdr) *strings = &sections[table->sh_link];
    const size_t count = table->sh_size / sizeof(ElfW(Sym));
    const ElfW(Sym) *symbols = part(image, table->sh_offset, count, sizeof(ElfW(Sym)));
    const char *texts = part(image, strings->sh_offset, strings->sh_size, 1);
    for (size_t i = 0; symbols != NULL && texts != NULL && i < count; i++) {
        const ElfW(Sym) *symbol = &symbols[i];
        if (SYMBOL_KIND(symbol->st_info) == STT_FUNC && value >= symbol->st_value &&
            value - symbol->st_value < symbol->st_size && symbol->st_name < strings->sh_size) {
            const size_t longest = strings->sh_size - symbol->st_name;
            snprintf(name, NAME_MAX_BYTES, "%.*s",
                     (int)(longest < NAME_MAX_BYTES ? longest : NAME_MAX_BYTES),
                     texts + symbol->st_name);
            *offset = value - symbol->st_value;
            return true;
        }
    }
    return false;
}

static bool look_up(const image_t *image, uintptr_t base, uintptr_t address,
                    char name[NAME_MAX_BYTES], size_t *offset)
{
    const ElfW(Ehdr) *header = part(image, 0, 1, sizeof(*header));
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_shentsize != sizeof(ElfW(Shdr))) {
        return false;
    }
    const ElfW(Shdr) *table = find_section(image, header, SHT_SYMTAB);
    if (table == NULL) {
        table = find_section(image, header, SHT_DYNSYM); /* stripped */
    }
    const uintptr_t value = header->e_type == ET_EXEC ? address : address - base;
    return table != NULL && find_function(image, table, value, name, offset);
}

static bool open_image(const char *path, image_t *image)
{
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    image->bytes = MAP_FAILED;
    if (fstat(fd, &about) == 0 && about.st_size > 0) {
        image->size = (size_t)about.st_size;
        image->bytes = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)close(fd);
    return image->bytes != MAP_FAILED;
}

char *host_symbol_format(const void *address, int is_return, char *text, size_t size)
{
    Dl_info info;
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL) {
        snprintf(text, size, "%p", address);
        return text;
    }
    const uintptr_t at = (uintptr_t)address - (is_return ? 1 : 0);
    const uintptr_t base = (uintptr_t)info.dli_fbase;
    /* The program's own name may be one that only its starter's folder and path knew. */
    const bool is_program = getauxval(AT_PHDR) - base < FIRST_PAGES;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *file = slash == NULL ? info.dli_fname : slash + 1;
    const size_t place = (uintptr_t)address - base;
    image_t image;
    char name[NAME_MAX_BYTES];
    size_t offset = 0;
    bool found = false;
    if (open_image(is_program ? "/proc/self/exe" : info.dli_fname, &image)) {
        found = look_up(&image, base, at, name, &offset);
        (void)munmap((void *)(uintptr_t)image.bytes, image.size);
    }
    if (found) {
        snprintf(text, size, "%s+0x%zx (%s+0x%zx)", name, offset + (is_return ? 1 : 0), file,
                 place);
    } else {
        snprintf(text, size, "%s+0x%zx", file, place);
    }
    return text;
}
