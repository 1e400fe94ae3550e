/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "messages/status.h"

Test(status, each_code_has_a_name_of_its_own_and_a_text)
{
    for (int code = 0; code < TRP_STATUS_COUNT; code++) {
        const char *name = trp_status_name((trp_status_t)code);

        cr_expect(strlen(name) > 0 && strlen(trp_status_text((trp_status_t)code)) > 0);
        for (const char *at = name; *at != '\0'; at++) {
            cr_expect(islower((unsigned char)*at) || *at == '_', "%s", name);
        }
        for (int other = 0; other < code; other++) {
            cr_expect_str_neq(name, trp_status_name((trp_status_t)other));
        }
    }
}

Test(status, a_code_from_nowhere_has_a_text_all_the_same)
{
    cr_expect_not_null(trp_status_name((trp_status_t)TRP_STATUS_COUNT));
    cr_expect_not_null(trp_status_text((trp_status_t)-1));
}
