/* SPDX-License-Identifier: MIT */
/* The program `troupe`: a list of classes. A program of yours is the same with classes of yours. */
#include "actors/match/match.h"
#include "actors/parser/parser.h"
#include "actors/router/intake.h"
#include "actors/router/router.h"
#include "actors/transform/transform.h"
#include "runtime/store.h"
#include "runtime/troupe.h"

int main(int argc, char **argv)
{
    static const trp_class_t *const classes[] = {
        &router_class, &intake_class,     &parser_class,    &transform_class,
        &match_class,  &match_game_class, &trp_store_class, NULL,
    };
    return trp_main(argc, argv, classes);
}
