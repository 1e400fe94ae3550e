/* SPDX-License-Identifier: MIT */
#include "actors/router/port/router_rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/router/base/frame.h"
#include "actors/router/base/refusal.h"
#include "actors/router/base/words.h"
#include "runtime/log.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define SECOND       INT64_C(1000000000)

enum { ZAP_VERSION = 1, ZAP_REQUEST_ID, ZAP_MECHANISM = 6, ZAP_KEY, ZAP_FRAMES };

static bool holds(zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size(frame) == strlen(text) &&
           memcmp(zmq_msg_data(frame), text, strlen(text)) == 0;
}

/* NULL: none */
static const config_key_t *find_public(const router_t *router, const char *public_key,
                                       size_t *index)
{
    const config_t *config = router->config;
    for (size_t i = 0; public_key != NULL && i < config->key_count; i++) {
        if (strcmp(config->keys[i].public_key, public_key) == 0) {
            *index = i;
            return &config->keys[i];
        }
    }
    return NULL;
}

/* The known key of a request to be let in; NULL: none. */
static const config_key_t *find_key(const router_t *router, zmq_msg_t *frames, size_t count)
{
    char text[CONFIG_KEY_SIZE + 1];
    size_t index = 0;
    if (count != ZAP_FRAMES || !holds(&frames[ZAP_MECHANISM], "CURVE") ||
        zmq_msg_size(&frames[ZAP_KEY]) != 32) {
        return NULL;
    }
    zmq_z85_encode(text, zmq_msg_data(&frames[ZAP_KEY]), 32);
    return find_public(router, text, &index);
}

/* Without an answer the connection stays shut. */
static void on_zap(void *user, const edge_peer_t *peer, zmq_msg_t *frames, size_t count)
{
    router_t *router = user;
    if (count <= ZAP_REQUEST_ID || !holds(&frames[ZAP_VERSION], "1.0")) {
        return;
    }
    const config_key_t *key = find_key(router, frames, count);
    const char *const texts[] = {"",
                                 "1.0",
                                 "",
                                 key != NULL ? "200" : "400",
                                 key != NULL ? "OK" : "unknown key",
                                 key != NULL ? key->public_key : "",
                                 ""};
    enum { REPLY_FRAMES = sizeof(texts) / sizeof(texts[0]) };
    zmq_msg_t reply[REPLY_FRAMES];
    size_t made = 0;
    while (made < REPLY_FRAMES && frame_set_text(&reply[made], texts[made])) {
        made++;
    }
    bool is_whole = made == REPLY_FRAMES;
    if (is_whole) {
        zmq_msg_copy(&reply[ZAP_REQUEST_ID], &frames[ZAP_REQUEST_ID]);
    }
    if (key == NULL && is_worth_a_line(++router->rights.locked_out)) {
        log_event(LOG_WARN, "key_refused", LOG_INT("times", router->rights.locked_out));
    }
    if (!is_whole || edge_send(router->rights.zap, peer, reply, made) != TRP_OK) {
        frames_close(reply, made);
    }
}

trp_status_t router_open_zap(router_t *router, char error[256])
{
    const config_t *config = router->config;
    if (config->curve_secret[0] == '\0' || router->rights.zap != NULL) {
        return TRP_OK;
    }
    edge_socket_options_t options = {
        .name = "zap", .endpoint = ZAP_ENDPOINT, .on_message = on_zap, .user = router};
    return edge_bind(edge_of(router->runtime), &options, &router->rights.zap, error);
}

/* The buckets of the keys that there are now. False: no memory */
static bool make_rates(router_t *router)
{
    const config_t *config = router->config;
    if (router->rights.rates != NULL && router->rights.rates_of == config->keys &&
        router->rights.rate_count == config->key_count) {
        return true;
    }
    int64_t *rates = calloc(config->key_count + 1, sizeof(*rates));
    if (rates == NULL) {
        return false;
    }
    free(router->rights.rates);
    router->rights.rates = rates;
    router->rights.rates_of = config->keys;
    router->rights.rate_count = config->key_count;
    return true;
}

/* The key that a message came under, by libzmq's word; NULL: none. */
static const config_key_t *key_of(const router_t *router, zmq_msg_t *frame, size_t *index)
{
    return find_public(router, frame == NULL ? NULL : zmq_msg_gets(frame, "User-Id"), index);
}

static bool allows(const char *names, trp_text_t name)
{
    return strcmp(names, "*") == 0 || words_have(names, name);
}

/* Takes a token. Returns how long to wait for one, 0: it was there. The word is when the bucket is
 * full again (generic cell rate algorithm). */
static int64_t take_token(const config_key_t *key, int64_t *full_ns, int64_t now)
{
    int64_t interval = key->rate > 0 ? SECOND / key->rate : 0;
    int64_t full = *full_ns > now ? *full_ns : now;
    int64_t wait = full + interval - now - key->burst * interval;
    if (wait <= 0) {
        *full_ns = full + interval;
    }
    return wait > 0 ? wait : 0;
}

bool router_may_call(router_t *router, const request_t *request, refusal_t *refusal)
{
    size_t index = 0;
    if (router->rights.zap == NULL || request->origin.peer == NULL) {
        return true; /* no keys here, or an actor of this node */
    }
    const config_key_t *key = key_of(router, request->first, &index);
    if (key == NULL || !allows(key->tools, request->service)) {
        refusal_init(refusal, "E_FORBIDDEN", "the key \"%s\" has no right to call this tool",
                     key != NULL ? key->name : "");
        return false;
    }
    if (!make_rates(router)) {
        refusal_init(refusal, "E_RATE", "no memory to count this key's calls");
        refusal_int(refusal, "retry_after_ms", 100);
        return false;
    }
    int64_t wait = take_token(key, &router->rights.rates[index], runtime_now_ns(router->runtime));
    if (wait == 0) {
        return true;
    }
    refusal_init(refusal, "E_RATE", "the key \"%s\" may call %lld times a second", key->name,
                 (long long)key->rate);
    refusal_int(refusal, "retry_after_ms", wait / 1000000 + 1);
    return false;
}

bool router_may_serve(const router_t *router, const char *public_key, trp_text_t tool)
{
    size_t index = 0;
    if (router->rights.zap == NULL) {
        return true;
    }
    const config_key_t *key = find_public(router, public_key, &index);
    return key != NULL && allows(key->serves, tool);
}
