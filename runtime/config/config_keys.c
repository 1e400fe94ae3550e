/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_keys.h"

#include <czmq.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/config/config_lines.h"

/* One of the two files while it is read. */
typedef struct key_file {
    const char *path;
    config_lines_t lines;
    zconfig_t *root;
    config_fault_t *fault;
} key_file_t;

static trp_status_t refuse(const key_file_t *file, const char *option, const char *rule)
{
    config_fault_t *fault = file->fault;
    *fault = (config_fault_t){.line = config_lines_find(&file->lines, option)};
    snprintf(fault->path, sizeof(fault->path), "%s", file->path);
    snprintf(fault->option, sizeof(fault->option), "%s", option);
    snprintf(fault->rule, sizeof(fault->rule), "%s", rule);
    return TRP_CONFIG;
}

static void close_file(key_file_t *file)
{
    zconfig_destroy(&file->root);
    config_lines_free(&file->lines);
}

/* owns: close_file, whatever comes of it */
static trp_status_t open_file(key_file_t *file)
{
    char *text = NULL;
    config_fault_t fault = {0};
    snprintf(fault.path, sizeof(fault.path), "%s", file->path);
    trp_status_t status = config_lines_file(file->path, &text, &fault);
    if (status == TRP_OK) {
        status = config_lines_read(text, &file->lines, &fault);
    }
    if (status == TRP_OK) {
        file->root = file->lines.count > 0 ? zconfig_str_load(text) : zconfig_new("root", NULL);
    }
    free(text);
    if (status == TRP_CONFIG) {
        *file->fault = fault;
    }
    return status == TRP_OK && file->root == NULL ? refuse(file, "", "ZPL") : status;
}

static bool is_key(const char *text)
{
    uint8_t bytes[32];
    return strlen(text) == CONFIG_KEY_SIZE && zmq_z85_decode(bytes, text) != NULL;
}

static trp_status_t read_secret(config_t *config, config_fault_t *fault)
{
    key_file_t file = {.path = config->majordomo.curve_secret, .fault = fault};
    trp_status_t status = open_file(&file);
    if (status == TRP_OK) {
        const char *secret = zconfig_get(file.root, "curve/secret-key", "");
        if (is_key(secret)) {
            snprintf(config->curve_secret, sizeof(config->curve_secret), "%s", secret);
        } else {
            status = refuse(&file, "curve.secret-key", "a Z85 key, as `troupe keygen` writes it");
        }
    }
    close_file(&file);
    return status;
}

static trp_status_t read_key(const key_file_t *file, const option_table_t *table, zconfig_t *item,
                             config_t *config)
{
    char option[192];
    char rule[160] = "";
    config_key_t *key = &config->keys[config->key_count];
    option_defaults(table, key);
    snprintf(key->name, sizeof(key->name), "%s", zconfig_name(item));
    for (zconfig_t *row = zconfig_child(item); row != NULL; row = zconfig_next(row)) {
        snprintf(option, sizeof(option), "%s.%s", key->name, zconfig_name(row));
        trp_status_t status = option_set(table, key, zconfig_name(row), zconfig_value(row), rule);
        if (status != TRP_OK) {
            return refuse(file, option,
                          status == TRP_NOT_FOUND
                              ? "one of public_key, tools, serves, rate and burst"
                              : rule);
        }
    }
    snprintf(option, sizeof(option), "%s.public_key", key->name);
    if (!is_key(key->public_key)) {
        return refuse(file, option, "a Z85 key, as `troupe keygen` prints it");
    }
    for (size_t i = 0; i < config->key_count; i++) {
        if (strcmp(config->keys[i].public_key, key->public_key) == 0) {
            return refuse(file, option, "another key than those before it");
        }
    }
    config->key_count++;
    return TRP_OK;
}

static trp_status_t read_keys(config_t *config, const option_table_t *table, config_fault_t *fault)
{
    key_file_t file = {.path = config->majordomo.keys, .fault = fault};
    size_t count = 0;
    trp_status_t status = open_file(&file);
    zconfig_t *first = status == TRP_OK ? zconfig_child(file.root) : NULL;
    for (zconfig_t *item = first; item != NULL; item = zconfig_next(item)) {
        count++;
    }
    if (status == TRP_OK) {
        config->keys = calloc(count + 1, sizeof(*config->keys));
        status = config->keys != NULL ? TRP_OK : TRP_NO_MEMORY;
    }
    for (zconfig_t *item = first; status == TRP_OK && item != NULL; item = zconfig_next(item)) {
        status = read_key(&file, table, item, config);
    }
    close_file(&file);
    return status;
}

trp_status_t config_keys_load(config_t *config, const option_table_t *table, config_fault_t *fault)
{
    if (config->majordomo.curve_secret[0] == '\0') {
        return TRP_OK;
    }
    trp_status_t status = read_secret(config, fault);
    return status == TRP_OK ? read_keys(config, table, fault) : status;
}

trp_status_t config_keypair_write(const char *path, char public_key[CONFIG_KEY_SIZE + 1])
{
    char secret[CONFIG_KEY_SIZE + 1];
    if (zmq_curve_keypair(public_key, secret) != 0) {
        return TRP_SYSTEM;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? TRP_EXISTS : TRP_SYSTEM;
    }
    int written = dprintf(fd,
                          "# The secret key opens what the public one is let into: keep it.\n"
                          "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
                          public_key, secret);
    bool is_closed = close(fd) == 0;
    return written > 0 && is_closed ? TRP_OK : TRP_SYSTEM;
}
