/* SPDX-License-Identifier: MIT */
#include "actors/transform/transform_race.h"

#include <string.h>

trp_status_t transform_run(const race_data_t *race, const transform_settings_t *settings,
                           msgpack_zone *zone, const transform_t **result)
{
    transform_t *transform = msgpack_zone_malloc(zone, sizeof(*transform));
    if (transform == NULL) {
        return TRP_NO_MEMORY;
    }
    memset(transform, 0, sizeof(*transform));
    transform->race = race;
    transform->settings = settings;
    transform->runner_count = race->entrants_count;
    for (size_t i = 0; i < race->entrants_count; i++) {
        transform->runners[i].entrant = &race->entrants[i];
    }

    transform_shares(transform);
    transform_clock(transform);
    transform_flow(transform);
    trp_status_t status = transform_timeline(transform, zone);
    if (status != TRP_OK) {
        return status;
    }
    transform_prices(transform);
    transform_signals(transform);
    transform_quality(transform);
    transform_places(transform);
    *result = transform;
    return TRP_OK;
}
