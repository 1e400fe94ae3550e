/* SPDX-License-Identifier: MIT */
#include "tests/actors/transform/transform_spec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

char *spec_body(const spec_t *spec)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    fprintf(out,
            "{\"schema\":\"racedata/1\",\"race_id\":\"R\",\"start_time\":%d,\"polled_at\":%lld,"
            "\"currency\":\"AUD\",\"pools\":[{\"type\":\"place\",\"total_cents\":%lld},"
            "{\"type\":\"win\",\"total_cents\":%lld}],\"money\":[",
            START, (long long)spec->polled_at, (long long)spec->place, (long long)spec->win);
    for (int i = 0; i < spec->entrants; i++) {
        fprintf(out, "%s{\"entrant_id\":\"e%d\",\"hold_pct\":%.17g,\"bet_pct\":%.17g",
                i > 0 ? "," : "", i + 1, spec->hold[i], spec->bet[i]);
        if (spec->is_fed) {
            fprintf(out, ",\"win_cents\":%lld", (long long)spec->fed[i]);
        }
        fputc('}', out);
    }
    fputs("],\"entrants\":[", out);
    for (int i = 0; i < spec->entrants; i++) {
        fprintf(out, "%s{\"entrant_id\":\"e%d\",\"number\":%d,\"name\":\"\",\"scratched\":%s",
                i > 0 ? "," : "", i + 1, i + 1, spec->scratched[i] ? "true" : "false");
        if (spec->fixed[i] != 0) {
            fprintf(out, ",\"fixed_win\":%.17g", spec->fixed[i]);
        }
        fputc('}', out);
    }
    char *previous = spec->before == NULL ? NULL : transform_poll_json(spec->before);
    fprintf(out, "],\"previous\":%s,\"status\":\"%s\"%s}", previous == NULL ? "null" : previous,
            spec->status == NULL ? "open" : spec->status, spec->more == NULL ? "" : spec->more);
    free(previous);
    fclose(out);
    return text;
}

void spec_run(const spec_t *spec, transform_poll_t *poll, char **body)
{
    *body = spec_body(spec);
    transform_poll_run(poll, *body, strlen(*body));
    cr_assert_eq(poll->status, TRP_OK, "%s: %s (%s)", poll->fault.path, poll->fault.rule,
                 poll->fault.value);
}

void spec_pair_run(spec_pair_t *pair, const spec_t *first, spec_t second)
{
    spec_run(first, &pair->first, &pair->body_1);
    second.before = &pair->first;
    spec_run(&second, &pair->second, &pair->body_2);
}

void spec_pair_end(spec_pair_t *pair)
{
    transform_poll_end(&pair->second);
    transform_poll_end(&pair->first);
    free(pair->body_1);
    free(pair->body_2);
}

size_t spec_count(const transform_poll_t *poll, const char *path)
{
    const msgpack_object *value = transform_at(&poll->result.root, path);
    cr_assert_not_null(value, "%s", path);
    return value->type == MSGPACK_OBJECT_MAP ? value->via.map.size : value->via.array.size;
}
