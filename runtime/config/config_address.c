/* SPDX-License-Identifier: MIT */
#include "runtime/config/config_address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool config_is_port(const char *text)
{
    size_t size = strspn(text, "0123456789");
    return strcmp(text, "*") == 0 ||
           (size > 0 && size <= 5 && text[size] == '\0' && strtol(text, NULL, 10) <= 65535);
}

bool config_is_loopback(const char *endpoint)
{
    const char *host = endpoint + strlen("tcp://");
    const char *colon = strrchr(host, ':');
    size_t size = colon != NULL ? (size_t)(colon - host) : strlen(host);
    char text[64] = "";
    struct in_addr address;
    if (size >= sizeof(text)) {
        return false;
    }
    memcpy(text, host, size);
    if (inet_pton(AF_INET, text, &address) == 1) {
        return (ntohl(address.s_addr) >> 24) == 127;
    }
    return strcmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0 || strcmp(text, "lo") == 0;
}
