/* SPDX-License-Identifier: MIT */
#include "runtime/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/core/lease.h"

#define CHUNK_SIZE  65536u /* bytes of the chunk that a thread keeps, its head included */
#define ALIGNMENT   16u
#define ADDRESS_MAX ((size_t)1 << 47) /* bytes: no process has so many */

typedef struct block {
    struct block *next, *before;
    size_t size;
    size_t unused; /* keeps what follows aligned */
} block_t;

typedef struct chunk {
    struct chunk *next;
    size_t size, used; /* of `bytes` */
    size_t unused;
    unsigned char bytes[];
} chunk_t;

_Static_assert(sizeof(block_t) == TRP_BLOCK_COST, "a block costs what the header says");
_Static_assert(sizeof(chunk_t) % ALIGNMENT == 0, "scratch is aligned");

/* ---- the quota ---- */

static void set_used(quota_t *quota, size_t used)
{
    /* Relaxed: the runner's own; others only show it. */
    atomic_store_explicit(&quota->used, used, memory_order_relaxed);
}

static size_t used_of(const quota_t *quota)
{
    /* Relaxed: the runner's own; others show it. */
    return atomic_load_explicit(&quota->used, memory_order_relaxed);
}

/* The actor ends with the typed reason, unless it is ending already. */
static void pass_quota(trp_ctx_t *ctx, const quota_t *quota, size_t size)
{
    char text[TRP_REASON_TEXT_MAX];
    snprintf(text, sizeof(text), "%zu bytes more, %zu of %zu used", size, used_of(quota),
             quota->max);
    if ((ctx->after & CTX_END) == 0) {
        const trp_reason_t reason = trp_reason(TRP_REASON_QUOTA, TRP_NO_MEMORY, text);
        trp_stop(ctx, &reason);
    }
}

/* The caller's books, charged with `size`; NULL: not charged. */
static quota_t *charge(trp_ctx_t *ctx, size_t size)
{
    cell_life_t *life = cell_life_make(&ctx->runtime->table, ctx->cell);
    if (life == NULL) {
        return NULL;
    }
    quota_t *quota = &life->quota;
    size_t used = used_of(quota);
    if (size > SIZE_MAX / 2 - used || (quota->max != 0 && used + size > quota->max)) {
        pass_quota(ctx, quota, size);
        return NULL;
    }
    set_used(quota, used + size);
    return quota;
}

static void credit(quota_t *quota, size_t size)
{
    set_used(quota, used_of(quota) - size);
}

static void unlink_block(quota_t *quota, block_t *block)
{
    *(block->before == NULL ? &quota->blocks : &block->before->next) = block->next;
    if (block->next != NULL) {
        block->next->before = block->before;
    }
}

static void *link_block(quota_t *quota, block_t *block, size_t size)
{
    block->before = NULL;
    block->next = quota->blocks;
    block->size = size;
    if (block->next != NULL) {
        block->next->before = block;
    }
    quota->blocks = block;
    return block + 1;
}

void *trp_alloc(trp_ctx_t *ctx, size_t size)
{
    LEASE_CALL(ctx, NULL)
    if (size > ADDRESS_MAX) {
        size = ADDRESS_MAX; /* over any quota, and more than there is */
    }
    quota_t *quota = charge(ctx, size + sizeof(block_t));
    block_t *block = quota == NULL || size == ADDRESS_MAX ? NULL : malloc(size + sizeof(block_t));
    if (block == NULL) {
        if (quota != NULL) {
            credit(quota, size + sizeof(block_t));
        }
        return NULL;
    }
    return link_block(quota, block, size);
}

void *trp_realloc(trp_ctx_t *ctx, void *memory, size_t size)
{
    LEASE_CALL(ctx, NULL)
    if (memory == NULL) {
        return trp_alloc(ctx, size);
    }
    block_t *block = (block_t *)memory - 1;
    const size_t before = block->size;
    size_t more = size > before ? size - before : 0;
    if (more > ADDRESS_MAX || charge(ctx, more) == NULL) {
        return NULL;
    }
    quota_t *quota = &ctx->cell->life->quota;
    unlink_block(quota, block);
    block_t *moved = realloc(block, size + sizeof(block_t));
    if (moved == NULL) {
        (void)link_block(quota, block, before);
        credit(quota, more);
        return NULL;
    }
    if (size < before) {
        credit(quota, before - size);
    }
    return link_block(quota, moved, size);
}

void trp_free(trp_ctx_t *ctx, void *memory)
{
    LEASE_CALL(ctx, )
    if (memory != NULL) {
        block_t *block = (block_t *)memory - 1;
        quota_t *quota = &ctx->cell->life->quota;
        unlink_block(quota, block);
        credit(quota, block->size + sizeof(block_t));
        free(block);
    }
}

size_t trp_memory_used(const trp_ctx_t *ctx)
{
    const cell_life_t *life = ctx->cell->life;
    return life == NULL ? ctx->cell->class->state_size : used_of(&life->quota);
}

void quota_fini(quota_t *quota)
{
    while (quota->blocks != NULL) {
        block_t *next = quota->blocks->next;
        free(quota->blocks);
        quota->blocks = next;
    }
}

/* ---- scratch ---- */

static chunk_t *chunk_for(scratch_t *scratch, size_t size)
{
    chunk_t *chunk = scratch->first;
    if (chunk != NULL && chunk->size - chunk->used >= size) {
        return chunk;
    }
    const size_t usual = CHUNK_SIZE - sizeof(*chunk);
    const size_t bytes = size > usual ? size : usual;
    chunk = malloc(sizeof(*chunk) + bytes);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (chunk_t){.next = scratch->first, .size = bytes};
    scratch->first = chunk;
    return chunk;
}

void *trp_scratch(trp_ctx_t *ctx, size_t size)
{
    LEASE_CALL(ctx, NULL)
    scratch_t *scratch = &ctx->worker->scratch;
    if (size > TRP_SCRATCH_MAX) {
        return NULL;
    }
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (scratch->charged + size > TRP_SCRATCH_MAX) {
        return NULL;
    }
    quota_t *quota = charge(ctx, size);
    chunk_t *chunk = quota == NULL ? NULL : chunk_for(scratch, size);
    if (chunk == NULL) {
        if (quota != NULL) {
            credit(quota, size);
        }
        return NULL;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += size;
    scratch->charged += size;
    ctx->after |= CTX_SCRATCH;
    return memory;
}

void scratch_reset(scratch_t *scratch, quota_t *quota)
{
    if (quota != NULL) {
        credit(quota, scratch->charged);
    }
    scratch->charged = 0;
    chunk_t *kept = NULL;
    while (scratch->first != NULL) {
        chunk_t *chunk = scratch->first;
        scratch->first = chunk->next;
        if (kept == NULL && chunk->size + sizeof(*chunk) == CHUNK_SIZE) {
            kept = chunk;
        } else {
            free(chunk);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    scratch->first = kept;
}

void scratch_fini(scratch_t *scratch)
{
    scratch_reset(scratch, NULL);
    free(scratch->first);
    scratch->first = NULL;
}
