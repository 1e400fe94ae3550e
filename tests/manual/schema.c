/* SPDX-License-Identifier: MIT */
/* The message of messages/schema.h is packed and read again. */
#include "messages/schema.h"

#include "tests/manual/manual.h"

MANUAL("messages/schema.h", 1)

int main(void)
{
    char name[] = "Ada";
    const greeting_t greeting = {.name = {name, sizeof(name) - 1}, .has_times = true, .times = 2};
    greeting_t read;
    zmq_msg_t packed;
    trp_document_t document;
    trp_fault_t fault;
    EXPECT(trp_schema_pack(&greeting_schema, &greeting, &packed) == TRP_OK);

    const trp_text_t bytes = {zmq_msg_data(&packed), zmq_msg_size(&packed)};
    EXPECT(trp_schema_unpack(&greeting_schema, bytes, &document, &read, &fault) == TRP_OK);
    EXPECT(read.name.size == 3 && memcmp(read.name.data, name, 3) == 0);
    EXPECT(read.has_times && read.times == 2);

    trp_document_fini(&document);
    zmq_msg_close(&packed);
    return 0;
}
