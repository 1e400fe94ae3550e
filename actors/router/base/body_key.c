/* SPDX-License-Identifier: MIT */
#include "actors/router/base/body_key.h"

#include <string.h>

void body_key_of(const trp_document_t *document, const char *member, char key[TRP_TASK_KEY_MAX + 1])
{
    const msgpack_object *value = trp_member(&document->root, member);
    key[0] = '\0';
    if (value != NULL && value->type == MSGPACK_OBJECT_STR &&
        value->via.str.size <= TRP_TASK_KEY_MAX &&
        memchr(value->via.str.ptr, '\0', value->via.str.size) == NULL) {
        memcpy(key, value->via.str.ptr, value->via.str.size);
        key[value->via.str.size] = '\0';
    }
}
